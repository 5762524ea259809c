"""What OCPP 2.0.1 chargers tell beside statuses, transactions and meter values."""

from typing import Any

import pytest

from gateway.core.reports import Authorization, Notice, Part, Problem, Report, Status, Token, Transaction
from gateway.ocpp.profile import Notes
from gateway.ocpp.v201.profile import PROFILE

AT = "2026-01-01T00:00:00.000Z"


def translate(action: str, payload: dict[str, Any]) -> tuple[Report, list[str]]:
    notes = Notes()
    report = PROFILE.inbound[action].translate(payload, notes)
    return report, [f"{found['code']} {found['path']}".strip() for found in notes.violations]


VARIABLE = {
    "component": {"name": "Connector", "instance": "a", "evse": {"id": 1, "connectorId": 2}},
    "variable": {"name": "Problem", "instance": "b"},
}
NEUTRAL_VARIABLE = {
    "component": "Connector",
    "component_instance": "a",
    "evse_id": 1,
    "connector_id": 2,
    "variable": "Problem",
    "variable_instance": "b",
}


def test_what_happened_to_variables() -> None:
    report, violations = translate(
        "NotifyEvent",
        {
            "generatedAt": AT,
            "seqNo": 0,
            "tbc": True,
            "eventData": [
                {
                    "eventId": 5,
                    "timestamp": AT,
                    "trigger": "Alerting",
                    "actualValue": True,
                    "eventNotificationType": "HardWiredMonitor",
                    "transactionId": "abc",
                    **VARIABLE,
                },
                "junk",
            ],
        },
    )
    event = {
        "event_id": 5,
        "time": AT,
        **NEUTRAL_VARIABLE,
        "value": None,
        "trigger": "alerting",
        "notification_type": "hard_wired_monitor",
        "cause": None,
        "severity": None,
        "cleared": None,
        "tech_code": None,
        "tech_info": None,
        "monitoring_id": None,
        "ocpp_transaction_id": "abc",
    }
    assert report == Notice(
        "ocpp.variables.event", {"events": [event], "sequence_number": 0, "to_be_continued": True}, time=AT
    )
    assert sorted(violations) == ["field_unreadable /eventData/0/actualValue", "field_unreadable /eventData/1"]


def test_a_report_of_variables() -> None:
    report, violations = translate(
        "NotifyReport",
        {
            "requestId": 3,
            "generatedAt": AT,
            "seqNo": 1,
            "reportData": [
                {
                    **VARIABLE,
                    "variableAttribute": [{"value": "0", "mutability": "ReadOnly"}, {"type": "Target"}],
                    "variableCharacteristics": {"dataType": "OptionList", "supportsMonitoring": True, "maxLimit": 10.0},
                }
            ],
        },
    )
    variable = {
        **NEUTRAL_VARIABLE,
        "attributes": [
            {"type": "Actual", "value": "0", "mutability": "read_only", "persistent": False, "constant": False},
            {"type": "Target", "value": None, "mutability": "read_write", "persistent": False, "constant": False},
        ],
        "characteristics": {
            "unit": None,
            "data_type": "option_list",
            "min_limit": None,
            "max_limit": 10,
            "max_elements": None,
            "values_list": None,
            "supports_monitoring": True,
        },
    }
    assert report == Notice(
        "ocpp.variables.reported",
        {"request_id": 3, "variables": [variable], "sequence_number": 1, "to_be_continued": False},
        time=AT,
        part=Part("variables", 3, last=True, sequence=1),
    )
    assert violations == []


def event(variable: str, value: str, **more: Any) -> dict[str, Any]:
    component = more.pop("component", {"name": "Connector", "evse": {"id": 1, "connectorId": 2}})
    return {
        "eventId": 1,
        "timestamp": AT,
        "trigger": "Delta",
        "eventNotificationType": "HardWiredNotification",
        "component": component,
        "variable": {"name": variable},
        "actualValue": value,
        **more,
    }


@pytest.mark.parametrize(
    ("component", "place"),
    [
        ({"name": "Connector", "evse": {"id": 1, "connectorId": 2}}, (1, 2)),
        ({"name": "Connector", "evse": {"id": 1}}, (1, 0)),
        ({"name": "EVSE", "evse": {"id": 2}}, (2, 0)),
        ({"name": "ChargingStation"}, (0, 0)),
        ({"name": "Controller"}, (0, 0)),
        ({"name": "EVSE"}, None),
        ({"name": "TokenReader", "evse": {"id": 1}}, None),
    ],
)
def test_events_of_variables_bear_the_state_of_what_they_are_about(
    component: dict[str, Any], place: tuple[int, int] | None
) -> None:
    events = [
        event("AvailabilityState", "Faulted", component=component),
        event("Problem", "true", component=component, techCode="E7", techInfo="hot"),
        event("Problem", "false", component=component),
        event("Problem", "true", component=component, cleared=True),
        event("Temperature", "80", component=component),
    ]
    report, _ = translate("NotifyEvent", {"generatedAt": AT, "seqNo": 0, "eventData": events})
    assert isinstance(report, Notice)
    assert len(report.data["events"]) == 5
    if place is None:
        assert (report.statuses, report.problems) == ([], [])
        return
    assert report.statuses == [Status(*place, "faulted", AT)]
    assert report.problems == [
        Problem(*place, True, "E7", "hot"),
        Problem(*place, False),
        Problem(*place, False),
    ]


def test_monitors_are_told_one_by_one() -> None:
    said = {
        "requestId": 3,
        "generatedAt": AT,
        "seqNo": 0,
        "tbc": True,
        "monitor": [
            {
                **VARIABLE,
                "variableMonitoring": [
                    {"id": 1, "transaction": False, "value": 80, "type": "UpperThreshold", "severity": 4},
                    {"id": 2, "transaction": True, "value": 2.5, "type": "PeriodicClockAligned", "severity": 9},
                ],
            }
        ],
    }
    report, violations = translate("NotifyMonitoringReport", said)
    upper = {"id": 1, "type": "upper_threshold", "value": 80, "severity": 4, "transaction": False}
    clock = {"id": 2, "type": "periodic_clock_aligned", "value": 2.5, "severity": 9, "transaction": True}
    assert report == Notice(
        "ocpp.variables.monitoring",
        {
            "request_id": 3,
            "monitors": [{**NEUTRAL_VARIABLE, **monitor, "notification_type": None} for monitor in (upper, clock)],
            "sequence_number": 0,
            "to_be_continued": True,
        },
        time=AT,
        part=Part("monitors", 3, last=False, sequence=0),
    )
    assert violations == []


SCHEDULE = {
    "id": 1,
    "chargingRateUnit": "A",
    "startSchedule": AT,
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0, "numberPhases": 3}, {"startPeriod": 60, "limit": 6.5}],
}
NEUTRAL_SCHEDULE = {
    "id": 1,
    "unit": "A",
    "starts_at": AT,
    "periods": [{"start_s": 0, "limit": 16, "phases": 3}, {"start_s": 60, "limit": 6.5}],
}


def test_charging_profiles_in_a_flat_list() -> None:
    profile = {
        "id": 7,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargingStationMaxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [SCHEDULE],
    }
    said = {"requestId": 3, "chargingLimitSource": "CSO", "evseId": 1, "tbc": True, "chargingProfile": [profile]}
    report, violations = translate("ReportChargingProfiles", said)
    neutral = {
        "evse_id": 1,
        "source": "cso",
        "id": 7,
        "stack_level": 0,
        "purpose": "charger_max",
        "kind": "absolute",
        "schedules": [NEUTRAL_SCHEDULE],
    }
    data = {"request_id": 3, "profiles": [neutral], "sequence_number": None, "to_be_continued": True}
    assert report == Notice("ocpp.charging.profiles", data, part=Part("profiles", 3, last=False))
    assert violations == []


def test_somebody_else_s_limit_is_part_of_the_charger_s_state_until_it_is_lifted() -> None:
    said = {"chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": True}, "chargingSchedule": [SCHEDULE]}
    report, _ = translate("NotifyChargingLimit", said)
    held = {
        "evse_id": 0,
        "source": "ems",
        "is_local_generation": None,
        "is_grid_critical": True,
        "schedules": [NEUTRAL_SCHEDULE],
    }
    assert report == Notice("ocpp.charging.limit", {**held, "cleared": False}, changes={"external_limit": held})
    report, _ = translate("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 2})
    assert isinstance(report, Notice)
    assert (report.data["evse_id"], report.data["cleared"]) == (2, True)
    assert report.data.keys() == {*held, "cleared"}
    assert report.changes == {"external_limit": None}


def test_what_an_ev_needs() -> None:
    said = {
        "evseId": 1,
        "chargingNeeds": {
            "requestedEnergyTransfer": "AC_three_phase",
            "departureTime": AT,
            "acChargingParameters": {"energyAmount": 9000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400},
        },
    }
    report, violations = translate("NotifyEVChargingNeeds", said)
    assert isinstance(report, Notice)
    assert report.subject == "evse/1"
    assert {name: value for name, value in report.data.items() if value not in (None, [])} == {
        "evse_id": 1,
        "requested_energy_transfer": "ac_three_phase",
        "departure_at": AT,
        "ac": {"energy_wh": 9000, "min_current_a": 6, "max_current_a": 16, "max_voltage_v": 400},
    }
    assert violations == []


def test_a_contract_certificate_is_handed_to_whoever_decides() -> None:
    hashes = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}
    said = {
        "idToken": {
            "idToken": "DE-8AA-1",
            "type": "eMAID",
            "additionalInfo": [{"additionalIdToken": "card", "type": "visual"}],
        },
        "certificate": "PEM",
        "iso15118CertificateHashData": [{**hashes, "responderURL": "http://ocsp"}],
    }
    certificate = {
        "hash_algorithm": "sha256",
        "issuer_name_hash": "a",
        "issuer_key_hash": "b",
        "serial_number": "c",
        "responder_url": "http://ocsp",
    }
    details = {
        "token_additional_info": [{"id": "card", "type": "visual"}],
        "certificate": "PEM",
        "certificate_hashes": [certificate],
    }
    assert translate("Authorize", said) == (Authorization(Token("DE-8AA-1", "eMAID"), details=details), [])
    report, _ = translate("TransactionEvent", {"eventType": "Started", "idToken": said["idToken"]})
    assert isinstance(report, Transaction)
    assert report.details == {"token_additional_info": [{"id": "card", "type": "visual"}]}


@pytest.mark.parametrize(
    ("written", "neutral"),
    [("ChargingStationCertificate", "charging_station"), ("V2GCertificate", "v2g"), ("Odd", "odd"), (None, None)],
)
def test_a_certificate_to_sign(written: str | None, neutral: str | None) -> None:
    report, _ = translate("SignCertificate", {"csr": "PEM", "certificateType": written})
    data = {"csr": "PEM", "type": neutral, "request_id": None, "root_certificate": None}
    assert report == Notice("ocpp.certificate.requested", data)


def test_messages_on_the_display() -> None:
    message = {
        "id": 4,
        "priority": "InFront",
        "message": {"format": "UTF8", "language": "en", "content": "Hello"},
        "display": {"name": "Display", "evse": {"id": 1}},
    }
    report, _ = translate("NotifyDisplayMessages", {"requestId": 2, "messageInfo": message})
    assert isinstance(report, Notice)
    assert report.part == Part("messages", 2, last=True)
    (found,) = report.data["messages"]
    assert {name: value for name, value in found.items() if value not in (None, [])} == {
        "id": 4,
        "priority": "in_front",
        "format": "utf8",
        "language": "en",
        "text": "Hello",
        "display": "Display",
        "evse_id": 1,
    }


def test_pieces_of_customer_information_are_parts() -> None:
    report, _ = translate(
        "NotifyCustomerInformation", {"requestId": 2, "seqNo": 1, "tbc": True, "generatedAt": AT, "data": "Jane"}
    )
    assert report == Notice(
        "ocpp.customer.information",
        {"request_id": 2, "pieces": ["Jane"], "data": None, "sequence_number": 1, "to_be_continued": True},
        time=AT,
        part=Part("pieces", 2, last=False, sequence=1, text="data"),
    )


def test_firmware_that_is_published() -> None:
    report, _ = translate(
        "PublishFirmwareStatusNotification", {"status": "Published", "location": ["http://a", 5, {}], "requestId": 1}
    )
    data = {"status": "published", "request_id": 1, "status_info": None, "locations": ["http://a", "5"]}
    assert report == Notice("ocpp.firmware.published", data, changes={"published_firmware_status": "published"})

"""What OCPP 2.0.1 calls mean; the comments number the rows of field deviations that a test stands for."""

from typing import Any

import pytest

from gateway.core.reports import (
    Authorization,
    Boot,
    Meter,
    Report,
    Status,
    Token,
    Transaction,
    Untranslated,
)
from gateway.ocpp.profile import Notes
from gateway.ocpp.v201.profile import PROFILE

AT = "2026-01-01T00:00:00.000Z"
ENERGY = {
    "measurand": "Energy.Active.Import.Register",
    "value": 1500,
    "unit": "Wh",
    "phase": None,
    "location": "Outlet",
    "context": "Transaction.Begin",
    "timestamp": AT,
}
METER_VALUE = {
    "timestamp": "2026-01-01T00:00:00Z",
    "sampledValue": [{"value": 1.5, "context": "Transaction.Begin", "unitOfMeasure": {"unit": "kWh"}}],
}


def translate(action: str, payload: dict[str, Any]) -> tuple[Report, list[str]]:
    notes = Notes()
    report = PROFILE.inbound[action].translate(payload, notes)
    return report, [f"{found['code']} {found['path']}".strip() for found in notes.violations]


def test_boot() -> None:
    report, violations = translate(
        "BootNotification",
        {
            "reason": "PowerUp",
            "chargingStation": {
                "vendorName": "acme",
                "model": "two",
                "serialNumber": "S1",
                "firmwareVersion": "1.0",
                "modem": {"iccid": "i", "imsi": 26201},
            },
        },
    )
    assert report == Boot("acme", "two", "S1", "1.0", reason="power_up", iccid="i", imsi="26201")
    assert violations == []


def test_a_boot_without_a_station_is_still_a_boot() -> None:  # quirk 13
    assert translate("BootNotification", {"chargingStation": "acme"}) == (
        Boot(None, None),
        ["field_unreadable /chargingStation"],
    )


@pytest.mark.parametrize(
    ("where", "evse", "connector"),
    [
        ({"evseId": 1, "connectorId": 2}, 1, 2),
        ({"evseId": "2"}, 2, 1),  # quirk 22
        ({"evseId": 0}, 0, 0),
    ],
)
def test_status(where: dict[str, Any], evse: int, connector: int) -> None:
    report, violations = translate("StatusNotification", {**where, "connectorStatus": "Occupied", "timestamp": AT})
    assert (report, violations) == (Status(evse, connector, "occupied", AT), [])


def test_a_status_of_nothing_passes_raw() -> None:
    for payload in ({}, {"evseId": 1}, {"connectorStatus": "Occupied"}):
        assert translate("StatusNotification", payload) == (Untranslated(), ["untranslatable"])


@pytest.mark.parametrize(
    ("written", "token", "noted"),
    [
        ({"idToken": "04AA", "type": "ISO14443"}, Token("04AA", "ISO14443"), []),
        ({"idToken": " 04AA", "type": "ISO14443"}, Token("04AA", "ISO14443"), ["token_padded /idToken/idToken"]),
        ({"idToken": "", "type": "NoAuthorization"}, Token("", "NoAuthorization"), []),
        ({"idToken": 1234}, Token("1234"), []),
        ("04AA", Token("04AA"), []),
        (None, Token(""), []),
    ],
)
def test_tokens(written: Any, token: Token, noted: list[str]) -> None:
    assert translate("Authorize", {"idToken": written}) == (Authorization(token), noted)


def test_meter_values_outside_a_transaction() -> None:
    report, violations = translate("MeterValues", {"evseId": 1, "meterValue": [METER_VALUE]})
    assert (report, violations) == (Meter(1, None, [ENERGY], AT), [])  # type: ignore[list-item]


def test_a_transaction_begins() -> None:
    report, violations = translate(
        "TransactionEvent",
        {
            "eventType": "Started",
            "timestamp": "2026-01-01T00:00:00Z",
            "triggerReason": "CablePluggedIn",
            "seqNo": 0,
            "cableMaxCurrent": 32,
            "numberOfPhasesUsed": 3,
            "reservationId": 9,
            "transactionInfo": {"transactionId": "abc", "chargingState": "EVConnected", "remoteStartId": 4711},
            "evse": {"id": 1, "connectorId": 1},
            "idToken": {"idToken": "04AA", "type": "ISO14443"},
            "meterValue": [METER_VALUE],
        },
    )
    assert report == Transaction(
        "started",
        AT,
        evse_id=1,
        connector_id=1,
        ocpp_transaction_id="abc",
        token=Token("04AA", "ISO14443"),
        samples=[ENERGY],  # type: ignore[list-item]
        trigger="cable_plugged_in",
        charging_state="ev_connected",
        seq_no=0,
        reservation_id=9,
        remote_start_id=4711,
        details={"cable_max_current_a": 32, "phases_used": 3},
    )
    assert violations == []


def test_an_update_need_not_name_its_evse() -> None:
    report, violations = translate(
        "TransactionEvent",
        {
            "eventType": "Updated",
            "timestamp": AT,
            "triggerReason": "ChargingStateChanged",
            "seqNo": "7",  # quirk 18
            "offline": "true",  # quirk 29
            "transactionInfo": {"transactionId": 12, "chargingState": "SuspendedEVSE", "timeSpentCharging": 60},
        },
    )
    assert report == Transaction(
        "updated",
        AT,
        ocpp_transaction_id="12",
        trigger="charging_state_changed",
        charging_state="suspended_evse",
        seq_no=7,
        offline=True,
        details={"time_spent_charging_s": 60},
    )
    assert violations == []


def test_a_transaction_ends() -> None:
    report, _ = translate(
        "TransactionEvent",
        {
            "eventType": "Ended",
            "timestamp": AT,
            "triggerReason": "EVCommunicationLost",
            "seqNo": 8,
            "transactionInfo": {"transactionId": "abc", "stoppedReason": "SOCLimitReached"},
        },
    )
    assert report == Transaction(
        "ended",
        AT,
        ocpp_transaction_id="abc",
        stop_reason="soc_limit_reached",
        trigger="ev_communication_lost",
        seq_no=8,
    )


@pytest.mark.parametrize("written", [None, "", "Paused", 3, ["Ended"]])
def test_an_event_of_unknown_type_is_an_update(written: Any) -> None:
    report, violations = translate("TransactionEvent", {"eventType": written})
    assert report == Transaction("updated", None)
    assert violations == ["event_type_unknown /eventType"]


def test_an_event_type_in_another_case_is_understood() -> None:
    assert translate("TransactionEvent", {"eventType": "ENDED"}) == (Transaction("ended", None), [])

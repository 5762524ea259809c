"""Block N: logs, monitors of variables and what they tell, and what is kept of customers."""

from functools import partial
from typing import Any

import pytest

from tests.compliance.laboratory import Laboratory
from tests.compliance.ocpp201.messages import VERSION, notified
from tests.compliance.ocpp201.orders import Order, carry_out, cases, order_of
from tests.compliance.station import Payload, at

# ---------------------------------------------------------------- logs

URL = "https://logs.example.com/upload"
WHEN = {"oldest": "2026-01-01T00:00:00Z", "latest": "2026-02-01T00:00:00Z"}


def uploaded(*statuses: str) -> Any:
    def follow(payload: Payload) -> list[tuple[str, Payload]]:
        request = {"requestId": payload["requestId"]}
        return [("LogStatusNotification", {"status": status, **request}) for status in statuses]

    return follow


def _log(case: str, kind: str, wanted: str, **more: Any) -> Order:
    arguments = {"location": URL, "type": kind, **WHEN, "retries": 2, "retry_interval_s": 10}
    period = {"oldestTimestamp": "2026-01-01T00:00:00.000Z", "latestTimestamp": "2026-02-01T00:00:00.000Z"}
    sent = {"logType": wanted, "retries": 2, "retryInterval": 10, "log": {"remoteLocation": URL, **period}}
    settings: dict[str, Any] = {
        "reply": {"status": "Accepted", "filename": "log.zip"},
        "follow": uploaded("Uploading", "Uploaded"),
        "result": {"filename": "log.zip"},
        **more,
    }
    return Order(case, "get_log", arguments, "GetLog", sent, **settings)


LOGS = [
    _log("TC_N_25 diagnostics log", "diagnostics", "DiagnosticsLog"),
    _log("TC_N_35 security log", "security", "SecurityLog"),
    _log(
        "TC_N_34 rejected",
        "diagnostics",
        "DiagnosticsLog",
        reply={"status": "Rejected"},
        follow=None,
        outcome="rejected",
        result={},
    ),
    _log(
        "TC_N_36 a second one cancels the first",
        "diagnostics",
        "DiagnosticsLog",
        reply={"status": "AcceptedCanceled", "filename": "log.zip"},
    ),
    *(
        _log(
            f"TC_N_26 {status}",
            "diagnostics",
            "DiagnosticsLog",
            follow=uploaded("Uploading", status),
            outcome="rejected",
            result={},
        )
        for status in ("UploadFailure", "PermissionDenied", "BadMessage", "NotSupportedOperation")
    ),
]

# ---------------------------------------------------------------- monitors

LIMIT = {"component": "EVSE", "evse_id": 1, "variable": "Power"}
LIMIT_SENT = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
UPPER = {**LIMIT, "type": "upper_threshold", "value": 11000, "severity": 4}
UPPER_SENT = {**LIMIT_SENT, "type": "UpperThreshold", "value": 11000, "severity": 4, "transaction": False}


def set_monitors(payload: Payload, status: str = "Accepted") -> Payload:
    fields = ("component", "variable", "type", "severity")
    return {
        "setMonitoringResult": [
            {name: item[name] for name in fields} | {"status": status, "id": number}
            for number, item in enumerate(payload["setMonitoringData"], 1)
        ]
    }


def cleared(payload: Payload, status: str = "Accepted") -> Payload:
    return {"clearMonitoringResult": [{"id": number, "status": status} for number in payload["id"]]}


def monitors(payload: Payload) -> list[tuple[str, Payload]]:
    """NotifyMonitoringReport in two parts."""
    told = []
    for number in (0, 1):
        monitor = {"id": number, "transaction": False, "value": 11000, "type": "UpperThreshold", "severity": 4}
        told.append(
            (
                "NotifyMonitoringReport",
                {
                    "requestId": payload["requestId"],
                    "generatedAt": at(),
                    "seqNo": number,
                    "tbc": number == 0,
                    "monitor": [{**LIMIT_SENT, "variableMonitoring": [monitor]}],
                },
            )
        )
    return told


def _report(case: str, arguments: dict[str, Any], sent: Payload, **more: Any) -> Order:
    settings: dict[str, Any] = {
        "follow": monitors,
        "result": {"monitors": [{"variable": "Power"}, {"variable": "Power"}]},
        **more,
    }
    return Order(case, "get_monitoring_report", arguments, "GetMonitoringReport", sent, **settings)


CRITERIA = {"monitoringCriteria": ["ThresholdMonitoring", "DeltaMonitoring"]}
MONITORS = [
    _report("TC_N_01 by criteria", {"criteria": ["threshold", "delta"]}, CRITERIA | {"componentVariable": None}),
    _report("TC_N_02 by variable", {"variables": [LIMIT]}, {"componentVariable": [LIMIT_SENT]}),
    _report(
        "TC_N_03 by both",
        {"criteria": ["threshold", "delta"], "variables": [LIMIT]},
        CRITERIA | {"componentVariable": [LIMIT_SENT]},
    ),
    _report(
        "TC_N_60 by both, several",
        {"criteria": ["periodic"], "variables": [LIMIT, {"component": "ChargingStation"}]},
        {
            "monitoringCriteria": ["PeriodicMonitoring"],
            "componentVariable": [LIMIT_SENT, {"component": {"name": "ChargingStation"}, "variable": None}],
        },
    ),
    _report("TC_N_47 all", {}, {"monitoringCriteria": None, "componentVariable": None}),
    _report("TC_N_XX nothing", {}, {}, reply={"status": "EmptyResultSet"}, follow=None, result={"monitors": []}),
    *(
        Order(
            f"TC_N_05 monitoring base {wanted}",
            "set_monitoring_base",
            {"base": base},
            "SetMonitoringBase",
            {"monitoringBase": wanted},
        )
        for base, wanted in (
            ("all", "All"),
            ("factory_default", "FactoryDefault"),
            ("hard_wired_only", "HardWiredOnly"),
        )
    ),
    Order(
        "TC_N_08 one monitor",
        "set_monitoring",
        {"monitors": [UPPER]},
        "SetVariableMonitoring",
        {"setMonitoringData": [UPPER_SENT]},
        set_monitors,
        result={"monitors": [{"id": 1, "status": "accepted"}]},
    ),
    Order(
        "TC_N_09 several monitors",
        "set_monitoring",
        {"monitors": [UPPER, {**UPPER, "type": "delta", "value": 100}]},
        "SetVariableMonitoring",
        {"setMonitoringData": [UPPER_SENT, {**UPPER_SENT, "type": "Delta", "value": 100}]},
        set_monitors,
        result={"monitors": [{"id": 1}, {"id": 2}]},
    ),
    Order(
        "TC_N_24 a periodic monitor",
        "set_monitoring",
        {"monitors": [{**UPPER, "type": "periodic_clock_aligned", "value": 60, "transaction": True}]},
        "SetVariableMonitoring",
        {"setMonitoringData": [{"type": "PeriodicClockAligned", "value": 60, "transaction": True}]},
        set_monitors,
    ),
    *(
        Order(
            f"TC_N_10 {status}",
            "set_monitoring",
            {"monitors": [{**UPPER, "id": 7}]},
            "SetVariableMonitoring",
            {"setMonitoringData": [{"id": 7}]},
            partial(set_monitors, status=status),
            "rejected",
        )
        for status in ("UnknownComponent", "UnknownVariable", "UnsupportedMonitorType", "Rejected", "Duplicate")
    ),
    Order("TC_N_16 monitoring level", "set_monitoring_level", {"severity": 4}, "SetMonitoringLevel", {"severity": 4}),
    Order(
        "TC_N_17 level out of range",
        "SetMonitoringLevel",
        {"severity": 10},
        "SetMonitoringLevel",
        {"severity": 10},
        {"status": "Rejected"},
        "rejected",
    ),
    Order("TC_N_19 clear a monitor", "clear_monitoring", {"ids": [1]}, "ClearVariableMonitoring", {"id": [1]}, cleared),
    Order(
        "TC_N_44 it is not cleared",
        "clear_monitoring",
        {"ids": [1]},
        "ClearVariableMonitoring",
        {"id": [1]},
        lambda payload: cleared(payload, "Rejected"),
        "rejected",
    ),
]

# ---------------------------------------------------------------- customers


def customer(*parts: str) -> Any:
    def follow(payload: Payload) -> list[tuple[str, Payload]]:
        return [
            (
                "NotifyCustomerInformation",
                {
                    "requestId": payload["requestId"],
                    "generatedAt": at(),
                    "seqNo": number,
                    "tbc": number < len(parts) - 1,
                    "data": part,
                },
            )
            for number, part in enumerate(parts)
        ]

    return follow


def _customer(case: str, arguments: dict[str, Any], sent: Payload, **more: Any) -> Order:
    return Order(case, "customer_information", arguments, "CustomerInformation", sent, **more)


HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "d2f1", "issuerKeyHash": "a5c3", "serialNumber": "3e8"}
NAMED = {"hash_algorithm": "sha256", "issuer_name_hash": "d2f1", "issuer_key_hash": "a5c3", "serial_number": "3e8"}
TOKEN, TOKEN_SENT = {"token": "VALID"}, {"idToken": {"idToken": "VALID", "type": "ISO14443"}}
REPORT = {"report": True, "clear": False}
CLEAR = {"report": True, "clear": True}
CUSTOMERS = [
    _customer(
        "TC_N_27 report with data",
        TOKEN | REPORT,
        TOKEN_SENT | REPORT,
        follow=customer("John ", "Doe"),
        result={"data": "John Doe"},
    ),
    _customer(
        "TC_N_28 report without data", TOKEN | REPORT, TOKEN_SENT | REPORT, follow=customer(""), result={"data": ""}
    ),
    *(
        _customer(f"TC_N_29 {reply}", TOKEN | REPORT, TOKEN_SENT, reply={"status": reply}, outcome="rejected")
        for reply in ("Rejected", "Invalid")
    ),
    _customer(
        "TC_N_30 clear and report with data",
        TOKEN | CLEAR,
        TOKEN_SENT | CLEAR,
        follow=customer("John Doe"),
        result={"data": "John Doe"},
    ),
    _customer("TC_N_31 clear and report without data", TOKEN | CLEAR, TOKEN_SENT | CLEAR, follow=customer("")),
    _customer(
        "TC_N_32 clear without report", TOKEN | {"report": False, "clear": True}, {"report": False, "clear": True}
    ),
    _customer(
        "TC_N_62 by a word of the vendor",
        {"customer_identifier": "OpenChargeAlliance"} | CLEAR,
        {"customerIdentifier": "OpenChargeAlliance", "idToken": None} | CLEAR,
        follow=customer("John Doe"),
    ),
    _customer(
        "TC_N_63 by certificate",
        {"customer_certificate": NAMED} | CLEAR,
        {"customerCertificate": HASH} | CLEAR,
        follow=customer("John Doe"),
    ),
]


@cases(LOGS, MONITORS, CUSTOMERS)
async def test_diagnostics(order: Order, lab: Laboratory) -> None:
    """Use cases N01 to N06, N09 and N10."""
    await carry_out(order, lab, VERSION)


async def test_tc_n_18_no_more_monitors_are_cleared_at_once_than_the_station_takes(lab: Laboratory) -> None:
    """N06.FR.04: ItemsPerMessage of ClearVariableMonitoring is 3 here."""

    def tell(payload: Payload) -> Payload:
        assert payload["getVariableData"] == [
            {
                "component": {"name": "MonitoringCtrlr"},
                "variable": {"name": "ItemsPerMessage", "instance": "ClearVariableMonitoring"},
            }
        ]
        found = {**payload["getVariableData"][0], "attributeStatus": "Accepted", "attributeValue": "3"}
        return {"getVariableResult": [found]}

    async with lab.booted(VERSION) as (station, operator):
        station.replies |= {"GetVariables": tell, "ClearVariableMonitoring": cleared}
        result = await operator.command("clear_monitoring", ids=list(range(8)))
        assert [monitor["id"] for monitor in result["result"]["monitors"]] == list(range(8))
        sizes = [len(payload["id"]) for action, payload in station.unread if action == "ClearVariableMonitoring"]
        assert sizes == [3, 3, 2]


async def test_tc_n_46_a_customer_is_cleared_who_is_on_the_local_list(lab: Laboratory) -> None:
    """N10.FR.06: the station forgets; the list is brought up to date by the operator."""
    async with lab.booted(VERSION) as (station, operator):
        await order_of(CUSTOMERS[5], station, operator)
        off = {"token": "VALID", "remove": True}
        assert (await operator.command("send_local_list", version=2, update="differential", tokens=[off]))[
            "outcome"
        ] == "accepted"
        assert (await station.expect("SendLocalList"))["updateType"] == "Differential"


@pytest.mark.parametrize(
    ("case", "fields"),
    [
        ("TC_N_21", {"trigger": "Alerting", "eventNotificationType": "HardWiredMonitor"}),
        ("TC_N_48", {"trigger": "Delta", "eventNotificationType": "CustomMonitor", "variableMonitoringId": 1}),
        ("TC_N_49", {"trigger": "Alerting", "eventNotificationType": "CustomMonitor", "cleared": True}),
        (
            "TC_N_50",
            {"trigger": "Periodic", "eventNotificationType": "PreconfiguredMonitor", "variableMonitoringId": 1},
        ),
    ],
    ids=["TC_N_21-hard-wired", "TC_N_48-write-only", "TC_N_49-cleared-after-a-boot", "TC_N_50-periodic"],
)
async def test_events_are_taken(lab: Laboratory, case: str, fields: dict[str, Any]) -> None:
    """N07.FR.02, N08.FR.02."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, _):
        payload = notified("ChargingStation", "Problem", "false", evse_id=None, **fields)
        assert await station.call("NotifyEvent", payload) == {}
        told = await business.event("variables.event")
        assert told["raw"]["eventData"] == payload["eventData"]

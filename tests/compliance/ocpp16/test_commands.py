"""Commands of one call: what the charge point is asked, word for word, and how each of its answers is told."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.compliance.ocpp16.charge_point import ACCEPTED, Payload
from tests.compliance.ocpp16.lab import Lab
from tests.e2e.doors import MqttDoor, by_mqtt


@dataclass(frozen=True)
class Case:
    """A command, the one call that it leads to, the charge point's answer, and what the operator is told of it."""

    command: str
    arguments: dict[str, Any]
    action: str
    asked: Payload
    answer: Payload
    outcome: str = "accepted"
    reason: str | None = None
    result: dict[str, Any] = field(default_factory=dict)
    """Part of the result."""


def _by_status(command: str, arguments: dict[str, Any], action: str, asked: Payload, status: str, **more: Any) -> Case:
    return Case(command, arguments, action, asked, {"status": status}, **more)


def no(reason: str) -> dict[str, Any]:
    return {"outcome": "rejected", "reason": reason}


UNLOCK: tuple[Any, ...] = ("unlock", {"evse_id": 1}, "UnlockConnector", {"connectorId": 1})
INTERVAL = {"component": "SampledDataCtrlr", "variable": "TxUpdatedInterval", "value": "10"}
CHANGE: tuple[Any, ...] = (
    "set_variables",
    {"variables": [INTERVAL]},
    "ChangeConfiguration",
    {"key": "MeterValueSampleInterval", "value": "10"},
)
PROFILES = {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core,Reservation"}
EXPIRY = "2099-01-01T00:00:00.000Z"
RESERVE: tuple[Any, ...] = (
    "reserve",
    {"evse_id": 1, "token": "TAG", "until": EXPIRY, "reservation_id": 5},
    "ReserveNow",
    {"connectorId": 1, "expiryDate": EXPIRY, "idTag": "TAG", "reservationId": 5},
)
CANCEL: tuple[Any, ...] = (
    "cancel_reservation",
    {"reservation_id": 5},
    "CancelReservation",
    {"reservationId": 5},
)
LISTED = [{"token": "A", "group": "P", "expires_at": EXPIRY}, {"token": "B", "status": "blocked"}]
FULL: tuple[Any, ...] = (
    "send_local_list",
    {"version": 2, "tokens": LISTED},
    "SendLocalList",
    {
        "listVersion": 2,
        "updateType": "Full",
        "localAuthorizationList": [
            {"idTag": "A", "idTagInfo": {"status": "Accepted", "expiryDate": EXPIRY, "parentIdTag": "P"}},
            {"idTag": "B", "idTagInfo": {"status": "Blocked"}},
        ],
    },
)
DIFFERENTIAL: tuple[Any, ...] = (
    "send_local_list",
    {"version": 3, "update": "differential", "tokens": [{"token": "C"}, {"token": "B", "remove": True}]},
    "SendLocalList",
    {
        "listVersion": 3,
        "updateType": "Differential",
        "localAuthorizationList": [{"idTag": "C", "idTagInfo": {"status": "Accepted"}}, {"idTag": "B"}],
    },
)
VERSION: tuple[Any, ...] = ("get_local_list_version", {}, "GetLocalListVersion", {})
REMOTE: tuple[Any, ...] = (
    "start",
    {"token": "TAG", "evse_id": 1},
    "RemoteStartTransaction",
    {"idTag": "TAG", "connectorId": 1},
)
TRANSFER: tuple[Any, ...] = (
    "data_transfer",
    {"vendor_id": "com.example", "message_id": "Hello", "data": "text"},
    "DataTransfer",
    {"vendorId": "com.example", "messageId": "Hello", "data": "text"},
)


def trigger(message: str, status: str, *, evse_id: int | None = None, **more: Any) -> Case:
    where = {} if evse_id is None else {"connectorId": evse_id}
    arguments = {"message": message} if evse_id is None else {"message": message, "evse_id": evse_id}
    return _by_status("trigger", arguments, "TriggerMessage", {"requestedMessage": message, **where}, status, **more)


def availability(available: bool, evse_id: int, status: str, **more: Any) -> Case:
    asked = {"connectorId": evse_id, "type": "Operative" if available else "Inoperative"}
    arguments = {"available": available, "evse_id": evse_id}
    return _by_status("set_availability", arguments, "ChangeAvailability", asked, status, **more)


CASES: dict[str, Case] = {
    # Reset
    "TC_013 hard reset": _by_status("reset", {"type": "immediate"}, "Reset", {"type": "Hard"}, "Accepted"),
    "TC_014 soft reset": _by_status("reset", {"type": "on_idle"}, "Reset", {"type": "Soft"}, "Accepted"),
    "TC_014 reset rejected": _by_status("reset", {}, "Reset", {"type": "Soft"}, "Rejected", **no("Rejected")),
    # Unlock
    "TC_017_1 unlocked, no session": _by_status(*UNLOCK, "Unlocked"),
    "TC_017_2 fixed cable": _by_status(*UNLOCK, "NotSupported", **no("NotSupported")),
    "TC_030 unlock failure": _by_status(*UNLOCK, "UnlockFailed", **no("UnlockFailed")),
    "TC_031 unknown connector": _by_status(
        "unlock", {"evse_id": 9}, "UnlockConnector", {"connectorId": 9}, "NotSupported", **no("NotSupported")
    ),
    # Availability
    "availability: charge point": availability(False, 0, "Accepted"),
    "availability: connector, after the session": availability(False, 1, "Scheduled", reason="Scheduled"),
    "availability: rejected": availability(True, 1, "Rejected", **no("Rejected")),
    # Configuration
    "TC_019_1 all configuration keys": Case(
        "get_variables", {}, "GetConfiguration", {}, {"configurationKey": [PROFILES]}
    ),
    "TC_019_2 one configuration key": Case(
        "get_variables",
        {"variables": [{"variable": "SupportedFeatureProfiles"}]},
        "GetConfiguration",
        {"key": ["SupportedFeatureProfiles"]},
        {"configurationKey": [PROFILES], "unknownKey": []},
    ),
    "TC_019_2 an unknown configuration key": Case(
        "get_variables",
        {"variables": [{"variable": "Nonsense"}]},
        "GetConfiguration",
        {"key": ["Nonsense"]},
        {"unknownKey": ["Nonsense"]},
        **no("UnknownKey"),
    ),
    "TC_021 change configuration": _by_status(*CHANGE, "Accepted"),
    "TC_021 change configuration, reboot required": _by_status(*CHANGE, "RebootRequired", reason="RebootRequired"),
    "TC_040_1 configuration key not supported": _by_status(*CHANGE, "NotSupported", **no("NotSupported")),
    "TC_040_2 configuration value rejected": _by_status(*CHANGE, "Rejected", **no("Rejected")),
    "TC_083 security profile": _by_status(
        "set_variables",
        {"variables": [{"variable": "SecurityProfile", "value": "2"}]},
        "ChangeConfiguration",
        {"key": "SecurityProfile", "value": "2"},
        "Accepted",
    ),
    # Remote start
    "TC_026 remote start rejected": _by_status(*REMOTE, "Rejected", **no("Rejected")),
    # Tokens in the charge point
    "TC_061 clear cache": _by_status("clear_cache", {}, "ClearCache", {}, "Accepted"),
    "TC_061 clear cache rejected": _by_status("clear_cache", {}, "ClearCache", {}, "Rejected", **no("Rejected")),
    "TC_042_1 local list not supported": Case(*VERSION, {"listVersion": -1}, **no("NotSupported")),
    "TC_042_2 local list empty": Case(*VERSION, {"listVersion": 0}, result={"version": 0}),
    "TC_042_2 local list version": Case(*VERSION, {"listVersion": 12}, result={"version": 12}),
    "TC_043_1 local list not supported": _by_status(*FULL, "NotSupported", **no("NotSupported")),
    "TC_043_2 local list: version mismatch": _by_status(*DIFFERENTIAL, "VersionMismatch", **no("VersionMismatch")),
    "TC_043_3 local list failed": _by_status(*FULL, "Failed", **no("Failed")),
    "TC_043_4 local list, full": _by_status(*FULL, "Accepted", result={"version": 2}),
    "TC_043_5 local list, differential": _by_status(*DIFFERENTIAL, "Accepted", result={"version": 3}),
    "TC_043_4 local list, emptied": _by_status(
        "send_local_list",
        {"version": 4},
        "SendLocalList",
        {"listVersion": 4, "updateType": "Full", "localAuthorizationList": []},
        "Accepted",
    ),
    # Reservation
    "TC_048_1 reservation: faulted": _by_status(*RESERVE, "Faulted", **no("Faulted")),
    "TC_048_2 reservation: occupied": _by_status(*RESERVE, "Occupied", **no("Occupied")),
    "TC_048_3 reservation: unavailable": _by_status(*RESERVE, "Unavailable", **no("Unavailable")),
    "TC_048_4 reservation: rejected": _by_status(*RESERVE, "Rejected", **no("Rejected")),
    "TC_051 cancel reservation": _by_status(*CANCEL, "Accepted"),
    "TC_052 cancel reservation rejected": _by_status(*CANCEL, "Rejected", **no("Rejected")),
    # Triggers
    "TC_054 trigger MeterValues": trigger("MeterValues", "Accepted", evse_id=1),
    "TC_054 trigger Heartbeat": trigger("Heartbeat", "Accepted"),
    "TC_054 trigger StatusNotification": trigger("StatusNotification", "Accepted", evse_id=1),
    "TC_054 trigger DiagnosticsStatusNotification": trigger("DiagnosticsStatusNotification", "Accepted"),
    "TC_054 trigger FirmwareStatusNotification": trigger(
        "FirmwareStatusNotification", "NotImplemented", **no("NotImplemented")
    ),
    "TC_055 trigger rejected": trigger("MeterValues", "Rejected", evse_id=1, **no("Rejected")),
    # A vendor's own messages
    "TC_062 data transfer": Case(*TRANSFER, {"status": "Accepted", "data": "yes"}, result={"data": "yes"}),
    "TC_062 data transfer: unknown vendor": _by_status(*TRANSFER, "UnknownVendorId", **no("UnknownVendorId")),
    "TC_062 data transfer: unknown message": _by_status(*TRANSFER, "UnknownMessageId", **no("UnknownMessageId")),
    "TC_062 data transfer rejected": _by_status(*TRANSFER, "Rejected", **no("Rejected")),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_the_call_and_how_its_answer_is_told(case: Case, lab: Lab) -> None:
    async with lab.charge_point(boot=False) as point:
        ordered = lab.order(point, case.command, **case.arguments)
        assert await point.obey(case.action, case.answer) == case.asked
        told = await ordered
        assert (told["outcome"], told["reason"]) == (case.outcome, case.reason)
        assert told["result"].items() >= case.result.items()


@pytest.mark.parametrize("code", ["NotImplemented", "NotSupported", "InternalError", "GenericError"])
async def test_a_callerror_ends_the_command(code: str, lab: Lab) -> None:
    async with lab.charge_point(boot=False) as point:
        ordered = lab.order(point, "get_local_list_version")
        await point.obey_with_error("GetLocalListVersion", code)
        told = await ordered
        assert (told["outcome"], told["result"]["code"]) == ("error", code)


async def test_tc_019_configuration_keys_are_told_whole(lab: Lab) -> None:
    async with lab.charge_point(boot=False) as point:
        ordered = lab.order(point, "get_variables")
        keys = [PROFILES, {"key": "VendorKey", "readonly": False}]
        await point.obey("GetConfiguration", {"configurationKey": keys, "unknownKey": ["Gone"]})
        told = (await ordered)["result"]
        assert [(one["key"], one["value"], one["readonly"]) for one in told["variables"]] == [
            ("SupportedFeatureProfiles", "Core,Reservation", True),
            ("VendorKey", None, False),
        ]
        assert [one["key"] for one in told["unknown"]] == ["Gone"]


async def test_one_call_at_a_time(lab: Lab) -> None:
    """OCPP-J 1.6, section 4.1.1: no second request before the first is answered."""
    async with lab.charge_point(boot=False) as point:
        first, second = lab.order(point, "unlock"), lab.order(point, "clear_cache")
        kinds = {}
        for _ in range(2):
            message_id, action, _ = await point.any_call()
            assert await point.is_told_nothing()
            status = "Unlocked" if action == "UnlockConnector" else "Accepted"
            kinds[action] = message_id
            await point.send([3, message_id, {"status": status}])
        assert [(await ordered)["outcome"] for ordered in (first, second)] == ["accepted", "accepted"]
        assert len(set(kinds.values())) == 2


async def test_tc_013_the_same_over_mqtt(lab: Lab, mqtt_port: int) -> None:
    async with lab.charge_point() as point, by_mqtt(lab.gateway, mqtt_port, point.identity) as door:
        assert isinstance(door, MqttDoor)
        ordered = lab.beside(door.command("reset", {"type": "immediate"}))
        assert await point.obey("Reset", ACCEPTED) == {"type": "Hard"}
        assert (await ordered)["outcome"] == "accepted"

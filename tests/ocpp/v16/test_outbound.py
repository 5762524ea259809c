"""Neutral commands as OCPP 1.6 calls, and how their answers are read."""

from typing import Any

import pytest

from gateway.core.commands import Outcome, validated_arguments
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Answered, Call, Ending, Station
from gateway.ocpp.v16.profile import PROFILE

STATION = Station([ActiveTransaction("tx-1", "42", 1, 1)], next_id=lambda: 1)


def calls(command: str, **arguments: Any) -> list[Call]:
    return PROFILE.outbound[command].calls(validated_arguments(command, arguments), STATION)


def ended(command: str, arguments: dict[str, Any], *answers: dict[str, Any]) -> Ending:
    made = calls(command, **arguments)
    return PROFILE.outbound[command].ending(made, [Answered(answer) for answer in answers])


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        ("start", {"token": "T"}, Call("RemoteStartTransaction", {"idTag": "T"})),
        ("start", {"token": "T", "evse_id": 2}, Call("RemoteStartTransaction", {"idTag": "T", "connectorId": 2})),
        ("stop", {}, Call("RemoteStopTransaction", {"transactionId": 42})),
        ("unlock", {"evse_id": 2}, Call("UnlockConnector", {"connectorId": 2})),
        ("reset", {"type": "immediate"}, Call("Reset", {"type": "Hard"})),
        ("reset", {}, Call("Reset", {"type": "Soft"})),
        (
            "set_availability",
            {"available": False},
            Call("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        ),
        (
            "set_availability",
            {"available": True, "evse_id": 2},
            Call("ChangeAvailability", {"connectorId": 2, "type": "Operative"}),
        ),
        (
            "trigger",
            {"message": "MeterValues", "evse_id": 1},
            Call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
        ),
        (
            "trigger",
            {"message": "LogStatusNotification"},
            Call("ExtendedTriggerMessage", {"requestedMessage": "LogStatusNotification"}),
        ),
        ("get_variables", {}, Call("GetConfiguration", {})),
        ("get_variables", {"variables": [{"variable": "K"}]}, Call("GetConfiguration", {"key": ["K"]})),
        (
            "data_transfer",
            {"vendor_id": "v", "data": {"a": "ä"}},
            Call("DataTransfer", {"vendorId": "v", "data": '{"a":"ä"}'}),
        ),
        ("data_transfer", {"vendor_id": "v", "data": "text"}, Call("DataTransfer", {"vendorId": "v", "data": "text"})),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert calls(command, **arguments) == [call]


def test_a_limit_for_the_whole_charger() -> None:
    assert calls("set_charging_limit", current_a=16.19, until="2026-12-01T00:00:00+01:00") == [
        Call(
            "SetChargingProfile",
            {
                "connectorId": 0,
                "csChargingProfiles": {
                    "chargingProfileId": 1,
                    "chargingProfilePurpose": "ChargePointMaxProfile",
                    "stackLevel": 0,
                    "chargingProfileKind": "Absolute",
                    "validTo": "2026-11-30T23:00:00.000Z",
                    "chargingSchedule": {
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}],
                        "startSchedule": "2020-01-01T00:00:00.000Z",
                    },
                },
            },
        )
    ]


def test_a_limit_for_one_connector() -> None:
    (call,) = calls("set_charging_limit", power_w=3680, evse_id=2, phases=1)
    assert call.payload["connectorId"] == 2
    profile = call.payload["csChargingProfiles"]
    assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
    assert profile["chargingSchedule"] == {
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 3680.0, "numberPhases": 1}],
    }


@pytest.mark.parametrize(
    ("command", "arguments", "error"),
    [
        ("start", {"token": "T" * 21}, CommandInvalid),
        ("start", {"token": "T", "evse_id": 0}, CommandInvalid),
        ("start", {"token": "T", "remote_start_id": 1}, CommandUnsupported),
        ("unlock", {"evse_id": 0}, CommandInvalid),
        ("unlock", {"connector_id": 2}, CommandUnsupported),
        ("reset", {"evse_id": 1}, CommandUnsupported),
        ("trigger", {"message": "TransactionEvent"}, CommandUnsupported),
        ("trigger", {"message": "Nonsense"}, CommandInvalid),
        ("get_variables", {"variables": [{"variable": "K", "attribute": "Target"}]}, CommandUnsupported),
        ("set_variables", {"variables": [{"variable": "K" * 51, "value": ""}]}, CommandInvalid),
        ("data_transfer", {"vendor_id": "v", "message_id": "m" * 51}, CommandInvalid),
    ],
)
def test_what_1_6_cannot_carry_is_refused(command: str, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        calls(command, **arguments)


@pytest.mark.parametrize(
    ("command", "arguments", "answer", "outcome", "reason"),
    [
        ("start", {"token": "T"}, {"status": "Accepted"}, Outcome.ACCEPTED, None),
        ("start", {"token": "T"}, {"status": "Rejected"}, Outcome.REJECTED, "Rejected"),
        ("unlock", {}, {"status": "Unlocked"}, Outcome.ACCEPTED, None),
        ("unlock", {}, {"status": "UnlockFailed"}, Outcome.REJECTED, "UnlockFailed"),
        ("unlock", {}, {"status": "NotSupported"}, Outcome.REJECTED, "NotSupported"),
        ("set_availability", {"available": True}, {"status": "Scheduled"}, Outcome.ACCEPTED, "Scheduled"),
        ("reset", {}, {}, Outcome.ERROR, "the answer has no status"),
        ("reset", {}, {"status": 1}, Outcome.ERROR, "the answer has no status"),
    ],
)
def test_the_chargers_word_is_the_outcome(
    command: str, arguments: dict[str, Any], answer: dict[str, Any], outcome: Outcome, reason: str | None
) -> None:
    ending = ended(command, arguments, answer)
    assert (ending.outcome, ending.reason) == (outcome, reason)


def test_variables_read() -> None:
    wanted = {"variables": [{"variable": "A"}, {"variable": "B"}]}
    ending = ended(
        "get_variables",
        wanted,
        {"configurationKey": [{"key": "A", "readonly": True, "value": "1"}], "unknownKey": ["B"]},
    )
    assert ending == Ending(
        Outcome.ACCEPTED,
        None,
        {
            "variables": [
                {
                    "component": None,
                    "variable": "A",
                    "attribute": "Actual",
                    "value": "1",
                    "readonly": True,
                    "status": "accepted",
                }
            ],
            "unknown": [{"component": None, "variable": "B"}],
        },
    )
    refused = ended("get_variables", wanted, {"unknownKey": ["A", "B"]})
    assert (refused.outcome, refused.reason) == (Outcome.REJECTED, "UnknownKey")
    assert ended("get_variables", {}, {}).outcome is Outcome.ACCEPTED


def test_each_key_is_set_by_a_call_of_its_own() -> None:
    wanted = {"variables": [{"variable": "A", "value": "1"}, {"variable": "B", "value": "2"}]}
    assert calls("set_variables", **wanted) == [
        Call("ChangeConfiguration", {"key": "A", "value": "1"}),
        Call("ChangeConfiguration", {"key": "B", "value": "2"}),
    ]
    ending = ended("set_variables", wanted, {"status": "RebootRequired"}, {"status": "NotSupported"})
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "A: RebootRequired; B: NotSupported")
    assert ending.result is not None
    assert [entry["status"] for entry in ending.result["variables"]] == ["reboot_required", "not_supported"]
    alone = ended("set_variables", {"variables": [{"variable": "A", "value": "1"}]}, {"status": "RebootRequired"})
    assert (alone.outcome, alone.reason) == (Outcome.ACCEPTED, "RebootRequired")


def test_data_transfer_brings_back_its_data() -> None:
    ending = ended("data_transfer", {"vendor_id": "v"}, {"status": "Accepted", "data": "x"})
    assert ending == Ending(Outcome.ACCEPTED, None, {"status": "accepted", "data": "x"})

"""Locks, restarts, availability, triggers and a vendor's own messages as OCPP 1.6 calls."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.profile import Call, Ending, Station
from gateway.ocpp.v16.profile import PROFILE
from tests.ocpp.dialogue import Desk

DESK = Desk(PROFILE, Station([], next_id=lambda: 1))


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
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
            {"message": "FirmwareStatusNotification"},
            Call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}),
        ),
        (
            "trigger",
            {"message": "SignedFirmwareStatusNotification"},
            Call("ExtendedTriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}),
        ),
        (
            "trigger",
            {"message": "SignChargingStationCertificate"},
            Call("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}),
        ),
        (
            "data_transfer",
            {"vendor_id": "v", "data": {"a": "ä"}},
            Call("DataTransfer", {"vendorId": "v", "data": '{"a":"ä"}'}),
        ),
        ("data_transfer", {"vendor_id": "v", "data": "text"}, Call("DataTransfer", {"vendorId": "v", "data": "text"})),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert DESK.calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments", "error"),
    [
        ("unlock", {"evse_id": 0}, CommandInvalid),
        ("unlock", {"connector_id": 2}, CommandUnsupported),
        ("reset", {"evse_id": 1}, CommandUnsupported),
        ("reset", {"type": "immediate_and_resume"}, CommandUnsupported),
        ("trigger", {"message": "TransactionEvent"}, CommandUnsupported),
        ("trigger", {"message": "Nonsense"}, CommandInvalid),
        ("data_transfer", {"vendor_id": "v", "message_id": "m" * 51}, CommandInvalid),
    ],
)
def test_what_1_6_cannot_carry_is_refused(command: str, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        DESK.calls(command, **arguments)


@pytest.mark.parametrize(
    ("command", "arguments", "answer", "outcome", "reason"),
    [
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
    ending = DESK.ended(command, arguments, answer)
    assert (ending.outcome, ending.reason) == (outcome, reason)


def test_data_transfer_brings_back_its_data() -> None:
    ending = DESK.ended("data_transfer", {"vendor_id": "v"}, {"status": "Accepted", "data": "x"})
    assert ending == Ending(Outcome.ACCEPTED, None, {"status": "accepted", "data": "x"})

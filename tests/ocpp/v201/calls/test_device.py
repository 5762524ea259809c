"""Locks, restarts, availability, triggers and a vendor's own messages as OCPP 2.0.1 calls."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.profile import Call, Ending, Station
from gateway.ocpp.v201.profile import PROFILE
from tests.ocpp.dialogue import Desk

DESK = Desk(PROFILE, Station([], next_id=lambda: 4711))


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        ("unlock", {"evse_id": 2}, Call("UnlockConnector", {"evseId": 2, "connectorId": 1})),
        ("reset", {"type": "immediate", "evse_id": 1}, Call("Reset", {"type": "Immediate", "evseId": 1})),
        ("reset", {}, Call("Reset", {"type": "OnIdle"})),
        ("set_availability", {"available": True}, Call("ChangeAvailability", {"operationalStatus": "Operative"})),
        (
            "set_availability",
            {"available": False, "evse_id": 2, "connector_id": 1},
            Call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2, "connectorId": 1}}),
        ),
        (
            "trigger",
            {"message": "StatusNotification", "evse_id": 1},
            Call("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}),
        ),
        (
            "trigger",
            {"message": "TransactionEvent", "evse_id": 1},
            Call("TriggerMessage", {"requestedMessage": "TransactionEvent", "evse": {"id": 1}}),
        ),
        (
            "trigger",
            {"message": "SignChargePointCertificate"},
            Call("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"}),
        ),
        (
            "data_transfer",
            {"vendor_id": "v", "message_id": "m", "data": {"a": 1}},
            Call("DataTransfer", {"vendorId": "v", "messageId": "m", "data": {"a": 1}}),
        ),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert DESK.calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments", "error", "told"),
    [
        ("unlock", {"connector_id": 0}, CommandInvalid, "from 1"),
        ("reset", {"type": "immediate_and_resume"}, CommandUnsupported, r"do: 2\.1"),
        ("trigger", {"message": "DiagnosticsStatusNotification"}, CommandUnsupported, r"can: 1\.6"),
        ("trigger", {"message": "CustomTrigger", "custom": "Fan"}, CommandUnsupported, r"can: 2\.1"),
    ],
)
def test_what_2_0_1_cannot_carry_is_refused(
    command: str, arguments: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        DESK.calls(command, **arguments)


def test_a_refusal_tells_the_chargers_reason() -> None:
    info = {"reasonCode": "Jammed", "additionalInfo": "ice"}
    assert DESK.ended("unlock", {}, {"status": "UnlockFailed", "statusInfo": info}) == Ending(
        Outcome.REJECTED,
        "UnlockFailed: Jammed ice",
        {"status": "unlock_failed", "status_info": {"reason_code": "Jammed", "additional_info": "ice"}},
    )


def test_the_status_of_the_whole_charger_is_that_of_each_connector() -> None:
    desk = Desk(PROFILE, Station([], next_id=lambda: 4711, places=[(1, 1), (1, 2), (2, 1)]))
    asked = [call.payload["evse"] for call in desk.calls("trigger", message="StatusNotification")]
    assert asked == [{"id": 1, "connectorId": 1}, {"id": 1, "connectorId": 2}, {"id": 2, "connectorId": 1}]
    assert desk.calls("trigger", message="Heartbeat") == [Call("TriggerMessage", {"requestedMessage": "Heartbeat"})]


def test_a_no_of_one_connector_is_the_answer_of_the_whole_charger() -> None:
    """Use case F06: each connector is triggered by a call of its own, and any of them may be refused."""
    desk = Desk(PROFILE, Station([], next_id=lambda: 4711, places=[(1, 1), (2, 1)]))
    whole = {"message": "StatusNotification"}
    no, yes = {"status": "Rejected"}, {"status": "Accepted"}
    assert desk.ended("trigger", whole, no, yes) == Ending(
        Outcome.REJECTED, "evse 1 connector 1: Rejected", {"status": "rejected"}, acted=True
    )
    assert desk.ended("trigger", whole, yes, yes) == Ending(Outcome.ACCEPTED, None, {"status": "accepted"})
    assert desk.ended("trigger", {**whole, "evse_id": 1}, no).reason == "Rejected"

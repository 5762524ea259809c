"""Neutral commands as OCPP 2.0.1 calls, and how their answers are read."""

from typing import Any

import pytest

from gateway.core.commands import Outcome, validated_arguments
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.core.reports import ActiveTransaction
from gateway.ocpp.profile import Answered, Call, Ending, Station
from gateway.ocpp.v201.profile import PROFILE

STATION = Station([ActiveTransaction("tx-1", "abc", 1, 1)], next_id=lambda: 4711)


def calls(command: str, **arguments: Any) -> list[Call]:
    return PROFILE.outbound[command].calls(validated_arguments(command, arguments), STATION)


def ended(command: str, arguments: dict[str, Any], *answers: dict[str, Any]) -> Ending:
    made = calls(command, **arguments)
    return PROFILE.outbound[command].ending(made, [Answered(answer) for answer in answers])


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        (
            "start",
            {"token": "T"},
            Call("RequestStartTransaction", {"idToken": {"idToken": "T", "type": "Central"}, "remoteStartId": 4711}),
        ),
        (
            "start",
            {"token": "T", "token_type": "Local", "evse_id": 2, "remote_start_id": 5},
            Call(
                "RequestStartTransaction",
                {"idToken": {"idToken": "T", "type": "Local"}, "remoteStartId": 5, "evseId": 2},
            ),
        ),
        ("stop", {}, Call("RequestStopTransaction", {"transactionId": "abc"})),
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
            "data_transfer",
            {"vendor_id": "v", "message_id": "m", "data": {"a": 1}},
            Call("DataTransfer", {"vendorId": "v", "messageId": "m", "data": {"a": 1}}),
        ),
        (
            "get_variables",
            {"variables": [{"component": "EVSE", "variable": "Power", "evse_id": 1, "attribute": "MaxSet"}]},
            Call(
                "GetVariables",
                {
                    "getVariableData": [
                        {
                            "component": {"name": "EVSE", "evse": {"id": 1}},
                            "variable": {"name": "Power"},
                            "attributeType": "MaxSet",
                        }
                    ]
                },
            ),
        ),
        (
            "set_variables",
            {"variables": [{"component": "C", "component_instance": "i", "variable": "V", "value": "1"}]},
            Call(
                "SetVariables",
                {
                    "setVariableData": [
                        {
                            "component": {"name": "C", "instance": "i"},
                            "variable": {"name": "V"},
                            "attributeValue": "1",
                        }
                    ]
                },
            ),
        ),
        (
            "set_charging_limit",
            {"current_a": 10, "evse_id": 1},
            Call(
                "SetChargingProfile",
                {
                    "evseId": 1,
                    "chargingProfile": {
                        "id": 1001,
                        "chargingProfilePurpose": "TxDefaultProfile",
                        "stackLevel": 0,
                        "chargingProfileKind": "Relative",
                        "chargingSchedule": [
                            {
                                "id": 1,
                                "chargingRateUnit": "A",
                                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}],
                            }
                        ],
                    },
                },
            ),
        ),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments", "error", "told"),
    [
        ("start", {"token": "T" * 37}, CommandInvalid, "36"),
        ("start", {"token": "T", "token_type": "Magic"}, CommandInvalid, "eMAID"),
        ("start", {"token": "T", "evse_id": 0}, CommandInvalid, "from 1"),
        ("unlock", {"connector_id": 0}, CommandInvalid, "from 1"),
        ("trigger", {"message": "DiagnosticsStatusNotification"}, CommandUnsupported, r"can: 1\.6"),
        ("get_variables", {}, CommandInvalid, "name the variables"),
        ("get_variables", {"variables": [{"variable": "HeartbeatInterval"}]}, CommandInvalid, "OCPPCommCtrlr"),
        ("set_variables", {"variables": [{"variable": "V", "value": "1"}]}, CommandInvalid, "component"),
        (
            "set_variables",
            {"variables": [{"component": "C", "variable": "V", "value": "1" * 1001}]},
            CommandInvalid,
            "1000",
        ),
    ],
)
def test_what_2_0_1_cannot_carry_is_refused(
    command: str, arguments: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        calls(command, **arguments)


def test_a_start_tells_its_remote_start_id_and_a_transaction_that_runs_already() -> None:
    ending = ended("start", {"token": "T"}, {"status": "Accepted", "transactionId": "abc"})
    assert ending == Ending(
        Outcome.ACCEPTED, None, {"status": "accepted", "remote_start_id": 4711, "ocpp_transaction_id": "abc"}
    )


def test_a_refusal_tells_the_chargers_reason() -> None:
    ending = ended(
        "unlock", {}, {"status": "UnlockFailed", "statusInfo": {"reasonCode": "Jammed", "additionalInfo": "ice"}}
    )
    assert ending == Ending(
        Outcome.REJECTED,
        "UnlockFailed: Jammed ice",
        {"status": "unlock_failed", "status_info": {"reason_code": "Jammed", "additional_info": "ice"}},
    )


def variable_result(name: str, status: str, **fields: Any) -> dict[str, Any]:
    return {"attributeStatus": status, "component": {"name": "C"}, "variable": {"name": name}, **fields}


def neutral_result(name: str, status: str, **fields: Any) -> dict[str, Any]:
    return {
        "component": "C",
        "component_instance": None,
        "evse_id": None,
        "connector_id": None,
        "variable": name,
        "variable_instance": None,
        "status": status,
        **fields,
    }


WANTED = {"variables": [{"component": "C", "variable": "A"}, {"component": "C", "variable": "B"}]}


def test_variables_read() -> None:
    ending = ended(
        "get_variables",
        WANTED,
        {
            "getVariableResult": [
                variable_result("A", "Accepted", attributeValue="1"),
                variable_result("B", "UnknownVariable"),
            ]
        },
    )
    assert ending == Ending(
        Outcome.ACCEPTED,
        "UnknownVariable",
        {
            "variables": [neutral_result("A", "accepted", attribute="Actual", value="1")],
            "unknown": [neutral_result("B", "unknown_variable")],
        },
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"getVariableResult": [variable_result("A", "Rejected")]}, "Rejected"),
        ({"getVariableResult": [variable_result("A", "UnknownComponent")] * 2}, "UnknownComponent"),
        ({"getVariableResult": "junk"}, "the answer names no variable"),
        ({}, "the answer names no variable"),
    ],
)
def test_where_no_variable_could_be_read_the_command_was_rejected(answer: dict[str, Any], reason: str) -> None:
    ending = ended("get_variables", WANTED, answer)
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, reason)


def test_variables_set() -> None:
    wanted = {"variables": [{**variable, "value": "1"} for variable in WANTED["variables"]]}
    both = [variable_result("A", "RebootRequired"), variable_result("B", "Accepted", attributeType="Target")]
    ending = ended("set_variables", wanted, {"setVariableResult": both})
    assert ending == Ending(
        Outcome.ACCEPTED,
        "C.A: RebootRequired",
        {
            "variables": [
                neutral_result("A", "reboot_required", attribute="Actual"),
                neutral_result("B", "accepted", attribute="Target"),
            ]
        },
    )
    both[1] = variable_result("B", "Rejected")
    assert ended("set_variables", wanted, {"setVariableResult": both}).outcome is Outcome.REJECTED
    assert ended("set_variables", wanted, {}).outcome is Outcome.REJECTED

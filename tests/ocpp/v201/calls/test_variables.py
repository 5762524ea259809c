"""Variables of the device model of OCPP 2.0.1: read, set, reported."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.profile import Call, Ending, Station
from gateway.ocpp.v201.profile import PROFILE
from tests.ocpp.dialogue import Desk

DESK = Desk(PROFILE, Station([], next_id=lambda: 4711))
WANTED = {"variables": [{"component": "C", "variable": "A"}, {"component": "C", "variable": "B"}]}
POWER = {"component": "EVSE", "variable": "Power", "evse_id": 1}


def result(name: str, status: str, **fields: Any) -> dict[str, Any]:
    return {"attributeStatus": status, "component": {"name": "C"}, "variable": {"name": name}, **fields}


def neutral(name: str, status: str, **fields: Any) -> dict[str, Any]:
    return {
        "component": "C",
        "component_instance": None,
        "evse_id": None,
        "connector_id": None,
        "variable": name,
        "variable_instance": None,
        "key": None,
        "status": status,
        **fields,
    }


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        (
            "get_variables",
            {"variables": [{**POWER, "attribute": "MaxSet"}]},
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
            "get_variables",
            {"variables": [{"variable": "transactionmessageattempts"}]},
            Call(
                "GetVariables",
                {
                    "getVariableData": [
                        {
                            "component": {"name": "OCPPCommCtrlr"},
                            "variable": {"name": "MessageAttempts", "instance": "TransactionEvent"},
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
        ("get_report", {}, Call("GetBaseReport", {"requestId": 4711, "reportBase": "FullInventory"})),
        (
            "get_report",
            {"base": "configuration"},
            Call("GetBaseReport", {"requestId": 4711, "reportBase": "ConfigurationInventory"}),
        ),
        (
            "get_report",
            {"criteria": ["problem"], "variables": [POWER, {"component": "EVSE"}]},
            Call(
                "GetReport",
                {
                    "requestId": 4711,
                    "componentCriteria": ["Problem"],
                    "componentVariable": [
                        {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}},
                        {"component": {"name": "EVSE"}},
                    ],
                },
            ),
        ),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert DESK.calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments", "error", "told"),
    [
        ("get_variables", {}, CommandUnsupported, "get_report"),
        ("get_variables", {"variables": [{"variable": "BlinkRepeat"}]}, CommandInvalid, "OCPPCommCtrlr"),
        ("set_variables", {"variables": [{"variable": "V", "value": "1"}]}, CommandInvalid, "component"),
        (
            "set_variables",
            {"variables": [{"component": "C", "variable": "V", "value": "1" * 1001}]},
            CommandInvalid,
            "1000",
        ),
        ("get_report", {"base": "full", "criteria": ["problem"]}, CommandInvalid, "either"),
        ("get_report", {"variables": [{}]}, CommandInvalid, "component"),
    ],
)
def test_what_2_0_1_cannot_carry_is_refused(
    command: str, arguments: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        DESK.calls(command, **arguments)


def test_variables_read() -> None:
    answer = {
        "getVariableResult": [result("A", "Accepted", attributeValue="1"), result("B", "UnknownVariable")],
    }
    assert DESK.ended("get_variables", WANTED, answer) == Ending(
        Outcome.ACCEPTED,
        "UnknownVariable",
        {
            "variables": [neutral("A", "accepted", attribute="Actual", value="1", readonly=None)],
            "unknown": [neutral("B", "unknown_variable")],
        },
    )


def test_a_standard_variable_bears_its_key_of_1_6() -> None:
    found = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
    answer = {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "300", **found}]}
    ending = DESK.ended("get_variables", {"variables": [{"variable": "HeartbeatInterval"}]}, answer)
    assert ending.result is not None
    assert ending.result["variables"][0]["key"] == "HeartbeatInterval"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"getVariableResult": [result("A", "Rejected")]}, "Rejected"),
        ({"getVariableResult": [result("A", "UnknownComponent")] * 2}, "UnknownComponent"),
        ({"getVariableResult": "junk"}, "the answer names no variable"),
        ({}, "the answer names no variable"),
    ],
)
def test_where_no_variable_could_be_read_the_command_was_rejected(answer: dict[str, Any], reason: str) -> None:
    ending = DESK.ended("get_variables", WANTED, answer)
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, reason)


def test_variables_set() -> None:
    wanted = {"variables": [{**variable, "value": "1"} for variable in WANTED["variables"]]}
    both = [result("A", "RebootRequired"), result("B", "Accepted", attributeType="Target")]
    assert DESK.ended("set_variables", wanted, {"setVariableResult": both}) == Ending(
        Outcome.ACCEPTED,
        "C.A: RebootRequired",
        {
            "variables": [
                neutral("A", "reboot_required", attribute="Actual"),
                neutral("B", "accepted", attribute="Target"),
            ]
        },
    )
    both[1] = result("B", "Rejected")
    assert DESK.ended("set_variables", wanted, {"setVariableResult": both}).outcome is Outcome.REJECTED
    assert DESK.ended("set_variables", wanted, {}).outcome is Outcome.REJECTED


def test_what_was_read_in_several_calls_is_one_result() -> None:
    wanted = {"variables": [{"component": "C", "variable": f"V{number}"} for number in range(60)]}
    first, *rest = [{"getVariableResult": [result(name, "Accepted", attributeValue="1")]} for name in ("A", "B", "C")]
    no_limit: dict[str, Any] = {"getVariableResult": []}
    ending = DESK.ended("get_variables", wanted, first, no_limit, *rest)
    assert ending.result is not None
    assert [found["variable"] for found in ending.result["variables"]] == ["A", "B", "C"]

"""Configuration keys of OCPP 1.6 by the naming of the device model."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.endings import neutral
from gateway.ocpp.profile import Call, Ending, Station
from gateway.ocpp.v16.profile import PROFILE
from tests.ocpp.dialogue import Desk

DESK = Desk(PROFILE, Station([], next_id=lambda: 1))
INTERVAL = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}


def reference(key: str, component: str | None = None, variable: str | None = None) -> dict[str, Any]:
    return {
        "component": component,
        "component_instance": None,
        "evse_id": None,
        "connector_id": None,
        "variable": variable or key,
        "variable_instance": None,
        "key": key,
    }


@pytest.mark.parametrize(
    ("arguments", "payload"),
    [
        ({}, {}),
        ({"variables": [{"variable": "K"}]}, {"key": ["K"]}),
        ({"variables": [INTERVAL]}, {"key": ["HeartbeatInterval"]}),
        (
            {"variables": [{"component": "sampleddatactrlr", "variable": "TXUPDATEDINTERVAL"}]},
            {"key": ["MeterValueSampleInterval"]},
        ),
        (
            {"variables": [{"component": "OCPPCommCtrlr", "variable": "MessageAttempts"}]},
            {"key": ["TransactionMessageAttempts"]},
        ),
        ({"variables": [{"component": "Vendor", "variable": "K"}, {"variable": "K"}]}, {"key": ["K"]}),
    ],
)
def test_a_variable_is_asked_for_by_its_key(arguments: dict[str, Any], payload: dict[str, Any]) -> None:
    assert DESK.calls("get_variables", **arguments) == [Call("GetConfiguration", payload)]


@pytest.mark.parametrize(
    ("command", "arguments", "error"),
    [
        ("get_variables", {"variables": [{"variable": "K", "attribute": "Target"}]}, CommandUnsupported),
        ("set_variables", {"variables": [{"variable": "K" * 51, "value": ""}]}, CommandInvalid),
        ("set_variables", {"variables": [{"variable": "K", "value": "x" * 501}]}, CommandInvalid),
        ("get_report", {"criteria": ["problem"]}, CommandUnsupported),
        ("get_report", {"base": "summary"}, CommandUnsupported),
        ("get_report", {"base": "full", "variables": [INTERVAL]}, CommandInvalid),
        ("get_report", {"variables": [{"component": "EVSE"}]}, CommandUnsupported),
    ],
)
def test_what_1_6_cannot_carry_is_refused(command: str, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        DESK.calls(command, **arguments)


def test_variables_read() -> None:
    wanted = {"variables": [{"variable": "A"}, INTERVAL, {"variable": "B"}]}
    answer = {
        "configurationKey": [
            {"key": "A", "readonly": True, "value": "1"},
            {"key": "heartbeatinterval", "readonly": False, "value": "300"},
        ],
        "unknownKey": ["B"],
    }
    found = {"attribute": "Actual", "status": "accepted"}
    assert DESK.ended("get_variables", wanted, answer) == Ending(
        Outcome.ACCEPTED,
        None,
        {
            "variables": [
                {**reference("A"), **found, "value": "1", "readonly": True},
                {
                    **reference("heartbeatinterval", "OCPPCommCtrlr", "HeartbeatInterval"),
                    **found,
                    "value": "300",
                    "readonly": False,
                },
            ],
            "unknown": [{**reference("B"), "status": "unknown_variable"}],
        },
    )
    refused = DESK.ended("get_variables", wanted, {"unknownKey": ["A", "B"]})
    assert (refused.outcome, refused.reason) == (Outcome.REJECTED, "UnknownKey")
    assert DESK.ended("get_variables", {}, {}).outcome is Outcome.ACCEPTED


def test_words_are_those_of_2_x_both_ways() -> None:
    unit = {"component": "SmartChargingCtrlr", "variable": "RateUnit"}
    key = "ChargingScheduleAllowedChargingRateUnit"
    (call,) = DESK.calls("set_variables", variables=[{**unit, "value": "A, W"}])
    assert call.payload == {"key": key, "value": "Current,Power"}
    ending = DESK.ended(
        "get_variables",
        {"variables": [unit]},
        {"configurationKey": [{"key": key, "readonly": False, "value": "Current"}]},
    )
    assert ending.result is not None
    assert ending.result["variables"][0]["value"] == "A"


def test_each_key_is_set_by_a_call_of_its_own() -> None:
    wanted = {"variables": [{"variable": "A", "value": "1"}, {**INTERVAL, "value": "2"}]}
    assert DESK.calls("set_variables", **wanted) == [
        Call("ChangeConfiguration", {"key": "A", "value": "1"}),
        Call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "2"}),
    ]
    ending = DESK.ended("set_variables", wanted, {"status": "RebootRequired"}, {"status": "NotSupported"})
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "A: RebootRequired; HeartbeatInterval: NotSupported")
    assert ending.result is not None
    assert [entry["status"] for entry in ending.result["variables"]] == ["reboot_required", "not_supported"]
    assert [entry["component"] for entry in ending.result["variables"]] == [None, "OCPPCommCtrlr"]
    alone = DESK.ended("set_variables", {"variables": [{"variable": "A", "value": "1"}]}, {"status": "RebootRequired"})
    assert (alone.outcome, alone.reason) == (Outcome.ACCEPTED, "RebootRequired")


def test_a_secret_that_is_set_is_not_in_the_result() -> None:
    wanted = {"variables": [{"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "s3cret"}]}
    (call,) = DESK.calls("set_variables", **wanted)
    assert call.payload == {"key": "AuthorizationKey", "value": "s3cret"}
    assert "s3cret" not in repr(DESK.ended("set_variables", wanted, {"status": "Rejected"}))


def test_a_report_has_the_shape_of_2_x() -> None:
    assert DESK.calls("get_report", base="full") == [Call("GetConfiguration", {})]
    assert DESK.calls("get_report", variables=[INTERVAL]) == [Call("GetConfiguration", {"key": ["HeartbeatInterval"]})]
    ending = DESK.ended("get_report", {}, {"configurationKey": [{"key": "K", "readonly": True, "value": "1"}]})
    attribute = {"type": "Actual", "value": "1", "mutability": "read_only", "persistent": None, "constant": None}
    assert ending == Ending(
        Outcome.ACCEPTED,
        None,
        {
            "status": "accepted",
            "request_id": None,
            "variables": [{**reference("K"), "attributes": [attribute], "characteristics": None}],
            "unknown": [],
        },
    )


UNKNOWN = [
    # a variable, and why 1.6 has no key for it
    ({"component": "X", "variable": "HeartbeatInterval"}, "UnknownComponent"),
    ({"component": "TxCtrlr", "variable": "HeartbeatInterval"}, "UnknownVariable"),
    ({"component": "OCPPCommCtrlr", "variable": "MessageAttempts", "variable_instance": "Other"}, "UnknownVariable"),
    ({"component": "Vendor", "variable": "K"}, "UnknownComponent"),
]


@pytest.mark.parametrize(("variable", "reason"), UNKNOWN)
def test_a_variable_of_a_wrong_component_is_rejected_and_not_sent(variable: dict[str, Any], reason: str) -> None:
    told = {**dict.fromkeys(reference("K")), **variable, "status": neutral(reason)}
    for command, name in (("get_variables", "unknown"), ("get_report", "unknown"), ("set_variables", "variables")):
        wanted = {**variable, **({"value": "1"} if command == "set_variables" else {})}
        assert DESK.calls(command, variables=[wanted]) == []
        ending = DESK.ended(command, {"variables": [wanted]})
        assert (ending.outcome, ending.reason, ending.acted) == (Outcome.REJECTED, reason, False)
        assert ending.result is not None
        assert ending.result[name] == [told | ({"attribute": "Actual"} if command == "set_variables" else {})]


def test_the_others_are_set_where_one_is_unknown() -> None:
    wanted = [{"component": "X", "variable": "A", "value": "1"}, {**INTERVAL, "value": "2"}]
    assert DESK.calls("set_variables", variables=wanted) == [
        Call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "2"})
    ]
    ending = DESK.ended("set_variables", {"variables": wanted}, {"status": "Accepted"})
    assert (ending.outcome, ending.reason, ending.acted) == (Outcome.REJECTED, "X.A: UnknownComponent", True)
    assert ending.result is not None
    assert [(found["component"], found["status"]) for found in ending.result["variables"]] == [
        ("X", "unknown_component"),
        ("OCPPCommCtrlr", "accepted"),
    ]

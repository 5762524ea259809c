"""Long lists in portions: no call has more items than the station has said that it takes."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.ocpp.profile import Answered, Call, Refused, Station
from gateway.ocpp.profiles import PROFILES
from tests.ocpp.dialogue import Answer, Desk

DESK = Desk(PROFILES["ocpp2.0.1"], Station([], lambda: 4711))

MONITOR = {"component": "C", "variable": "V", "type": "delta", "value": 1, "severity": 5}
LISTS: dict[str, tuple[str, list[Any], str, str, str]] = {
    # command → its argument, the items, the action and field that they travel in, the component that tells the limit
    "get_variables": (
        "variables",
        [{"component": "C", "variable": f"V{number}"} for number in range(11)],
        "GetVariables",
        "getVariableData",
        "DeviceDataCtrlr",
    ),
    "set_variables": (
        "variables",
        [{"component": "C", "variable": f"V{number}", "value": "1"} for number in range(11)],
        "SetVariables",
        "setVariableData",
        "DeviceDataCtrlr",
    ),
    "set_monitoring": ("monitors", [MONITOR] * 11, "SetVariableMonitoring", "setMonitoringData", "MonitoringCtrlr"),
    "clear_monitoring": ("ids", list(range(11)), "ClearVariableMonitoring", "id", "MonitoringCtrlr"),
}


def talk(command: str, count: int, limit: str | None) -> list[int]:
    """The sizes of the calls for so many items, where the station tells this limit; 0 is the question for it."""
    argument, items, action, field, component = LISTS[command]
    asked = {"component": {"name": component}, "variable": {"name": "ItemsPerMessage", "instance": action}}

    def is_question(call: Call) -> bool:
        return call.payload.get("getVariableData") == [asked]

    def answer(call: Call) -> Answer:
        if not is_question(call):
            return Answered({})
        if limit is None:
            return Refused("NotSupported", "not_supported")
        return Answered({"getVariableResult": [{**asked, "attributeStatus": "Accepted", "attributeValue": limit}]})

    calls, _ = DESK.talk(command, {argument: items[:count]}, answer)
    return [0 if is_question(call) else len(call.payload[field]) for call in calls]


@pytest.mark.parametrize(
    ("command", "count", "limit", "sizes"),
    [
        ("get_variables", 4, "2", [4]),
        ("get_variables", 11, "3", [4, 0, 3, 3, 1]),
        ("get_variables", 11, None, [4, 0, 7]),
        ("set_variables", 4, "2", [4]),
        ("set_variables", 11, "5", [0, 5, 5, 1]),
        ("set_variables", 11, None, [0, 11]),
        ("set_variables", 11, "many", [0, 11]),
        ("set_variables", 11, "0", [0, 11]),
        ("set_monitoring", 1, "1", [1]),
        ("set_monitoring", 3, "2", [0, 2, 1]),
        ("clear_monitoring", 1, "1", [1]),
        ("clear_monitoring", 8, "3", [0, 3, 3, 2]),
    ],
)
def test_no_call_has_more_items_than_the_station_takes(
    command: str, count: int, limit: str | None, sizes: list[int]
) -> None:
    assert talk(command, count, limit) == sizes


def test_a_limit_among_the_variables_that_are_read_is_heeded_at_once() -> None:
    """B06.FR.05."""
    limit = {"component": "DeviceDataCtrlr", "variable": "ItemsPerMessage", "variable_instance": "GetVariables"}

    def answer(call: Call) -> Answer:
        items = [
            {**item, "attributeStatus": "Accepted", "attributeValue": "2"} for item in call.payload["getVariableData"]
        ]
        return Answered({"getVariableResult": items})

    variables = [limit, *LISTS["get_variables"][1][:8]]
    calls, ending = DESK.talk("get_variables", {"variables": variables}, answer)
    assert [len(call.payload["getVariableData"]) for call in calls] == [4, 2, 2, 1]
    assert ending.result is not None
    assert len(ending.result["variables"]) == 9


def test_a_portion_that_is_refused_ends_the_command_and_tells_what_was_done_before() -> None:
    done, no = Answered({"clearMonitoringResult": []}), Refused("InternalError", "internal_error")
    answers: Iterator[Answer] = iter([Answered({}), done, no])
    _, ending = DESK.talk("clear_monitoring", {"ids": list(range(60))}, lambda call: next(answers))
    assert (ending.outcome, ending.acted) == (Outcome.ERROR, True)


def test_the_results_of_all_portions_are_one() -> None:
    first = {"clearMonitoringResult": [{"id": 1, "status": "Accepted"}]}
    second = {"clearMonitoringResult": [{"id": 2, "status": "NotFound"}]}
    limit = {
        "component": {"name": "MonitoringCtrlr"},
        "variable": {"name": "ItemsPerMessage", "instance": "ClearVariableMonitoring"},
        "attributeStatus": "Accepted",
        "attributeValue": "1",
    }
    ending = DESK.ended("clear_monitoring", {"ids": [1, 2]}, {"getVariableResult": [limit]}, first, second)
    assert (ending.outcome, ending.reason, ending.acted) == (Outcome.REJECTED, "2: NotFound", True)
    assert ending.result == {"monitors": [{"id": 1, "status": "accepted"}, {"id": 2, "status": "not_found"}]}

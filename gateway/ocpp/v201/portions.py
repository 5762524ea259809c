"""Long lists in portions that a station takes: it tells in ItemsPerMessage how many items a call may have.

B05.FR.11, B06.FR.05, N04.FR.09, N06.FR.04: no more than the station has reported.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from gateway.ocpp.batches import ITEMS_PER_CALL
from gateway.ocpp.endings import items, refused
from gateway.ocpp.fields import mapping, to_integer
from gateway.ocpp.profile import Answered, Call, Conversation, Dialogue, Notes, Outbound, Refused, Station

_ASKING = "GetVariables"
_VARIABLE = "ItemsPerMessage"


@dataclass(frozen=True, slots=True)
class Portions:
    """The list of a call that is cut: its field, the component that tells the limit, and how many items go out before
    that is asked for."""

    field: str
    component: str
    unasked: int


VARIABLES_READ = Portions("getVariableData", "DeviceDataCtrlr", unasked=4)
VARIABLES_SET = Portions("setVariableData", "DeviceDataCtrlr", unasked=4)
MONITORS_SET = Portions("setMonitoringData", "MonitoringCtrlr", unasked=1)
MONITORS_CLEARED = Portions("id", "MonitoringCtrlr", unasked=1)


def in_portions(row: Outbound, portions: Portions) -> Conversation:
    """The same row, its list sent in as many calls as the station needs, one after the other."""

    def talk(arguments: dict[str, Any], station: Station) -> Dialogue:
        calls = row.calls(arguments, station)
        waiting = [item for call in calls for item in call.payload[portions.field]]
        return _portioned(row, portions, calls[0].action, waiting)

    return Conversation(talk, tuple(dict.fromkeys((*row.actions, _ASKING))), row.follow)


def _portioned(row: Outbound, portions: Portions, action: str, waiting: list[Any]) -> Dialogue:
    limit: int | None = None
    calls: list[Call] = []
    answers: list[Answered] = []
    while waiting:
        # Reading does no harm, so that it begins with a few, among which the limit itself may be.
        may_begin = action == _ASKING and not calls
        if limit is None and len(waiting) > portions.unasked and not may_begin:
            limit = yield from _asked(portions, action)
        size = limit or portions.unasked
        call = Call(action, {portions.field: waiting[:size]})
        answer = yield call
        if isinstance(answer, Refused):
            return refused(answer, after=len(answers))
        calls.append(call)
        answers.append(answer)
        del waiting[:size]
        if action == _ASKING and limit is None:
            limit = _limit(answer, portions, action)
    return row.ending(calls, answers)


def _asked(portions: Portions, action: str) -> Generator[Call, Answered | Refused, int]:
    """How many items the station takes in a call; where it does not say, more than any command has need of."""
    variable = {"name": _VARIABLE, "instance": action}
    answer = yield Call(
        _ASKING, {"getVariableData": [{"component": {"name": portions.component}, "variable": variable}]}
    )
    found = _limit(answer, portions, action) if isinstance(answer, Answered) else None
    return ITEMS_PER_CALL if found is None else found


def _limit(answer: Answered, portions: Portions, action: str) -> int | None:
    """The limit among the variables that an answer tells; None where it is not there."""
    for item in items([answer], "getVariableResult"):
        component, variable = mapping(item, "component", Notes()), mapping(item, "variable", Notes())
        named = component.get("name"), variable.get("name"), variable.get("instance")
        if named == (portions.component, _VARIABLE, action):
            limit = to_integer(item.get("attributeValue"))
            return limit if limit is not None and limit > 0 else None
    return None

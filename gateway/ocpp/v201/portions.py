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
ITEMS = "ItemsPerMessage"
BYTES = "BytesPerMessage"


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
            limit = (yield from station_limit(portions.component, action)) or ITEMS_PER_CALL
        size = limit or portions.unasked
        call = Call(action, {portions.field: waiting[:size]})
        answer = yield call
        if isinstance(answer, Refused):
            return refused(answer, after=len(answers))
        calls.append(call)
        answers.append(answer)
        del waiting[:size]
        if action == _ASKING and limit is None:
            limit = _told(answer, portions.component, action)
    return row.ending(calls, answers)


def station_limit(
    component: str, instance: str | None = None, name: str = ITEMS
) -> Generator[Call, Answered | Refused, int | None]:
    """Ask for a limit of the station; None where it does not say."""
    variable = {"name": name} if instance is None else {"name": name, "instance": instance}
    answer = yield Call(_ASKING, {"getVariableData": [{"component": {"name": component}, "variable": variable}]})
    return _told(answer, component, instance, name) if isinstance(answer, Answered) else None


def _told(answer: Answered, component: str, instance: str | None, name: str = ITEMS) -> int | None:
    """The limit among the variables that an answer tells; None where it is not there."""
    for item in items([answer], "getVariableResult"):
        found, variable = mapping(item, "component", Notes()), mapping(item, "variable", Notes())
        if (found.get("name"), variable.get("name"), variable.get("instance")) == (component, name, instance):
            limit = to_integer(item.get("attributeValue"))
            return limit if limit is not None and limit > 0 else None
    return None

"""Starts that wait for their EV: asked for while none was plugged in, and given again once one is.

A charger holds a remote start for a while by itself (OCPP 1.6 ConnectionTimeOut, 2.x TxCtrlr.EVConnectionTimeOut), so
that it is not given again while it may still count there: the transaction that it causes begins by itself.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.core.charger_state import AwaitedStart
from gateway.core.clock import instant, rfc3339
from gateway.core.connector_state import ConnectorState
from gateway.core.draft import Draft, Place
from gateway.core.transaction import TransactionRecord

ECHO = 5.0
"""Seconds in which a status may be a charger's answer to the remote start itself: OCPP 1.6 says `Preparing` to both."""
BEGINS_WITHIN = 15.0
"""Seconds in which a charger that holds a start begins its transaction, once an EV is plugged in."""
HELD_FOR = 150.0
"""Seconds after which no charger holds a start any more."""
AGAIN_AFTER = 30.0
"""Seconds between two tries while the EV stays plugged in."""
MOST_TRIES = 3
"""Tries for one EV; the next one that is plugged in has its own."""

_BUSY = frozenset(("charging", "suspended_ev", "suspended_evse"))
"""Statuses of a connector that needs no start, whether or not its transaction is known."""
_WRONG_BY = 300.0
"""Seconds by which a charger's clock may be wrong."""
_KEPT_COME_WITHIN = 120.0
"""Seconds after its connection in which a charger sends what it kept."""


def due_at(start: AwaitedStart) -> float | None:
    """When it is to be given to the charger again, now that an EV is plugged in; None for never."""
    held, plugged = start["held_since"], start["plugged_at"]
    if start["tries"] >= MOST_TRIES:
        return None
    if held is None:
        return start["tried_at"] + AGAIN_AFTER if start["tries"] else start["asked_at"]
    lapses = held + HELD_FOR
    return lapses if plugged is None or plugged <= held + ECHO else min(lapses, plugged + BEGINS_WITHIN)


def due(
    awaited: Mapping[str, AwaitedStart], connectors: Mapping[Place, ConnectorState], now: float
) -> AwaitedStart | None:
    """One that is to be given to the charger now; None where there is none."""
    for start in awaited.values():
        at = None if start["withdrawn"] else due_at(start)
        there = [state for place, state in connectors.items() if place[0] == start["evse_id"]]
        plugged = any(state["plugged"] for state in there) and not any(state["status"] in _BUSY for state in there)
        if plugged and at is not None and at <= now:
            return start
    return None


def waiting(awaited: Mapping[str, AwaitedStart]) -> list[int]:
    """The EVSEs on which a start waits for its EV."""
    return [start["evse_id"] for start in awaited.values() if not start["withdrawn"]]


def unwanted(awaited: Mapping[str, AwaitedStart]) -> tuple[int, str] | None:
    """EVSE and id of a transaction whose start had been withdrawn, so that it is to be stopped."""
    found = ((start["evse_id"], start["unwanted"]) for start in awaited.values())
    return next(((evse_id, known) for evse_id, known in found if known is not None), None)


# ---------------------------------------------------------------- changes


def put(draft: Draft, command_id: str, evse_id: int, arguments: dict[str, Any], *, held: bool) -> None:
    """Have a start wait, in the place of any other of its EVSE; `held` by the charger, too.

    Not where its transaction has begun meanwhile.
    """
    if held and all(one["command_id"] != command_id for one in draft.known()["expected"]):
        return
    if any(record["evse_id"] == evse_id and is_authorized(record) for record in draft.active()):
        return
    draft.memory()["awaited"][str(evse_id)] = {
        "command_id": command_id,
        "evse_id": evse_id,
        "arguments": arguments,
        "asked_at": draft.now,
        "held_since": draft.now if held else None,
        "plugged_at": None,
        "tries": 1,
        "tried_at": draft.now,
        "withdrawn": False,
        "unwanted": None,
    }
    show(draft, evse_id)


def forget(draft: Draft, evse_ids: Iterable[int]) -> None:
    """No start waits there any more."""
    for evse_id in evse_ids:
        if str(evse_id) in draft.known()["awaited"]:
            del draft.memory()["awaited"][str(evse_id)]
            show(draft, evse_id)


def withdraw(draft: Draft, evse_ids: Iterable[int]) -> None:
    """The starts that wait there shall not be given again; what the charger begins by one that it holds shall end."""
    for evse_id in evse_ids:
        start = draft.known()["awaited"].get(str(evse_id))
        if start is None or start["held_since"] is None or start["held_since"] + HELD_FOR <= draft.now:
            forget(draft, [evse_id])
        else:
            _amend(draft, start, withdrawn=True)
            show(draft, evse_id)


def show(draft: Draft, evse_id: int) -> None:
    """Show on the connectors of an EVSE whether a start waits there."""
    start = draft.known()["awaited"].get(str(evse_id))
    waits = start is not None and not start["withdrawn"]
    for place in [place for place in draft.places() if place[0] == evse_id]:
        state = draft.connector(place)
        if state is not None:
            state["start_requested"] = waits


def tried(draft: Draft, evse_id: int, *, held: bool) -> None:
    """It was given to the charger again, which holds it now, or may, or certainly does not."""
    start = draft.known()["awaited"].get(str(evse_id))
    if start is not None:
        _amend(draft, start, tries=start["tries"] + 1, tried_at=draft.now, held_since=draft.now if held else None)


def plugged(draft: Draft, evse_id: int, *, before: bool | None, now: bool | None) -> None:
    """A connector reports whether an EV is plugged in."""
    start = draft.known()["awaited"].get(str(evse_id))
    if start is None:
        return
    if now and not before:
        _amend(draft, start, plugged_at=draft.now, tries=0)
    elif before and now is False:
        # Where the EV did not come, this is how OCPP 1.6 says that the start has lapsed.
        _amend(draft, start, plugged_at=None, held_since=None, tries=0)


def rebooted(draft: Draft) -> None:
    """The charger has restarted: it holds no start any more."""
    for start in [*draft.known()["awaited"].values()]:
        if start["withdrawn"] and start["unwanted"] is None:
            forget(draft, [start["evse_id"]])
        else:
            _amend(draft, start, held_since=None, tries=0)


def begun(draft: Draft, record: TransactionRecord) -> None:
    """A transaction runs: it ends the waiting on its EVSE, unless nobody has authorized it, or it is an old one that
    the charger had kept while it was offline."""
    start = draft.known()["awaited"].get(str(record["evse_id"]))
    if start is None or not is_authorized(record):
        return
    if record["command_id"] != start["command_id"]:
        if not _was_kept(draft, record, start):
            forget(draft, [start["evse_id"]])
    elif start["withdrawn"]:
        _amend(draft, start, unwanted=record["id"])
    else:
        forget(draft, [start["evse_id"]])


def _was_kept(draft: Draft, record: TransactionRecord, start: AwaitedStart) -> bool:
    """A clock that is wrong says the same, but at any time, and not only when a charger has just connected."""
    began, connected = record["started_at"], draft.connected_at
    return (
        began is not None
        and began < rfc3339(start["asked_at"] - _WRONG_BY)
        and connected is not None
        and draft.now_text < rfc3339(instant(connected) + _KEPT_COME_WITHIN)
    )


def is_authorized(record: TransactionRecord) -> bool:
    """Somebody has authorized it. In OCPP 2.x one may begin when the EV is plugged in, and wait for that."""
    return record["token"] is not None or (record["charging_state"] or "").lower() == "charging"


def _amend(draft: Draft, start: AwaitedStart, **changes: Any) -> None:
    draft.memory()["awaited"][str(start["evse_id"])] = {**start, **changes}  # type: ignore[typeddict-item]

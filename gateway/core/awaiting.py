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
"""Seconds after which hardly a charger holds a start any more."""
GONE_AFTER = 86_400.0
"""Seconds after which a charger certainly begins nothing any more by a start that was withdrawn."""
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
        at = due_at(start) if _waits(start) else None
        there = [state for place, state in connectors.items() if place[0] == start["evse_id"]]
        plugged = any(state["plugged"] for state in there) and not any(state["status"] in _BUSY for state in there)
        if plugged and at is not None and at <= now:
            return start
    return None


def waiting(awaited: Mapping[str, AwaitedStart]) -> list[int]:
    """The EVSEs on which a start waits for its EV."""
    return [start["evse_id"] for start in awaited.values() if _waits(start)]


def withdrawable(awaited: Mapping[str, AwaitedStart]) -> list[int]:
    """The EVSEs on which a start waits, or is under way, or may have been taken."""
    return [start["evse_id"] for start in awaited.values() if not start["withdrawn"]]


def is_stale(start: AwaitedStart, now: float) -> bool:
    """Neither does it wait, nor can anything come of it any more."""
    over = (start["held_since"] or start["asked_at"]) + GONE_AFTER <= now
    return over and not _waits(start) and start["unwanted"] is None


def _waits(start: AwaitedStart) -> bool:
    return not start["withdrawn"] and not start.get("unclear", False)


def unwanted(awaited: Mapping[str, AwaitedStart]) -> tuple[int, str] | None:
    """EVSE and id of a transaction whose start had been withdrawn, so that it is to be stopped."""
    found = ((start["evse_id"], start["unwanted"]) for start in awaited.values())
    return next(((evse_id, known) for evse_id, known in found if known is not None), None)


# ---------------------------------------------------------------- changes


def ask(draft: Draft, command_id: str, evse_id: int, arguments: dict[str, Any]) -> None:
    """A start that may wait is on its way: from now on the charger may hold it, and it can be withdrawn."""
    if _runs(draft, evse_id):
        return
    before = draft.known()["awaited"].get(str(evse_id))
    start = _new(draft, command_id, evse_id, arguments, held_since=draft.now)
    start["unclear"] = True
    if before is not None:
        start["held_before"], start["withdrawn_before"] = before["held_since"], before["withdrawn"]
    draft.memory()["awaited"][str(evse_id)] = start


def put(draft: Draft, command_id: str, evse_id: int, arguments: dict[str, Any], *, held: bool) -> None:
    """Have a start wait, in the place of any other of its EVSE; `held` by the charger, too.

    Not where its transaction has begun meanwhile. One that was withdrawn meanwhile waits for nothing, either.
    """
    known = draft.known()["awaited"].get(str(evse_id))
    if known is not None and known["command_id"] != command_id and known.get("unclear"):
        # A later one is on its way, whose answer counts.
        _amend(draft, known, held_before=draft.now if held else known.get("held_before"))
        return
    if held and all(one["command_id"] != command_id for one in draft.known()["expected"]):
        return
    if _runs(draft, evse_id):
        return
    mine = known if known is not None and known["command_id"] == command_id else None
    withdrawn = mine is not None and mine["withdrawn"]
    if withdrawn and not held:
        refused(draft, command_id, evse_id)
        return
    # The charger may still hold the one before.
    since = draft.now if held else None if mine is None else mine.get("held_before")
    start = _new(draft, command_id, evse_id, arguments, held_since=since)
    draft.memory()["awaited"][str(evse_id)] = {**start, "withdrawn": withdrawn}
    show(draft, evse_id)


def refused(draft: Draft, command_id: str, evse_id: int) -> None:
    """The charger certainly did not take it, and it does not wait; the one before may be held still."""
    start = draft.known()["awaited"].get(str(evse_id))
    if start is None or start["command_id"] != command_id:
        return
    held = start.get("held_before")
    if held is None:
        forget(draft, [evse_id])
        return
    withdrawn = start["withdrawn"] or start.get("withdrawn_before", False)
    _amend(draft, start, held_since=held, unclear=True, withdrawn=withdrawn)
    show(draft, evse_id)


def spare(draft: Draft, evse_ids: Iterable[int]) -> None:
    """Another start is on its way there: what begins now is not unwanted, though a start there had been withdrawn."""
    for evse_id in evse_ids:
        start = draft.known()["awaited"].get(str(evse_id))
        if start is not None and start["withdrawn"] and start["unwanted"] is None:
            _amend(draft, start, withdrawn=False, unclear=True)


def replaced(draft: Draft, evse_ids: Iterable[int]) -> None:
    """Another start took the place of those there, unless they were withdrawn after it."""
    known = draft.known()["awaited"]
    forget(draft, [one for one in evse_ids if str(one) in known and not known[str(one)]["withdrawn"]])


def _runs(draft: Draft, evse_id: int) -> bool:
    return any(record["evse_id"] == evse_id and is_authorized(record) for record in draft.active())


def _new(
    draft: Draft, command_id: str, evse_id: int, arguments: dict[str, Any], *, held_since: float | None
) -> AwaitedStart:
    return {
        "command_id": command_id,
        "evse_id": evse_id,
        "arguments": arguments,
        "asked_at": draft.now,
        "held_since": held_since,
        "plugged_at": None,
        "tries": 1,
        "tried_at": draft.now,
        "withdrawn": False,
        "unwanted": None,
    }


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
        if start is None or start["held_since"] is None:
            forget(draft, [evse_id])
        else:
            _amend(draft, start, withdrawn=True)
            show(draft, evse_id)


def show(draft: Draft, evse_id: int) -> None:
    """Show on the connectors of an EVSE whether a start waits there."""
    start = draft.known()["awaited"].get(str(evse_id))
    waits = start is not None and _waits(start)
    for place in [place for place in draft.places() if place[0] == evse_id]:
        state = draft.connector(place)
        if state is not None:
            state["start_requested"] = waits


def let_go(draft: Draft) -> None:
    """Forget what nothing can come of any more."""
    forget(draft, [one["evse_id"] for one in draft.known()["awaited"].values() if is_stale(one, draft.now)])


def given(draft: Draft, command_id: str, evse_id: int) -> None:
    """It is about to be given to the charger again, which may hold it from now on."""
    start = draft.known()["awaited"].get(str(evse_id))
    if start is not None and start["command_id"] == command_id and not start["withdrawn"]:
        _amend(draft, start, held_since=draft.now)


def tried(draft: Draft, command_id: str, evse_id: int, *, held: bool) -> None:
    """It was given to the charger again, which holds it now, or may, or certainly does not."""
    start = draft.known()["awaited"].get(str(evse_id))
    if start is None or start["command_id"] != command_id:
        return
    if start["withdrawn"] and not held:
        forget(draft, [evse_id])
        return
    _amend(draft, start, tries=start["tries"] + 1, tried_at=draft.now, held_since=draft.now if held else None)


def plugged(draft: Draft, evse_id: int, *, before: bool | None, now: bool | None) -> None:
    """A connector reports whether an EV is plugged in."""
    start = draft.known()["awaited"].get(str(evse_id))
    if start is None or start.get("unclear"):
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
        elif not start.get("unclear"):
            _amend(draft, start, held_since=None, tries=0)


def begun(draft: Draft, record: TransactionRecord) -> None:
    """A transaction runs: it ends the waiting on its EVSE, unless nobody has authorized it, or it is an old one that
    the charger had kept while it was offline."""
    start = draft.known()["awaited"].get(str(record["evse_id"]))
    if start is None or not is_authorized(record):
        return
    if start["withdrawn"] and record["command_id"] is not None:
        # Whichever start of ours it was: the last word was that none shall be.
        _amend(draft, start, unwanted=record["id"])
    elif record["command_id"] is not None or not _was_kept(draft, record, start):
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

"""The charging limits that were set by command: what the twin notes of them, and what its state shows."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.core.charger_state import Memory, StoredLimit
from gateway.core.connector_state import apply_limit
from gateway.core.draft import MAX_CONNECTORS, Draft, Place
from gateway.core.reports import Carrier, Limit

NO_LIMIT = Limit()


def known_limits(memory: Memory, now: str) -> dict[int, Limit]:
    """The limits by EVSE, 0 being the whole charger; one whose time is over (`now` is RFC 3339) is none any more."""
    return {
        int(evse_id): _lapsed(_limit(stored), now)
        for evse_id, stored in memory["limits"].items()
        if evse_id.isdecimal()
    }


def put_limit(draft: Draft, evse_id: int, limit: Limit, *, is_told: bool = True) -> None:
    """Note the limit of an EVSE, and show it: a connector shows its own, or that of the whole charger if lower.

    What the charger had to be told again is settled by it, but where it was not told (`is_told`).
    """
    memory = draft.memory()
    before, stored = memory["limits"].pop(str(evse_id), None), _stored(limit)
    if before is not None and before.get("owed") and not is_told:
        stored["owed"] = True
    memory["limits"][str(evse_id)] = stored
    while len(memory["limits"]) > MAX_CONNECTORS + 1:
        del memory["limits"][next(iter(memory["limits"]))]
    places = [place for place in draft.places() if evse_id in (0, place[0])]
    _show(draft, known_limits(memory, draft.now_text), places or ([(evse_id, 1)] if evse_id else []))


def owe(draft: Draft, evse_id: int | None = None) -> None:
    """The charger may not hold what was set any more, and must be told again: on an EVSE, where a transaction begins
    and the limit was one of the transaction before, or (None) everywhere, as it has restarted."""
    for name, stored in [*draft.known()["limits"].items()]:
        holds = stored["paused"] or stored["current_a"] is not None or stored["power_w"] is not None
        of_transaction = stored["carrier"] is not None and stored["carrier"]["purpose"] == "tx"
        if holds and (evse_id is None or (name == str(evse_id) and of_transaction)):
            draft.memory()["limits"][name] = {**stored, "owed": True}


def owed(memory: Memory, now: str) -> dict[int, Limit]:
    """The limits that the charger must be told again, by EVSE; of one whose time is over only the pause is left."""
    names = [int(name) for name, stored in memory["limits"].items() if stored.get("owed") and name.isdecimal()]
    known = known_limits(memory, now) if names else {}
    return {evse_id: known[evse_id] for evse_id in names if known[evse_id].is_set}


def show_lapsed(draft: Draft) -> None:
    """Show no longer what was set until a time that is over."""
    stored = draft.known()["limits"]
    over = [evse_id for evse_id, limit in stored.items() if limit["until"] and limit["until"] <= draft.now_text]
    if over:
        known = known_limits(draft.memory(), draft.now_text)
        for evse_id in over:
            lapsed = _stored(known[int(evse_id)])
            if stored[evse_id].get("owed") and lapsed["paused"]:
                lapsed["owed"] = True
            draft.memory()["limits"][evse_id] = lapsed
        _show(draft, known, draft.places())


def _show(draft: Draft, limits: Mapping[int, Limit], places: Iterable[Place]) -> None:
    whole = limits.get(0, NO_LIMIT)
    charger = draft.charger()
    charger["limit_a"], charger["limit_w"] = whole.current_a, whole.power_w
    for place in places:
        state = draft.connector(place)
        if state is not None:
            own = limits.get(place[0], NO_LIMIT)
            held = _lower(own, whole)
            apply_limit(state, held.current_a, held.power_w, own.paused)


def _lower(own: Limit, whole: Limit) -> Limit:
    """The limit that counts: both hold, so the lower where they can be compared, else the EVSE's own."""
    if own.current_a is not None and whole.current_a is not None:
        return own if own.current_a <= whole.current_a else whole
    if own.power_w is not None and whole.power_w is not None:
        return own if own.power_w <= whole.power_w else whole
    return whole if own.current_a is None and own.power_w is None else own


def _lapsed(limit: Limit, now: str) -> Limit:
    if limit.until is None or limit.until > now:
        return limit
    return replace(limit, current_a=None, power_w=None, phases=None, until=None)


def _limit(stored: StoredLimit) -> Limit:
    carrier = stored["carrier"]
    return Limit(
        stored["current_a"],
        stored["power_w"],
        stored["paused"],
        stored["phases"],
        stored["until"],
        None if carrier is None else Carrier(carrier["unit"], carrier["stack_level"], carrier["purpose"]),
    )


def _stored(limit: Limit) -> StoredLimit:
    carrier = limit.carrier
    return {
        "current_a": limit.current_a,
        "power_w": limit.power_w,
        "paused": limit.paused,
        "phases": limit.phases,
        "until": limit.until,
        "carrier": None
        if carrier is None
        else {"unit": carrier.unit, "stack_level": carrier.stack_level, "purpose": carrier.purpose},
    }

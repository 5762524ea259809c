"""What must be true of a home: now and then, and at the end of the day."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from gateway.simulator import SimulatorEvent, Wallbox
from tests.chaos.home.hub import Hub, Place
from tests.chaos.home.mishaps import Mishap
from tests.chaos.home.wishes import ENDED_BY_NEWER, Wish, wanted

PACED_CALLS = ("SetChargingProfile", "ClearChargingProfile")
PACED = ("limit_a", "paused")


@dataclass
class Calls:
    """What a charger was called with, by the minute of the fast clock."""

    now: Callable[[], float]
    by_minute: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    transactions: dict[str, None] = field(default_factory=dict)
    """What the charger began itself; by message, so that a resend counts once."""

    def hear(self, event: SimulatorEvent) -> None:
        if event.kind == "command":
            self.by_minute[int(self.now() // 60)][event.action] += 1
        elif event.kind == "sent" and (
            event.action == "StartTransaction" or event.payload.get("eventType") == "Started"
        ):
            self.transactions[event.payload["timestamp"]] = None

    def minutes(self, first: float, last: float) -> list[int]:
        """Calls in each minute from one time to another."""
        return [self.by_minute[minute].total() for minute in range(int(first // 60), int(last // 60) + 1)]

    def most(self, first: float, last: float) -> int:
        return max(self.minutes(first, last))

    def median(self, first: float, last: float) -> float:
        return median(self.minutes(first, last))


async def closer_look(hub: Hub, wallboxes: dict[str, Wallbox]) -> None:
    """Once nothing is under way: each wallbox holds what was asked last, and state and problem say so."""
    if not await hub.settled():
        return
    for charger, wallbox in wallboxes.items():
        place = hub.places[charger]
        own = [wish for wish in hub.wishes if wish.charger == charger]
        want = wanted(own)
        held = wallbox.outlet.allowed_w(wallbox.now())
        if not _same(held, want.allowed_w):
            shown = "; ".join(map(str, own[-6:]))
            hub.flaws.append(f"{charger} allows {held} W, {want} was accepted last: {shown}")
        await hub.until(
            lambda place=place, want=want: _shows(place, want.limit_a, want.paused),  # type: ignore[misc]
            f"{charger} shows {place.state.get('limit_a')} A, paused {place.state.get('paused')}; accepted was {want}",
        )
        last = max((wish for wish in own if wish.outcome not in (None, ENDED_BY_NEWER)), key=_told, default=None)
        if last is not None:
            await hub.until(
                lambda place=place, last=last: (place.problem.get("problem") is not None) == last.failed,  # type: ignore[misc]
                f"the problem of {charger} is {place.problem}, though the last that was told is {last}",
            )


def _told(wish: Wish) -> float:
    return wish.told or 0.0


def _shows(place: Place, limit_a: float | None, paused: bool) -> bool:
    return place.state.get("limit_a") == limit_a and place.state.get("paused") == paused


def _same(held: float | None, expected: float | None) -> bool:
    if held is None or expected is None:
        return held is expected
    return abs(held - expected) < 1


def flaws_of_wishes(wishes: Sequence[Wish], mishaps: Sequence[Mishap]) -> Iterator[str]:
    """Each set was told exactly one outcome, and what failed is explained by a mishap of that time.

    A broker that stops may have taken a message without saying so, so that it comes again (QoS 1).
    """
    for wish in wishes:
        by_broker = any(m.kind == "broker" and m.explains(wish.charger, wish.sent, _told(wish)) for m in mishaps)
        if len(set(wish.outcomes)) > 1 or (len(wish.outcomes) > 1 and not by_broker):
            yield f"told more than once: {wish}"
        elif not wish.outcomes and not wish.excused:
            yield f"never told: {wish}"
        elif wish.failed and not any(m.explains(wish.charger, wish.sent, _told(wish)) for m in mishaps):
            yield f"failed without a reason: {wish}"


def flaws_of_pace(calls: Calls, wishes: Sequence[Wish], charger: str, set_interval: float) -> Iterator[str]:
    """In no minute more limits and pauses than the pace allows; what is not paced may let one of each go sooner."""
    unpaced = Counter(int(w.at // 60) for w in wishes if w.charger == charger and w.attribute not in PACED)
    for minute, counted in calls.by_minute.items():
        paced = sum(counted[action] for action in PACED_CALLS)
        others = unpaced[minute] + unpaced[minute - 1] + counted.total() - paced
        allowed = len(PACED) * (60 / set_interval + 1 + others)
        if paced > allowed:
            yield f"{charger} was sent {paced} limits and pauses in a minute, {allowed:g} are allowed: {dict(counted)}"


def flaws_of_energy(place: Place, records: Sequence[dict[str, Any]], began: int) -> Iterator[str]:
    """The sensors' energy is that of the transaction records, to the Wh; each is there once, and none is suspect."""
    name, whole = place.charger, sum(record["energy_wh"] or 0 for record in records)
    if place.energy.resets:
        yield f"{name}: the register began anew {place.energy.resets} times"
    if round(place.energy.sum) != whole:
        yield f"{name}: the register's sensor rose by {place.energy.sum} Wh, the records come to {whole} Wh"
    by_id = {record["id"]: record["energy_wh"] for record in records}
    if place.last_transactions != by_id:
        yield f"{name}: last_transaction told {place.last_transactions}, the records are {by_id}"
    if len(records) != began:
        yield f"{name}: {len(records)} records of {began} transactions"
    for record in records:
        if record["suspect"] or record["status"] != "ended" or record["energy_wh"] is None:
            yield f"{name}: {record['id']} is {record['status']}, suspect {record['suspect']}"
    spans = sorted((record["started_at"], record["ended_at"] or "") for record in records)
    for (_, ended), (started, _) in pairwise(spans):
        if started < ended:
            yield f"{name}: a transaction began at {started}, before the one until {ended} was over"

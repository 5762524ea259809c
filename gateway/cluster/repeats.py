"""What the receiver confirmed and may have forgotten, delivered again: the same ids, and the cursor does not move.

What was parked, and what ends connections, is left out, so that one event that the receiver cannot take neither
stops the others nor has everything delivered again and again.
"""

from collections import deque

import structlog

from gateway.cluster.backoff import Backoff
from gateway.cluster.entries import EntryReader
from gateway.cluster.keys import ShardKeys
from gateway.cluster.lane import Lane
from gateway.core.errors import DeliveryError, DeliveryImpossible, DeliveryRefused, LogUnavailable
from gateway.core.ports import Delivery, LogEntry

log = structlog.get_logger(__name__)

MAX_REPEATED = 20_000
"""Entries of a shard that are delivered again at the most after the receiver forgot them."""

MAX_DROPS = 8
"""Connections that may drop during one repeat before the rest of it is given up."""
_AT_ONCE = 500
_LEFT_OUT = 10_000
_LETTERS = 200
"""Dead letters that are looked at, each with its body; what this process parked it knows anyway."""


class Repeats:
    """One shard's repeats for one reader, over all its connections."""

    def __init__(self, reader: str, shard: int, *, lane: Lane, keys: ShardKeys) -> None:
        self._reader, self._shard, self._lane, self._keys = reader, shard, lane, keys
        self._waiting: list[LogEntry] = []
        self._left_out: deque[str] = deque(maxlen=_LEFT_OUT)
        self._suspect: str | None = None
        self._drops = 0

    @property
    def under_way(self) -> bool:
        """Whether a repeat was begun and is not done: the next connection goes on with it."""
        return bool(self._waiting)

    def leave_out(self, position: str) -> None:
        """An entry that the receiver cannot take is never repeated."""
        self._left_out.append(position)

    async def begin(self, last: str, seconds: float) -> None:
        """Take up what was confirmed in so many seconds up to the entry at `last`; waits while Redis is away."""
        self._waiting = await self._confirmed_of_late(last, seconds)
        if self._waiting:
            log.warning(
                "the receiver may have forgotten what it confirmed: it is delivered again, with the same ids",
                reader=self._reader,
                shard=self._shard,
                events=len(self._waiting),
            )

    async def go_on(self, delivery: Delivery) -> None:
        """Deliver what is left of it. Raises DeliveryInterrupted: then go on with the next connection.

        What the receiver refuses this time was with it once, and is left out.
        """
        refused, problem = 0, ""
        while self._waiting:
            tried = self._waiting[:_AT_ONCE]
            try:
                await delivery.deliver(tried)
            except (DeliveryRefused, DeliveryImpossible) as error:
                refused, problem = refused + 1, str(error)
                del self._waiting[: error.confirmed + 1]
            except DeliveryError as error:
                del self._waiting[: error.confirmed]
                self._dropped()
                raise
            else:
                del self._waiting[: len(tried)]
        self._drops, self._suspect = 0, None
        if refused:
            log.warning("events could not be delivered again", shard=self._shard, events=refused, problem=problem)

    def _dropped(self) -> None:
        """What stood first at two drops in a row is taken for their cause, as after a drop few go together."""
        self._drops += 1
        if not self._waiting:
            return
        first = self._waiting[0]
        if self._drops >= MAX_DROPS:
            log.error("connections drop at the repeat: the rest of it is given up", shard=self._shard,
                      events=len(self._waiting))  # fmt: skip
            self._waiting, self._drops, self._suspect = [], 0, None
        elif first.position == self._suspect:
            log.warning("an event ends connections and is not delivered again", shard=self._shard,
                        charger=str(first.charger), event_id=first.id, type=first.type)  # fmt: skip
            self.leave_out(first.position)
            del self._waiting[0]
            self._suspect = None
        else:
            self._suspect = first.position

    async def _confirmed_of_late(self, last: str, seconds: float) -> list[LogEntry]:
        """The latest MAX_REPEATED at the most."""
        backoff = Backoff()
        begin = max(0, int(last.partition("-")[0]) - int(seconds * 1000))
        calls: list[tuple[str | int, ...]] = [
            ("XREVRANGE", self._keys.log, last, begin, "COUNT", MAX_REPEATED),
            ("XREVRANGE", self._keys.dead, "+", begin, "COUNT", _LETTERS),
        ]
        while True:
            try:
                found, dead = await self._lane.calls(calls)
                break
            except LogUnavailable:
                await backoff.wait()
        left_out = {*self._left_out, *self._parked(dead)}
        return [one for one in EntryReader().entries(found[::-1]) if one.is_event and one.position not in left_out]

    def _parked(self, dead: list[tuple[bytes, list[bytes]]]) -> list[str]:
        """The positions of what was parked for this reader, also by a process before this one (park.lua)."""
        letters = [dict(zip(fields[::2], fields[1::2], strict=False)) for _, fields in dead if fields]
        return [letter[b"p"].decode() for letter in letters if letter.get(b"reader") == self._reader.encode()]

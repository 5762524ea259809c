"""How often a charger is told what automations set again and again: what waits, how long, and what lets it go first."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter

from adapters.mqtt.commands import Request
from adapters.mqtt.orders import Held
from gateway.core.clock import Clock
from gateway.core.identity import ChargerId

_REMEMBERED = 10_000

Kind = tuple[ChargerId, str]


class Pace:
    """When a paced request of a kind may be sent again: `interval` seconds after the last was."""

    def __init__(self, interval: float, clock: Clock) -> None:
        self._interval, self._clock = interval, clock
        self._sent: dict[Kind, float] = {}
        self.is_over = False
        """Nothing waits any more."""

    def opens_at(self, request: Request) -> float | None:
        """On the monotonic clock; None where it may be sent at once."""
        if not request.paced or request.kind is None or self.is_over:
            return None
        sent = self._sent.get((request.charger, request.kind))
        opens_at = None if sent is None else sent + self._interval
        return None if opens_at is None or opens_at <= self._clock.monotonic() else opens_at

    def sent(self, request: Request) -> None:
        """A request goes to its charger now."""
        if not request.paced or request.kind is None or not self._interval:
            return
        now = self._clock.monotonic()
        self._sent.pop((request.charger, request.kind), None)
        self._sent[request.charger, request.kind] = now
        # The oldest stand first.
        while self._sent and (len(self._sent) > _REMEMBERED or next(iter(self._sent.values())) + self._interval <= now):
            del self._sent[next(iter(self._sent))]


class Latest:
    """Which request of a kind came last, as far as it is remembered."""

    def __init__(self) -> None:
        self._ids: dict[Kind, str] = {}

    def came(self, request: Request) -> None:
        if request.kind is not None:
            self._ids.pop((request.charger, request.kind), None)
            self._ids[request.charger, request.kind] = request.id
            if len(self._ids) > _REMEMBERED:
                del self._ids[next(iter(self._ids))]

    def renamed(self, request: Request, earlier: str) -> None:
        """A request that came as `earlier` has another id."""
        if request.kind is not None and self._ids.get((request.charger, request.kind)) == earlier:
            self._ids[request.charger, request.kind] = request.id

    def has_newer(self, request: Request) -> bool:
        """Whether a newer request has come that takes this one's place."""
        return request.kind is not None and self._ids.get((request.charger, request.kind)) not in (None, request.id)


@dataclass(slots=True, eq=False)
class Line:
    """What one charger is to be sent, in order: the one that runs, and those that wait behind it.

    Those that wait for their pace go when it is time, or before anything else that comes: order is kept.
    """

    running: Held | None = None
    waiting: list[Held] = field(default_factory=list)
    is_released: bool = False
    """Nothing waits for its pace any more."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __len__(self) -> int:
        return len(self.waiting) + (self.running is not None)

    def __iter__(self) -> Iterator[Held]:
        return iter(self.waiting)

    @property
    def last(self) -> Held | None:
        return self.waiting[-1] if self.waiting else self.running

    def add(self, held: Held) -> None:
        """Have an order wait in the line, or run at once where it is the only one and need not wait."""
        if not len(self) and not self._pause(held):
            self.running = held
        else:
            self.waiting.append(held)
        self.changed.set()

    def superseded_by(self, held: Held) -> Held | None:
        """Put an order in the place of one that waits and is of its kind; that one, None where there is none.

        What a home sets goes behind what came between where their order tells: a start resumes what was paused before.
        """
        new = held.request
        for place, older in enumerate(self.waiting):
            if new.kind is not None and older.request.kind == new.kind and older.request.id != new.id:
                between = [one.request for one in self.waiting[place + 1 :]]
                if between and new.sets is not None and not (new.paced and all(one.paced for one in between)):
                    del self.waiting[place]
                    self.waiting.append(held)
                else:
                    self.waiting[place] = held
                self.changed.set()
                return older
        return None

    def take_out(self, held: Held) -> bool:
        """Have an order wait no longer; False where it does not wait."""
        if held not in self.waiting:
            return False
        self.waiting.remove(held)
        self.changed.set()
        return True

    def release(self) -> None:
        """Have all that wait for their pace go at once."""
        self.is_released = True
        self.changed.set()

    async def next(self, now: Callable[[], float]) -> Held | None:
        """The one that runs next, once it is its time; None where none waits. `now` is the monotonic clock."""
        while self.running is None and self.waiting:
            self.changed.clear()
            first, opens_at = self._first()
            # A node that will not send it need not wait.
            left = opens_at - now() if opens_at and await first.is_ours else 0.0
            if left <= 0:
                if self.take_out(first):
                    self.running = first
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self.changed.wait()
        return self.running

    def _first(self) -> tuple[Held, float]:
        """The next one, and until when it waits: what need not wait lets all go that came before it."""
        if all(map(self._pause, self.waiting)):
            return min(((held, self._pause(held)) for held in self.waiting), key=itemgetter(1))
        return self.waiting[0], 0.0

    def _pause(self, held: Held) -> float:
        """Until when an order waits for its pace; 0 where it does not."""
        return 0.0 if self.is_released or held.opens_at is None else held.opens_at

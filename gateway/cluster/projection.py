"""Retained state brought in line: all of it after connecting, then what changed, each charger a few times a second."""

import heapq
from collections.abc import Iterable

import structlog

from gateway.cluster.backoff import Backoff
from gateway.cluster.reader_health import ShardHealth
from gateway.cluster.snapshots import PAGE, Snapshots
from gateway.core.clock import Clock
from gateway.core.errors import DeliveryError, DeliveryImpossible, DeliveryRefused, LogUnavailable
from gateway.core.ports import Delivery, Snapshot

log = structlog.get_logger(__name__)

_OVERDUE = 1.0
"""Seconds that retained state may be late while events are waiting."""
_HOLD_FIRST, _HOLD_MOST = 1.0, 30.0
_WHAT = "retained state"
REMOVED = "ocpp.charger.removed"
"""The event of a charger's removal: only then is it certain that nothing is stored because nothing shall be."""

_REMEMBERED = 20_000


class Coalescer:
    """Names that were touched, each due `interval` seconds after it was last taken, at the earliest."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._heap: list[tuple[float, str]] = []
        self._waiting: set[str] = set()
        self._taken: dict[str, float] = {}

    def touch(self, names: Iterable[str], now: float) -> None:
        for name in names:
            if name not in self._waiting:
                self._waiting.add(name)
                taken = self._taken.get(name)
                due = now if taken is None else max(now, taken + self._interval)
                heapq.heappush(self._heap, (due, name))

    def due_at(self) -> float | None:
        """When the next one is due, None where none waits."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: float, most: int) -> list[str]:
        """Those that are due, and that count as taken from now on."""
        names: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(names) < most:
            name = heapq.heappop(self._heap)[1]
            self._waiting.discard(name)
            self._taken[name] = now
            names.append(name)
        if len(self._taken) > _REMEMBERED:
            self._taken = {name: at for name, at in self._taken.items() if at + self._interval > now}
        return names

    def put_back(self, names: Iterable[str], at: float) -> None:
        """Names that were taken in vain: due again at a time."""
        for name in names:
            if name not in self._waiting:
                self._waiting.add(name)
                heapq.heappush(self._heap, (at, name))


class Projector:
    """Keeps a shard's retained state in line with the snapshots, through one Delivery."""

    def __init__(
        self,
        shard: int,
        *,
        snapshots: Snapshots,
        interval: float,
        refresh_interval: float | None,
        health: ShardHealth,
        clock: Clock,
    ) -> None:
        self._shard, self._snapshots, self._refresh_interval = shard, snapshots, refresh_interval
        self._health, self._clock = health, clock
        self._touched = Coalescer(interval)
        self._removed: set[str] = set()
        self._refresh_at: float | None = None
        self._hold = Backoff(_HOLD_FIRST, _HOLD_MOST)
        self._drops_in_a_row = 0

    def touch(self, names: Iterable[str], *, removed: Iterable[str] = ()) -> None:
        """These chargers have changed; of those `removed` the log says so."""
        self._removed.update(removed)
        self._touched.touch(names, self._clock.monotonic())

    def due_at(self) -> float | None:
        """When there is something to do, None for never."""
        times = [at for at in (self._touched.due_at(), self._refresh_at) if at is not None]
        return min(times) if times else None

    async def connected(self, delivery: Delivery) -> None:
        """Project everything. Where that alone has dropped the connection again and again, events go first."""
        if self._drops_in_a_row >= 2:
            self._drops_in_a_row = 0
            self._refresh_at = self._clock.monotonic() + self._hold.next()
            return
        try:
            await self._everything(delivery)
        except DeliveryError:
            self._drops_in_a_row += 1
            raise
        self._drops_in_a_row = 0

    async def work(self, delivery: Delivery, *, busy: bool) -> bool:
        """Do what is due, if anything; while events wait (`busy`) only what is overdue. Raises DeliveryError."""
        now = self._clock.monotonic()
        due = self._touched.due_at()
        if due is not None and due <= now - (_OVERDUE if busy else 0.0):
            await self._due(delivery)
        elif self._refresh_at is not None and self._refresh_at <= now:
            await self._everything(delivery)
        else:
            return False
        return True

    async def _everything(self, delivery: Delivery) -> None:
        interval = self._refresh_interval
        self._refresh_at = None if interval is None else self._clock.monotonic() + interval
        after: str | None = None
        backoff = Backoff()
        while True:
            try:
                names = await self._snapshots.names(self._shard, after)
                snapshots = await self._snapshots.read(self._shard, names)
            except LogUnavailable:
                await backoff.wait()
                continue
            if not snapshots:
                return
            await self._project(delivery, self._certain(snapshots))
            after = names[-1]

    async def _due(self, delivery: Delivery) -> None:
        names = self._touched.take(self._clock.monotonic(), PAGE)
        try:
            snapshots = await self._snapshots.read(self._shard, names)
        except LogUnavailable:
            self._touched.put_back(names, self._clock.monotonic() + 1.0)
            return
        await self._project(delivery, self._certain(snapshots))

    def _certain(self, snapshots: list[Snapshot]) -> list[Snapshot]:
        """Only what the log says to be removed is removed: nothing is stored of a charger that was claimed a moment
        ago, either, nor of one that Redis forgot and that its node will store again."""
        removed = {one.charger.key for one in snapshots if one.removed} & self._removed
        self._removed.difference_update(one.charger.key for one in snapshots)
        return [
            Snapshot(one.charger, one.fields) if one.removed and one.charger.key not in removed else one
            for one in snapshots
        ]

    async def _project(self, delivery: Delivery, snapshots: list[Snapshot]) -> None:
        """Hand snapshots over. A refused one is tried again later while events go on; an impossible one is left out."""
        while snapshots:
            try:
                await delivery.project(snapshots)
            except DeliveryImpossible as error:
                culprit = snapshots[error.confirmed]
                log.error("retained state cannot be published", charger=str(culprit.charger), problem=str(error))
                snapshots = snapshots[error.confirmed + 1 :]
            except DeliveryRefused as error:
                self._health.refused(_WHAT, str(error), error.topic)
                names = [snapshot.charger.key for snapshot in snapshots[error.confirmed :]]
                self._touched.put_back(names, self._clock.monotonic() + self._hold.next())
                return
            else:
                self._hold.reset()
                self._health.accepted(_WHAT)
                return

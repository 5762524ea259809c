"""What the cluster's tests share: a node on a real Valkey, and an outward reader that fails where it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gateway.cluster.cluster import Cluster
from gateway.cluster.config import ClusterConfig
from gateway.core.clock import Clock, SystemClock
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import DeliveryError
from gateway.core.events import StampedEvent
from gateway.core.health import HealthBoard
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit, LogEntry, Snapshot, Touch

CP1 = ChargerId("CP1")
QUICK_LEASES = {"lease_term": 1.0}
"""Leases that are free soon after their holder has died or lost them."""


class Counts:
    """An Observer that remembers what was up, delivered and not delivered."""

    def __init__(self) -> None:
        self.redis: list[bool] = []
        self.outcomes: list[str] = []
        self.batches: list[int] = []

    def up(self, part: str, up: bool) -> None:
        self.redis.append(up)

    def undelivered(self, reader: str, shard: int, outcome: str, count: int = 1) -> None:
        self.outcomes += [outcome] * count

    def committed(self, batch: int, seconds: float) -> None:
        self.batches.append(batch)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments, **named: None


class Hooks:
    """A node that accepts every command and remembers what it was told."""

    def __init__(self, node: str = "") -> None:
        self.node = node
        self.executed: list[Command] = []
        self.closed: list[tuple[str, int]] = []
        self.told: list[str] = []
        self.forgot = asyncio.Event()
        self.works: asyncio.Queue[tuple[str, ChargerId, bytes]] = asyncio.Queue()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def execute_here(self, command: Command) -> CommandResult:
        self.executed.append(command)
        await self.may_answer.wait()
        return CommandResult(command.id, command.charger, command.name, Outcome.ACCEPTED, result={"by": self.node})

    def handed_over(self, charger: ChargerId, epoch: int) -> None:
        self.told.append(f"handed over {charger} {epoch}")

    def superseded(self, charger: ChargerId, epoch: int, by: str) -> None:
        self.closed.append((str(charger), epoch))

    def deliver(self, charger: ChargerId) -> None:
        self.told.append(f"deliver {charger}")

    def heard_of_end(self, command_id: str) -> None:
        self.told.append(f"ended {command_id}")

    def forgotten(self) -> None:
        self.forgot.set()

    def connection_count(self) -> int:
        return 7

    async def later(self, kind: str, charger: ChargerId, payload: bytes) -> None:
        self.works.put_nowait((kind, charger, payload))


class Node:
    """A started Cluster with its hooks and boards.

    A lease outlives it when the test's process is held up for some seconds; where it is lost, what was delivered comes
    again. Tests of that ask for `QUICK_LEASES`.
    """

    def __init__(self, url: str, name: str = "node-a", *, clock: Clock | None = None, **options: Any) -> None:
        self.hooks, self.health, self.counts = Hooks(name), HealthBoard(), Counts()
        options = {"node_term": 1.0, "lease_term": 10.0, "projection_interval": 0.05, **options}
        self.cluster = Cluster(
            ClusterConfig(url=url, **options),
            node=name,
            version="1",
            clock=clock or SystemClock(),
            health=self.health,
            observer=self.counts,
        )
        self._run: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.cluster.start()
        self._run = asyncio.create_task(self.cluster.run(self.hooks))

    async def stop(self) -> None:
        await self.die()
        await self.cluster.stop()

    async def die(self) -> None:
        """Stop working without a word to the others."""
        if self._run is not None:
            self._run.cancel()
            await asyncio.wait([self._run])
            if not self._run.cancelled():
                self._run.result()
            self._run = None


@asynccontextmanager
async def running(url: str, name: str = "node-a", **options: Any) -> AsyncIterator[Node]:
    node = Node(url, name, **options)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


@asynccontextmanager
async def reading(node: Node, reader: Any) -> AsyncIterator[None]:
    """The log read for `reader` by `node`."""
    task = asyncio.create_task(node.cluster.read_log(reader))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


def event(number: int | str, kind: str = "ocpp.meter.values") -> StampedEvent:
    return StampedEvent(f"event-{number}", kind, b'{"n":"%s"}' % str(number).encode())


def message(charger: ChargerId, epoch: int, number: int | str, **more: Any) -> Commit:
    """A commit with one event."""
    return Commit(charger, epoch, [event(number)], **more)


async def eventually(condition: Callable[[], Any], what: str = "", seconds: float = 40.0) -> Any:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not (found := condition()):  # noqa: ASYNC110  the condition may be another process's doing
            await asyncio.sleep(0.01)
    return found


async def eventually_async(
    ask: Callable[[], Awaitable[Any]], suits: Callable[[Any], Any] = bool, seconds: float = 40.0
) -> Any:
    """Ask until the answer suits."""
    async with asyncio.timeout(seconds):
        while not suits(answer := await ask()):  # noqa: ASYNC110  what is asked for is in Redis
            await asyncio.sleep(0.01)
    return answer


class FakeReader:
    """An OutwardReader that keeps what it is given. `failures` are raised by the next deliveries, one each.

    A failure is an exception, a callable that gets the entries and may return one, or None for none.
    """

    def __init__(self, *failures: Any, refresh_interval: float | None = None) -> None:
        self.name = "mqtt"
        self.refresh_interval = refresh_interval
        self.failures = list(failures)
        self.project_failures: list[DeliveryError] = []
        self.entries: list[LogEntry] = []
        self.attempts: list[list[str]] = []
        self.snapshots: list[Snapshot] = []
        self.connects = 0
        self.forgotten = 0.0
        self.doubts: list[bool] = []
        self.drops: dict[int, asyncio.Event] = {}
        self.open_shards: set[int] = set()
        self.touches: list[Touch] = []

    @property
    def ids(self) -> list[str]:
        return [entry.id for entry in self.entries]

    def open(self, shard: int, touch: Touch) -> "FakeDelivery":
        self.touches.append(touch)
        return FakeDelivery(self, shard)

    def latest(self, charger: ChargerId) -> Snapshot | None:
        return next((found for found in reversed(self.snapshots) if found.charger == charger), None)


class FakeDelivery:
    def __init__(self, reader: FakeReader, shard: int) -> None:
        self.reader, self.shard = reader, shard

    async def connect(self, *, in_doubt: bool = False) -> float:
        self.reader.connects += 1
        self.reader.doubts.append(in_doubt)
        self.reader.drops[self.shard] = asyncio.Event()
        self.reader.open_shards.add(self.shard)
        return self.reader.forgotten

    async def lost(self) -> None:
        await self.reader.drops[self.shard].wait()

    async def deliver(self, entries: Sequence[LogEntry]) -> None:
        self.reader.attempts.append([entry.id for entry in entries])
        failure = self.reader.failures.pop(0) if self.reader.failures else None
        if callable(failure):
            failure = failure(entries)
        if isinstance(failure, DeliveryError):
            self.reader.entries += entries[: failure.confirmed]
            raise failure
        self.reader.entries += entries

    async def project(self, snapshots: Sequence[Snapshot]) -> None:
        if self.reader.project_failures:
            raise self.reader.project_failures.pop(0)
        self.reader.snapshots += snapshots

    async def close(self) -> None:
        self.reader.open_shards.discard(self.shard)

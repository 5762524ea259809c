"""The log, written: every commit goes to the writer of its charger's shard."""

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import count

import structlog

from gateway.cluster.address import Address, told
from gateway.cluster.config import ClusterConfig
from gateway.cluster.keys import Keys
from gateway.cluster.link import Link
from gateway.cluster.shard_writer import ShardWriter
from gateway.core.clock import Clock
from gateway.core.health import HealthBoard
from gateway.core.ports import Commit, Observer, Receipt

log = structlog.get_logger(__name__)

WRITERS = 4
"""Connections that commits travel on: while Redis works on one's batch, another's chargers are answered."""
WRITERS_PER_PRIMARY = 2
"""The same for each primary of a Cluster."""

Place = tuple[Address | None, int]
"""Where a shard is written: the server, None where there is but one, and which of the connections to it."""


class Committer:
    """The EventLog. `run` must be running for commits to end."""

    def __init__(
        self,
        link: Link,
        keys: Keys,
        config: ClusterConfig,
        *,
        clock: Clock,
        health: HealthBoard,
        observer: Observer,
        on_full: Callable[[], None],
    ) -> None:
        self._link, self._keys, self._observer = link, keys, observer
        self._make_writer = partial(
            ShardWriter, link, keys, config, clock=clock, health=health, observer=observer, on_full=on_full
        )
        self._homes: dict[int, ShardWriter] = {}
        """The writer of each shard, which changes when the shard moves to another primary."""
        self._writers: dict[Place, ShardWriter] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._serials = count(1)
        link.on_change(self._wake)

    async def commit(self, commit: Commit) -> bytes | None:
        """Store a commit; see EventLog."""
        future: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self.submit(commit, future)
        return await future

    def submit(self, commit: Commit, receipt: Receipt) -> None:
        """Store a commit and give the receipt then; see EventLog."""
        keys = self._keys.charger(commit.charger)
        writer = self._homes.get(keys.shard) or self._settle(keys.shard)
        writer.submit(commit, receipt, next(self._serials), keys)

    async def run(self) -> None:
        """Carry commits to Redis until cancelled; those still waiting are cancelled with it."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                for place, writer in self._writers.items():
                    self._start(place, writer)
                while True:
                    await asyncio.sleep(1.0)
                    self._observer.depth("commit", sum(writer.waiting for writer in self._writers.values()))
        finally:
            self._tasks = None

    # ------------------------------------------------------------ which shard is written where

    def _settle(self, shard: int) -> ShardWriter:
        """Give a shard the writer of the place where it lies now, made where there is none."""
        place = self._place(shard)
        writer = self._writers.get(place)
        if writer is None:
            writer = self._writers[place] = self._make_writer(server=place[0], leave=self._leave)
            self._start(place, writer)
        self._homes[shard] = writer
        return writer

    def _place(self, shard: int) -> Place:
        if self._link.cluster is None:
            return None, shard % WRITERS
        return self._link.cluster.server_of(self._keys.shard(shard).log), shard % WRITERS_PER_PRIMARY

    def _start(self, place: Place, writer: ShardWriter) -> None:
        if self._tasks is not None:
            server, number = place
            name = f"commits {number}" if server is None else f"commits {told(server)} {number}"
            self._tasks.create_task(writer.run(), name=name)

    def _wake(self) -> None:
        """Other primaries hold the shards: each writer lets go of what is not its own, between two flushes."""
        for writer in self._writers.values():
            writer.look()

    def _leave(self, writer: ShardWriter) -> bool:
        """Hand over what lies elsewhere by now, with the commits that wait for it; true where nothing is left to do."""
        for shard in [shard for shard, home in self._homes.items() if home is writer]:
            home = self._settle(shard)
            if home is not writer:
                home.adopt(shard, writer.hand_over(shard))
        place = next(place for place, known in self._writers.items() if known is writer)
        cluster = self._link.cluster
        if cluster is None or place[0] in cluster.primaries or writer in self._homes.values():
            return False
        del self._writers[place]
        log.debug("a server is no primary any more", address=place[0] and told(place[0]))
        return True

"""The log, written: every commit goes to the writer of its charger's shard."""

import asyncio
from collections.abc import Callable
from itertools import count

from gateway.cluster.config import ClusterConfig
from gateway.cluster.keys import Keys
from gateway.cluster.link import Link
from gateway.cluster.shard_writer import ShardWriter
from gateway.core.clock import Clock
from gateway.core.health import HealthBoard
from gateway.core.ports import Commit, Observer, Receipt

WRITERS = 4
"""Connections that commits travel on: while Redis works on one's batch, another's chargers are answered."""


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
        self._keys, self._observer = keys, observer
        self._writers = [
            ShardWriter(link, keys, config, clock=clock, health=health, observer=observer, on_full=on_full)
            for _ in range(WRITERS)
        ]
        self._serials = count(1)

    async def commit(self, commit: Commit) -> bytes | None:
        """Store a commit; see EventLog."""
        future: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self.submit(commit, future)
        return await future

    def submit(self, commit: Commit, receipt: Receipt) -> None:
        """Store a commit and give the receipt then; see EventLog."""
        keys = self._keys.charger(commit.charger)
        self._writers[keys.shard % WRITERS].submit(commit, receipt, next(self._serials), keys)

    async def run(self) -> None:
        """Carry commits to Redis until cancelled; those still waiting are cancelled with it."""
        async with asyncio.TaskGroup() as tasks:
            for number, writer in enumerate(self._writers):
                tasks.create_task(writer.run(), name=f"commits {number}")
            while True:
                await asyncio.sleep(1.0)
                self._observer.depth("commit", sum(writer.waiting for writer in self._writers))

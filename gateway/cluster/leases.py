"""One reader of the log on this node: which shards it reads, under leases that spread over the nodes."""

import asyncio
import math
import secrets
from collections.abc import Callable

import structlog

from gateway.cluster.config import ClusterConfig
from gateway.cluster.keys import READERS, Keys, attendance_key
from gateway.cluster.lane import Lane
from gateway.cluster.link import Link
from gateway.cluster.reader_health import ReaderHealth
from gateway.cluster.scripts import script
from gateway.cluster.shard_reader import ShardReader
from gateway.core.clock import Clock
from gateway.core.errors import LogUnavailable
from gateway.core.health import HealthBoard
from gateway.core.ports import Observer, OutwardReader

log = structlog.get_logger(__name__)

_LEAVE_SECONDS = 1.0
_PATIENCE = 3
"""Rounds that a lease stays free before a node takes it that has its share already."""


class LogReading:
    """Reads the log for one outward reader, in those shards whose lease this node has."""

    def __init__(
        self,
        reader: OutwardReader,
        *,
        link: Link,
        lane: Lane,
        keys: Keys,
        config: ClusterConfig,
        node: str,
        clock: Clock,
        health: HealthBoard,
        observer: Observer,
    ) -> None:
        self._reader, self._link, self._lane, self._keys, self._config = reader, link, lane, keys, config
        self._node, self._clock, self._observer = node, clock, observer
        self._health = ReaderHealth(reader.name, health)
        self._token = f"{node}/{secrets.token_hex(8)}"
        self._shards: dict[int, ShardReader] = {}
        self._free_for: dict[int, int] = {}

    async def run(self) -> None:
        """Read until cancelled; then give the leases up."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    try:
                        await self._share_out(tasks)
                    except LogUnavailable as error:
                        log.debug("leases cannot be looked after", reader=self._reader.name, problem=str(error))
                    await asyncio.sleep(self._config.lease_term / 10)
        finally:
            await self._leave()

    async def _share_out(self, tasks: asyncio.TaskGroup) -> None:
        """Take free leases up to this node's fair share; give one up where it holds more than that."""
        term = int(self._config.lease_term * 1000)
        name = self._reader.name
        present = await self._lane.script(script("attend"), [attendance_key(name)], [self._node, term])
        await self._lane.call("ZADD", READERS, self._clock.now(), name)
        self._observer.leases(name, len(self._shards))
        fair = math.ceil(self._keys.shards / max(1, int(present)))
        if len(self._shards) > fair:
            next(iter(self._shards.values())).give_up()
            return
        for shard in await self._worth_trying(fair):
            if await self._lane.call("SET", self._keys.shard(shard).lease(name), self._token, "NX", "PX", term):
                self._free_for.pop(shard, None)
                self._begin(shard, tasks)

    async def _worth_trying(self, fair: int) -> list[int]:
        """Shards whose lease is free: as many as are missing to the share, and those that nobody else wants."""
        others = [shard for shard in range(self._keys.shards) if shard not in self._shards]
        leases = [("EXISTS", self._keys.shard(shard).lease(self._reader.name)) for shard in others]
        taken = await self._lane.calls(leases)
        free = [shard for shard, is_taken in zip(others, taken, strict=True) if not is_taken]
        self._free_for = {shard: self._free_for.get(shard, 0) + 1 for shard in free}
        missing = max(0, fair - len(self._shards))
        return free[:missing] + [shard for shard in free[missing:] if self._free_for[shard] > _PATIENCE]

    def _begin(self, shard: int, tasks: asyncio.TaskGroup) -> None:
        shard_reader = ShardReader(
            self._reader,
            shard,
            token=self._token,
            link=self._link,
            lane=self._lane,
            keys=self._keys,
            config=self._config,
            clock=self._clock,
            health=self._health,
            observer=self._observer,
        )
        self._shards[shard] = shard_reader
        task = tasks.create_task(shard_reader.run(), name=f"read {self._reader.name} shard {shard}")
        task.add_done_callback(self._ended(shard))
        log.info("the log is read here", reader=self._reader.name, shard=shard)

    def _ended(self, shard: int) -> Callable[[object], None]:
        def forget(_: object) -> None:
            del self._shards[shard]
            self._health.clear(shard)
            log.info("the log is not read here any more", reader=self._reader.name, shard=shard)

        return forget

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._lane.call("ZREM", attendance_key(self._reader.name), self._node)
        except (LogUnavailable, TimeoutError) as error:
            log.debug("could not take leave of the other nodes", reader=self._reader.name, problem=str(error))

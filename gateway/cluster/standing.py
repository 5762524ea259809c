"""How the log stands: its size, how far each reader is behind, what could never be delivered. For those who watch."""

import asyncio

import structlog

from gateway.cluster.config import ClusterConfig
from gateway.cluster.entries import bytes_before
from gateway.cluster.keys import READERS, Keys, ShardKeys
from gateway.cluster.lane import Lane
from gateway.cluster.wire import Call
from gateway.core.clock import Clock
from gateway.core.errors import LogUnavailable
from gateway.core.ports import Observer

log = structlog.get_logger(__name__)

_LOOK_EVERY = 5.0


class Standing:
    """Looks at every shard now and then and tells the observer. All nodes do, and see the same."""

    def __init__(self, lane: Lane, keys: Keys, config: ClusterConfig, *, clock: Clock, observer: Observer) -> None:
        self._lane, self._keys, self._config = lane, keys, config
        self._clock, self._observer = clock, observer
        self._told: set[str] = set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except LogUnavailable as error:
                log.debug("how the log stands is not known", problem=str(error))
            await asyncio.sleep(_LOOK_EVERY)

    async def look(self) -> None:
        """Tell how every shard stands now. Raises LogUnavailable."""
        oldest = self._clock.now() - self._config.reader_retention
        names = await self._lane.call("ZRANGEBYSCORE", READERS, oldest, "+inf")
        readers = sorted(name.decode() for name in names)
        for shard in self._keys.all_shards():
            await self._look_at(shard, readers)
            for gone in self._told.difference(readers):
                self._observer.lag(gone, shard.shard, 0.0, 0)
        self._told = set(readers)

    async def _look_at(self, shard: ShardKeys, readers: list[str]) -> None:
        calls: list[Call] = [("HMGET", shard.size, "total", "base"), ("XLEN", shard.dead)]
        calls += [("GET", shard.cursor(reader)) for reader in readers]
        size, dead, *cursors = await self._lane.calls(calls)
        total, base = (int(part or 0) for part in size)
        self._observer.log_size(shard.shard, total - base, self._config.log_hard_max_bytes // self._keys.shards)
        self._observer.dead_letters(shard.shard, dead)
        after = [f"({(cursor or b'0-0').decode()}" for cursor in cursors]
        waiting = await self._lane.calls([("XRANGE", shard.log, begin, "+", "COUNT", 1) for begin in after])
        for reader, found in zip(readers, waiting, strict=True):
            if not found:
                self._observer.lag(reader, shard.shard, 0.0, 0)
                continue
            position, flat = found[0]
            age = self._clock.now() - int(position.partition(b"-")[0]) / 1000
            # What was appended since `total` was read is not counted.
            self._observer.lag(reader, shard.shard, max(0.0, age), max(0, total - bytes_before(flat)))

"""The log's bounds: by size and age, behind what every reader has confirmed; at the hard limit, whatever it holds."""

import asyncio
from dataclasses import dataclass

import orjson
import structlog

from gateway.cluster.config import ClusterConfig
from gateway.cluster.entries import EntryReader, bytes_before
from gateway.cluster.keys import READERS, Keys, ShardKeys
from gateway.cluster.lane import Lane
from gateway.cluster.scripts import script
from gateway.cluster.wire import Argument
from gateway.core.clock import Clock, rfc3339
from gateway.core.errors import LogUnavailable
from gateway.core.events import Event, stamp
from gateway.core.identity import ChargerId
from gateway.core.ports import LogEntry

log = structlog.get_logger(__name__)

_GAP = "ocpp.log.gap"
_PAGE = 500
_TRIM_EVERY = 1.0
_NEARLY_FULL = 0.8
_DROP_TO = 0.9


class Trimmer:
    """Keeps each shard's log within its bounds. Any number of nodes may do so at once."""

    def __init__(self, lane: Lane, keys: Keys, config: ClusterConfig, *, clock: Clock) -> None:
        self._lane, self._keys, self._config, self._clock = lane, keys, config, clock
        self._wake = asyncio.Event()
        self._warned: set[int] = set()

    def wake(self) -> None:
        """Look at once: the log is full."""
        self._wake.set()

    async def run(self) -> None:
        """Trim until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_TRIM_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.trim()
            except LogUnavailable as error:
                log.debug("trimming must wait", problem=str(error))

    async def trim(self) -> None:
        """Bring every shard within its bounds. Raises LogUnavailable, where that concerns some shards after the others
        were trimmed."""
        readers = await self._required_readers()
        away: LogUnavailable | None = None
        for shard in self._keys.all_shards():
            try:
                await self._bound(shard, readers)
            except LogUnavailable as error:
                away = error
        if away is not None:
            raise away

    async def _bound(self, shard: ShardKeys, readers: list[str]) -> None:
        oldest_record = (self._clock.now() - self._config.transaction_retention) * 1000
        size = await self._trim(shard, readers)
        await self._lane.call("ZREMRANGEBYSCORE", shard.transactions, "-inf", f"{oldest_record:.0f}")
        hard = self._config.log_hard_max_bytes // self._keys.shards
        if size >= hard * 0.98 and self._config.on_log_full == "drop_oldest":
            await self._drop(shard, int(hard * _DROP_TO))
        self._warn(shard, size, hard, readers)

    async def _required_readers(self) -> list[str]:
        """Readers that some node runs, or ran not long ago."""
        oldest = self._clock.now() - self._config.reader_retention
        return [name.decode() for name in await self._lane.call("ZRANGEBYSCORE", READERS, oldest, "+inf")]

    async def _trim(self, shard: ShardKeys, readers: list[str]) -> int:
        """Trim behind the slowest reader; returns the bytes that are left."""
        cursors = await self._lane.calls([("GET", shard.cursor(reader)) for reader in readers])
        confirmed = min(((cursor or b"0-0").decode() for cursor in cursors), key=_order, default="")
        limit = min(self._config.log_max_bytes, int(self._config.log_hard_max_bytes * _NEARLY_FULL))
        most = limit // self._keys.shards
        arguments = [most, int(self._config.log_max_age * 1000), confirmed]
        _, size = await self._lane.script(script("trim"), [shard.log, shard.size], arguments)
        return int(size)

    def _warn(self, shard: ShardKeys, size: int, hard: int, readers: list[str]) -> None:
        if size < hard * _NEARLY_FULL:
            self._warned.discard(shard.shard)
        elif shard.shard not in self._warned:
            self._warned.add(shard.shard)
            log.warning(
                "the log is nearly full, as a reader does not come after",
                shard=shard.shard,
                bytes=size,
                limit=hard,
                readers=readers,
                then=self._config.on_log_full,
            )

    # ------------------------------------------------------------ at the hard limit

    async def _drop(self, shard: ShardKeys, target: int) -> None:
        """Drop the oldest entries down to a size, and log which chargers lost how many."""
        total = int(await self._lane.call("HGET", shard.size, "total") or 0)
        lost: dict[ChargerId, _Loss] = {}
        reader, first, begin = EntryReader(), "", "-"
        while True:
            page = await self._lane.call("XRANGE", shard.log, begin, "+", "COUNT", _PAGE)
            if not page:
                return
            for position, flat in page:
                first = first or position.decode()
                before = bytes_before(flat)
                if total - before <= target:
                    await self._cut(shard, first, position.decode(), before, lost)
                    return
                entry = reader.entry(position.decode(), flat)
                lost.setdefault(entry.charger, _Loss()).add(entry)
            begin = f"({page[-1][0].decode()}"

    async def _cut(self, shard: ShardKeys, first: str, keep: str, before: int, lost: dict[ChargerId, "_Loss"]) -> None:
        arguments: list[Argument] = [first, keep, before]
        now = self._clock.now()
        until = rfc3339(_order(keep)[0] / 1000)
        for charger, loss in lost.items():
            data = {"dropped": loss.count, "from": loss.since, "until": until}
            event = Event(_GAP, data, key=f"gap/{shard.shard}/{keep}")
            stamped = stamp(event, charger=charger, epoch=0, sequence=0, recorded=now)
            arguments += (charger.key, stamped.id, stamped.type, stamped.body)
        if await self._lane.script(script("drop"), [shard.log, shard.size], arguments):
            count = sum(loss.count for loss in lost.values())
            log.error("the log was full: its oldest events were dropped", shard=shard.shard, events=count, until=until)


@dataclass(slots=True)
class _Loss:
    """What of one charger was dropped. The loss that a dropped gap event told of is counted in."""

    count: int = 0
    since: str = ""

    def add(self, entry: LogEntry) -> None:
        count, since = 1, rfc3339(_order(entry.position)[0] / 1000)
        if entry.type == _GAP:
            data = orjson.loads(entry.body)["data"]
            count, since = data["dropped"], data["from"]
        self.count += count
        self.since = min(self.since or since, since)


def _order(position: str) -> tuple[int, int]:
    milliseconds, _, sequence = position.partition("-")
    return int(milliseconds), int(sequence or 0)

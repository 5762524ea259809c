"""The log for those who read it with a cursor of their own: long poll and SSE."""

import hashlib
from collections.abc import Sequence

from gateway.cluster.cursors import is_position, seal, unseal
from gateway.cluster.entries import EntryReader
from gateway.cluster.keys import Keys, ShardKeys
from gateway.cluster.lane import Lane
from gateway.cluster.wire import Call
from gateway.core.errors import CursorExpired, NotFound
from gateway.core.identity import ChargerId
from gateway.core.ports import FeedPage, LogEntry

_SCANNED = 5_000
"""Entries looked at for one page of a filtered feed."""

Place = tuple[str, int]
"""Where a client stands in a shard: the last entry's position, and the running total of the log's bytes there."""


class EventFeed:
    """The Feed. Order is that of the log for each charger; chargers are interleaved by the time of their events.

    A cursor holds the shards' incarnations and one place per shard, so that one of before Redis lost its data is
    found out. What was trimmed before a client came for it is told: the log counts the bytes that it has let go, and
    an entry's running total says whether they were read. So is a log that a failover set back behind the client.
    """

    def __init__(self, lane: Lane, keys: Keys) -> None:
        self._lane, self._keys = lane, keys
        self._entries = EntryReader()

    async def earliest(self) -> str:
        """The cursor before everything that is kept."""
        shards = self._keys.all_shards()
        bases = await self._lane.calls([("HGET", shard.size, "base") for shard in shards])
        return _sealed(await self._incarnation(shards), [("0-0", int(base or 0)) for base in bases])

    async def latest(self) -> str:
        """The cursor behind everything that is there."""
        shards = self._keys.all_shards()
        incarnation = await self._incarnation(shards)
        return _sealed(incarnation, [await self._last(shard.shard) for shard in shards])

    async def _incarnation(self, shards: Sequence[ShardKeys]) -> str:
        return _digest(await self._lane.calls([("GET", shard.incarnation) for shard in shards]))

    async def _last(self, shard: int) -> Place:
        keys = self._keys.shard(shard)
        found, total = await self._lane.calls(
            [("XREVRANGE", keys.log, "+", "-", "COUNT", 1), ("HGET", keys.size, "total")]
        )
        return (found[0][0].decode(), _total(found[0][1])) if found else ("0-0", int(total or 0))

    async def read(
        self, after: str, *, limit: int, types: Sequence[str] = (), charger: ChargerId | None = None
    ) -> FeedPage:
        """Entries after a cursor; see the port Feed."""
        incarnation, places = self._places(after)
        items: list[LogEntry] = []
        scanned = 0
        while True:
            page = await self._page(incarnation, places, limit, charger)
            for shard, total, entry in page:
                places[shard] = (entry.position, total)
                scanned += 1
                if _is_wanted(entry, types, charger):
                    items.append(entry)
                    if len(items) == limit:
                        return FeedPage(items, _sealed(incarnation, places))
            if len(page) < limit or scanned >= _SCANNED:
                return FeedPage(items, _sealed(incarnation, places))

    async def entry(self, charger: ChargerId, position: str) -> LogEntry | None:
        """One entry of a charger; see the port Feed."""
        if not is_position(position):
            return None
        shard = self._keys.shard(self._keys.charger(charger).shard)
        raw = await self._lane.call("XRANGE", shard.log, position, position)
        found = self._entries.entries(raw)
        return found[0] if found and found[0].charger == charger and found[0].is_event else None

    async def _page(
        self, incarnation: str, places: list[Place], limit: int, charger: ChargerId | None
    ) -> list[tuple[int, int, LogEntry]]:
        """The next entries of all shards, at most `limit`, as (shard, running total, entry). Raises CursorExpired."""
        shards = self._keys.all_shards()
        if charger is not None:
            shards = [self._keys.shard(self._keys.charger(charger).shard)]
        calls: list[Call] = [("GET", shard.incarnation) for shard in self._keys.all_shards()]
        for shard in shards:
            # In this order: what is trimmed between the two is then told, if it was read or not.
            calls.append(("XRANGE", shard.log, f"({places[shard.shard][0]}", "+", "COUNT", limit))
            calls.append(("HMGET", shard.size, "base", "total"))
        replies = await self._lane.calls(calls)
        if _digest(replies[: self._keys.shards]) != incarnation:
            raise CursorExpired(await self.earliest())
        found: list[tuple[tuple[int, int], int, int, LogEntry]] = []
        del replies[: self._keys.shards]
        for n, shard in enumerate(shards):
            raw, (base, total) = replies[2 * n], replies[2 * n + 1]
            if not int(base or 0) <= places[shard.shard][1] <= int(total or 0):
                raise CursorExpired(await self.earliest())
            for position, fields in raw:
                entry = self._entries.entry(position.decode(), fields)
                found.append((_order(entry.position), shard.shard, _total(fields), entry))
        found.sort(key=lambda item: item[:2])
        return [item[1:] for item in found[:limit]]

    def _places(self, cursor: str) -> tuple[str, list[Place]]:
        """The incarnation and the places of a cursor. Raises NotFound for one that is none of ours."""
        incarnation, *parts = unseal(cursor, str, *(str, int) * self._keys.shards)
        places = list(zip(parts[::2], parts[1::2], strict=True))
        if not all(is_position(position) for position, _ in places):
            raise NotFound(f"no such cursor: {cursor}")
        return incarnation, places


def _sealed(incarnation: str, places: Sequence[Place]) -> str:
    return seal(incarnation, *(part for place in places for part in place))


def _digest(incarnations: Sequence[bytes | None]) -> str:
    return hashlib.sha256(b"/".join(one or b"" for one in incarnations)).hexdigest()[:16]


def _order(position: str) -> tuple[int, int]:
    milliseconds, _, sequence = position.partition("-")
    return int(milliseconds), int(sequence)


def _total(fields: list[bytes]) -> int:
    """The running total of the log's bytes behind an entry (commit.lua writes it last)."""
    return int(fields[fields.index(b"n", 8) + 1])


def _is_wanted(entry: LogEntry, types: Sequence[str], charger: ChargerId | None) -> bool:
    if not entry.is_event or (charger is not None and entry.charger != charger):
        return False
    return not types or any(
        entry.type == wanted or (wanted.endswith("*") and entry.type.startswith(wanted[:-1])) for wanted in types
    )

"""Transactions as they are listed: the latest first, or in the order in which they changed, for those who catch up."""

from math import floor
from typing import Any

import orjson

from gateway.cluster.cursors import seal, unseal
from gateway.cluster.keys import Keys
from gateway.cluster.lane import Lane
from gateway.core.clock import Clock
from gateway.core.ports import ChangesPage, Page
from gateway.core.transaction_query import TransactionQuery

_SCANNED = 5_000
"""Records looked at for one page; a filter that fits few of them gets a short page and goes on with the next."""

_SETTLED_MS = 50
"""Milliseconds that a change is old before it is told: within them one more may come that sorts before it, of the same
millisecond, or by the clock of a replica that was promoted."""


class Transactions:
    """Reads the indexes and records that commits write. Every method raises LogUnavailable, or NotFound for a cursor
    that is none of ours."""

    def __init__(self, lane: Lane, keys: Keys, *, clock: Clock) -> None:
        self._lane, self._keys, self._clock = lane, keys, clock

    # ------------------------------------------------------------ one

    async def get(self, transaction_id: str) -> dict[str, Any] | None:
        # The id tells no shard; asking each costs one flight.
        records = await self._lane.calls([("GET", shard.record(transaction_id)) for shard in self._keys.all_shards()])
        found = next((record for record in records if record is not None), None)
        return None if found is None else dict(orjson.loads(found))

    async def samples(self, transaction_id: str) -> list[dict[str, Any]]:
        """All samples of a transaction, in the order they came."""
        keys = [shard.samples(transaction_id) for shard in self._keys.all_shards()]
        stored = await self._lane.calls([("LRANGE", key, 0, -1) for key in keys])
        return [sample for messages in stored for message in messages for sample in orjson.loads(message)]

    # ------------------------------------------------------------ the latest first

    async def latest(self, query: TransactionQuery, *, after: str | None, limit: int) -> Page:
        """Those begun, ended or corrected last come first."""
        items: list[dict[str, Any]] = []
        scanned = 0
        while True:
            found = await self._latest(self._indexes(query), after, limit + 1)
            page, more = found[:limit], len(found) > limit
            for (at, transaction, _), record in zip(page, await self._records(page), strict=True):
                scanned += 1
                after = seal(at, transaction)
                if record is not None and query.matches(record):
                    items.append(record)
                    if len(items) == limit:
                        return Page(items, after if more or (at, transaction) != page[-1][:2] else None)
            if not more:
                return Page(items, None)
            if scanned >= _SCANNED:
                return Page(items, after)

    def _indexes(self, query: TransactionQuery) -> list[tuple[int, str]]:
        if query.charger is not None:
            keys = self._keys.charger(query.charger)
            return [(keys.shard, keys.transactions)]
        return [(shard.shard, shard.transactions) for shard in self._keys.all_shards()]

    async def _latest(
        self, indexes: list[tuple[int, str]], after: str | None, most: int
    ) -> list[tuple[float, str, int]]:
        """The latest transactions of several indexes, as (when, id, shard)."""
        at, last = (float("inf"), "") if after is None else unseal(after, float, str)
        bound = "+inf" if after is None else f"({at!r}"
        calls: list[tuple[str | int, ...]] = []
        for _, index in indexes:
            calls.append(("ZREVRANGEBYSCORE", index, bound, "-inf", "WITHSCORES", "LIMIT", 0, most))
            calls.append(
                ("ZREVRANGEBYSCORE", index, *((at, at) if after is not None else ("-inf", "-inf")), "WITHSCORES")
            )
        found: list[tuple[float, str, int]] = []
        for n, reply in enumerate(await self._lane.calls(calls)):
            found += _members(reply, indexes[n // 2][0])
        return sorted((item for item in found if item[:2] < (at, last) or after is None), reverse=True)[:most]

    # ------------------------------------------------------------ as they changed

    async def changed(self, query: TransactionQuery, *, since_ms: float, after: str | None, limit: int) -> ChangesPage:
        """Those that began, ended or were corrected since a time (Unix ms, Redis's clock), the oldest change first.

        One that changes again comes again, at its new place. `cursor` goes on from here, also after the last page.
        """
        # Changes are stamped with the whole millisecond that they fell in, which begins before a time within it.
        at, last = (float(floor(since_ms)), "") if after is None else unseal(after, float, str)
        items: list[dict[str, Any]] = []
        scanned = 0
        while True:
            page, more = await self._changed(self._indexes(query), at, last, limit)
            for (score, transaction, _), record in zip(page, await self._records(page), strict=True):
                scanned += 1
                at, last = score, transaction
                if record is not None and query.matches(record):
                    items.append(record)
                    if len(items) == limit:
                        return ChangesPage(items, seal(at, last), more=more or (at, last) != page[-1][:2])
            if not more or scanned >= _SCANNED:
                return ChangesPage(items, seal(float(at), last), more=more)

    async def _changed(
        self, indexes: list[tuple[int, str]], at: float, last: str, most: int
    ) -> tuple[list[tuple[float, str, int]], bool]:
        # Primaries of a Cluster have clocks of their own: what the slowest has not reached, may still come there.
        settled = min(await self._lane.times([index for _, index in indexes])) - _SETTLED_MS
        # Those of the very moment of the cursor are few, and must be compared by their ids.
        calls: list[tuple[str | int | float, ...]] = []
        for _, index in indexes:
            calls.append(("ZRANGEBYSCORE", index, repr(at), repr(at), "WITHSCORES"))
            calls.append(("ZRANGEBYSCORE", index, f"({at!r}", settled, "WITHSCORES", "LIMIT", 0, most + 1))
        found: list[tuple[float, str, int]] = []
        for n, reply in enumerate(await self._lane.calls(calls)):
            found += _members(reply, indexes[n // 2][0])
        ordered = sorted(item for item in found if item[:2] > (at, last) and item[0] <= settled)
        return ordered[:most], len(ordered) > most

    async def _records(self, found: list[tuple[float, str, int]]) -> list[dict[str, Any] | None]:
        if not found:
            return []
        keys = [self._keys.shard(shard).record(transaction) for _, transaction, shard in found]
        records = await self._lane.calls([("GET", key) for key in keys])
        return [None if record is None else orjson.loads(record) for record in records]


def _members(reply: list[bytes], shard: int) -> list[tuple[float, str, int]]:
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return [(float(score), member.decode(), shard) for member, score in pairs]

"""What the gateway knows: chargers, transactions, nodes and dead letters, for those who list and look up."""

from collections.abc import AsyncIterator
from typing import Any

import orjson

from gateway.cluster.cursors import seal, unseal
from gateway.cluster.dead_letters import DeadLetters
from gateway.cluster.keys import Keys
from gateway.cluster.link import Lane
from gateway.cluster.liveness import Liveness
from gateway.cluster.scripts import script
from gateway.cluster.snapshots import Snapshots
from gateway.core.clock import Clock
from gateway.core.errors import CommandRefused, NotFound
from gateway.core.events import Event, StampedEvent, stamp
from gateway.core.identity import ChargerId
from gateway.core.ports import NodeInfo, Page, Snapshot

_ATTEMPTS = 5
_CONNECTED, _CHANGED = 1, 2


class State:
    """The StateStore. Every method raises LogUnavailable where Redis cannot be asked."""

    def __init__(self, lane: Lane, keys: Keys, liveness: Liveness, *, clock: Clock) -> None:
        self._lane, self._keys, self._liveness, self._clock = lane, keys, liveness, clock
        self._snapshots = Snapshots(lane, keys)
        self._dead_letters = DeadLetters(lane, keys)

    # ------------------------------------------------------------ chargers

    async def chargers(self, *, after: str | None = None, limit: int = 100) -> Page:
        """Snapshots of all known chargers. Raises NotFound for a cursor that is none of ours."""
        shard, name = (0, "") if after is None else unseal(after, int, str)
        items: list[Snapshot] = []
        while shard < self._keys.shards:
            names = await self._snapshots.names(shard, name or None, limit - len(items))
            items += [_present(snapshot) for snapshot in await self._snapshots.read(shard, names)]
            if len(items) >= limit:
                return Page(items, seal(shard, names[-1]))
            shard, name = shard + 1, ""
        return Page(items)

    async def known_chargers(self) -> AsyncIterator[ChargerId]:
        """Every charger that is known."""
        for shard in range(self._keys.shards):
            after: str | None = None
            while names := await self._snapshots.names(shard, after):
                for name in names:
                    yield ChargerId.from_key(name)
                after = names[-1]

    async def charger(self, charger: ChargerId) -> Snapshot | None:
        keys = self._keys.charger(charger)
        if await self._lane.call("ZSCORE", self._keys.shard(keys.shard).chargers, keys.name) is None:
            return None
        (snapshot,) = await self._snapshots.read(keys.shard, [keys.name])
        return _present(snapshot)

    async def owner(self, charger: ChargerId) -> str | None:
        node = await self._lane.call("HGET", self._keys.charger(charger).owner, "node")
        return None if node is None else str(node.decode())

    async def remove_charger(self, charger: ChargerId) -> None:
        """Forget an offline charger; see StateStore."""
        keys = self._keys.charger(charger)
        shard = self._keys.shard(keys.shard)
        names = [keys.owner, keys.state, keys.settings, shard.owners, shard.chargers, shard.log, shard.size]
        for _ in range(_ATTEMPTS):
            known, has_settings, epoch, fields = await self._lane.calls(
                [
                    ("ZSCORE", shard.chargers, keys.name),
                    ("EXISTS", keys.settings),
                    ("HGET", keys.owner, "epoch"),
                    ("HKEYS", keys.state),
                ]
            )
            if known is None and not has_settings:
                raise NotFound(f"no charger {charger}")
            event = self._removed(charger, int(epoch or 0) + 1, [field.decode() for field in fields])
            arguments = [keys.name, epoch or b"", event.id, event.type, event.body]
            outcome = await self._lane.script(script("remove_charger"), names, arguments)
            if outcome == _CONNECTED:
                break
            if outcome != _CHANGED:
                return
        raise CommandRefused(f"{charger} is connected")

    def _removed(self, charger: ChargerId, epoch: int, fields: list[str]) -> StampedEvent:
        places = [field.split("/")[1:] for field in fields if field.startswith("connector/")]
        connectors = sorted([int(evse), int(connector)] for evse, connector in places)
        now = self._clock.now()
        event = Event("ocpp.charger.removed", {"connectors": connectors}, key=f"removed/{epoch}/{now}")
        return stamp(event, charger=charger, epoch=epoch, sequence=0, recorded=now)

    # ------------------------------------------------------------ transactions

    async def transactions(
        self, *, charger: ChargerId | None = None, after: str | None = None, limit: int = 100
    ) -> Page:
        """Transaction records, the latest begun, ended or corrected first.

        Raises NotFound for a cursor that is none of ours.
        """
        if charger is None:
            indexes = [(shard.shard, shard.transactions) for shard in self._keys.all_shards()]
        else:
            keys = self._keys.charger(charger)
            indexes = [(keys.shard, keys.transactions)]
        found = await self._latest(indexes, after, limit + 1)
        page, more = found[:limit], len(found) > limit
        record_keys = [self._keys.shard(shard).record(transaction) for _, transaction, shard in page]
        records = await self._lane.calls([("GET", key) for key in record_keys])
        items = [orjson.loads(record) for record in records if record is not None]
        return Page(items, seal(page[-1][0], page[-1][1]) if more else None)

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
        replies = await self._lane.calls(calls)
        for n, reply in enumerate(replies):
            pairs = zip(reply[::2], reply[1::2], strict=True)
            shard = indexes[n // 2][0]
            found += [(float(score), member.decode(), shard) for member, score in pairs]
        return sorted((item for item in found if item[:2] < (at, last) or after is None), reverse=True)[:most]

    async def transaction(self, transaction_id: str) -> dict[str, Any] | None:
        # The id tells no shard; asking each costs one flight.
        records = await self._lane.calls([("GET", shard.record(transaction_id)) for shard in self._keys.all_shards()])
        found = next((record for record in records if record is not None), None)
        return None if found is None else dict(orjson.loads(found))

    async def samples(self, transaction_id: str) -> list[dict[str, Any]]:
        """All samples of a transaction, in the order they came."""
        keys = [shard.samples(transaction_id) for shard in self._keys.all_shards()]
        stored = await self._lane.calls([("LRANGE", key, 0, -1) for key in keys])
        return [sample for messages in stored for message in messages for sample in orjson.loads(message)]

    # ------------------------------------------------------------ nodes and dead letters

    async def nodes(self) -> list[NodeInfo]:
        return await self._liveness.nodes()

    async def dead_letters(self, *, after: str | None = None, limit: int = 100) -> Page:
        return await self._dead_letters.list(after=after, limit=limit)

    async def remove_dead_letter(self, letter_id: str) -> None:
        await self._dead_letters.remove(letter_id)


def _present(snapshot: Snapshot) -> Snapshot:
    """A known charger of which nothing was stored yet is not one that was removed."""
    return Snapshot(snapshot.charger, snapshot.fields) if snapshot.removed else snapshot

"""What the gateway knows: chargers, transactions, nodes and dead letters, for those who list and look up."""

from collections.abc import AsyncIterator
from typing import Any

from gateway.cluster.cursors import seal, unseal
from gateway.cluster.dead_letters import DeadLetters
from gateway.cluster.keys import Keys
from gateway.cluster.lane import Lane
from gateway.cluster.liveness import Liveness
from gateway.cluster.scripts import script
from gateway.cluster.snapshots import Snapshots
from gateway.cluster.transactions import Transactions
from gateway.core.clock import Clock
from gateway.core.errors import CommandRefused, NotFound
from gateway.core.events import Event, StampedEvent, stamp
from gateway.core.identity import ChargerId
from gateway.core.ledger import command_name
from gateway.core.ports import ChangesPage, NodeInfo, Page, Snapshot
from gateway.core.transaction_query import TransactionQuery

_ATTEMPTS = 5
_CONNECTED, _CHANGED = 1, 2


class State:
    """The StateStore. Every method raises LogUnavailable where Redis cannot be asked."""

    def __init__(self, lane: Lane, keys: Keys, liveness: Liveness, *, clock: Clock) -> None:
        self._lane, self._keys, self._liveness, self._clock = lane, keys, liveness, clock
        self._snapshots = Snapshots(lane, keys)
        self._dead_letters = DeadLetters(lane, keys)
        self._transactions = Transactions(lane, keys, clock=clock)

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

    async def transactions(self, query: TransactionQuery, *, after: str | None = None, limit: int = 100) -> Page:
        return await self._transactions.latest(query, after=after, limit=limit)

    async def changed_transactions(
        self, query: TransactionQuery, *, since: float, after: str | None = None, limit: int = 100
    ) -> ChangesPage:
        return await self._transactions.changed(query, since_ms=since * 1000, after=after, limit=limit)

    async def transaction(self, transaction_id: str) -> dict[str, Any] | None:
        return await self._transactions.get(transaction_id)

    async def caused(self, charger: ChargerId, command_id: str) -> str | None:
        name = self._keys.charger(charger).names + command_name(command_id)
        found = await self._lane.call("GET", name)
        return None if found is None else str(found.decode())

    async def samples(self, transaction_id: str) -> list[dict[str, Any]]:
        return await self._transactions.samples(transaction_id)

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

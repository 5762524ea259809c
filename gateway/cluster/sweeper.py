"""What a dead node held is said to be offline by those that survive it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from gateway.cluster.keys import LEFT, NODES, Keys, ShardKeys, sweep_key
from gateway.cluster.lane import Lane
from gateway.cluster.liveness import Liveness
from gateway.cluster.ownership import as_fields
from gateway.cluster.scripts import script
from gateway.core.clock import Clock
from gateway.core.errors import LogUnavailable, OwnershipLost
from gateway.core.events import stamp
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit, EventLog, Ownership
from gateway.core.twin import Twin

log = structlog.get_logger(__name__)

_AT_ONCE = 500
_LOOKS_PER_TERM = 10
"""So that what a dead node held is said to be offline hardly later than its term is over."""
_LOCK_SECONDS = 60


class Sweeper:
    """Takes each charger of a dead node under a fresh epoch, logs that it is offline, and gives it up.

    A charger that has come back elsewhere is left alone: the script takes only what the dead node still owns, and a
    claim in between makes the commit fail.
    """

    def __init__(
        self,
        lane: Lane,
        keys: Keys,
        event_log: EventLog,
        ownership: Ownership,
        liveness: Liveness,
        *,
        settle_mailbox: Callable[[str], Awaitable[None]],
        node: str,
        term: float,
        clock: Clock,
    ) -> None:
        self._lane, self._keys, self._log, self._ownership = lane, keys, event_log, ownership
        self._settle_mailbox = settle_mailbox
        self._liveness, self._node, self._term, self._clock = liveness, node, term, clock

    async def run(self) -> None:
        """Sweep what this node's own name left behind, then after each node that falls silent, until cancelled."""
        swept_own = False
        while True:
            try:
                if not swept_own:
                    await self._sweep(self._node, until_epochs=self._liveness.began_at)
                    swept_own = True
                await self._look_around()
            except LogUnavailable as error:
                log.debug("sweeping must wait", problem=str(error))
            await asyncio.sleep(self._term / _LOOKS_PER_TERM)

    async def _look_around(self) -> None:
        if not self._liveness.may_judge():
            return
        for node in await self._liveness.silent_nodes():
            if node == self._node or not self._liveness.may_judge():
                continue
            # One survivor is enough; where it dies at it, another follows when its mark has faded.
            if await self._lane.call("SET", sweep_key(node), self._node, "NX", "EX", _LOCK_SECONDS):
                count = await self._sweep(node, until_epochs=None)
                if await self._forget(node):
                    log.info("a node has left", left_node=node, chargers=count)
                else:
                    log.warning("a node is dead: its chargers are offline", dead_node=node, chargers=count)

    async def _forget(self, node: str) -> bool:
        """Strike a node off; returns whether it had said that it goes."""
        await self._settle_mailbox(node)
        _, had_left, _ = await self._lane.calls([("SREM", NODES, node), ("SREM", LEFT, node), ("DEL", sweep_key(node))])
        return bool(had_left)

    async def _sweep(self, node: str, *, until_epochs: Sequence[int] | None) -> int:
        """Returns how many chargers were swept. Raises LogUnavailable."""
        swept = 0
        for shard in self._keys.all_shards():
            until_epoch = None if until_epochs is None else until_epochs[shard.shard]
            flat = await self._lane.call("HGETALL", shard.owners)
            names = [name.decode() for name, owner in zip(flat[::2], flat[1::2], strict=True) if owner == node.encode()]
            for start in range(0, len(names), _AT_ONCE):
                chunk = names[start : start + _AT_ONCE]
                swept += sum(await asyncio.gather(*(self._take(shard, name, node, until_epoch) for name in chunk)))
        return swept

    async def _take(self, shard: ShardKeys, name: str, node: str, until_epoch: int | None) -> bool:
        charger = ChargerId.from_key(name)
        own = self._keys.charger(charger)
        arguments = [name, node, self._node, "" if until_epoch is None else until_epoch]
        taken = await self._lane.script(script("seize"), [own.owner, shard.owners, own.state], arguments)
        if taken is None:
            return False
        epoch, now = int(taken[0]), self._clock.now()
        # Its transactions stay as they are, so that the twin need not know them.
        change = Twin.restore(charger, as_fields(taken[1]), {}).disconnected(now, reason="node_lost")
        stamped = [
            stamp(event, charger=charger, epoch=epoch, sequence=place, recorded=now)
            for place, event in enumerate(change.events)
        ]
        try:
            await self._log.commit(Commit(charger, epoch, stamped, fields=change.fields))
            await self._ownership.release(charger, epoch)
        except OwnershipLost:
            log.debug("a charger came back while its dead node was swept", charger=str(charger))
        return True

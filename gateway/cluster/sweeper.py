"""What a dead node held is said to be offline by those that survive it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from gateway.cluster.keys import LEFT, NODES, Keys, ShardKeys, sweep_key
from gateway.cluster.lane import Lane
from gateway.cluster.liveness import Liveness
from gateway.cluster.ownership import as_fields
from gateway.cluster.scripts import script
from gateway.cluster.wire import Argument
from gateway.core.clock import Clock
from gateway.core.errors import LogUnavailable
from gateway.core.events import stamp
from gateway.core.identity import ChargerId
from gateway.core.twin import Twin

log = structlog.get_logger(__name__)

_AT_ONCE = 500
_LOOKS_PER_TERM = 10
"""So that what a dead node held is said to be offline hardly later than its term is over."""
_LOCK_SECONDS = 60
_CHANGED = 2


class Sweeper:
    """Takes each charger of a dead node under a fresh epoch, logs that it is offline, and gives it up, in one step.

    A charger that has come back elsewhere is left alone: the script takes only what the dead node still owns.
    """

    def __init__(
        self,
        lane: Lane,
        keys: Keys,
        liveness: Liveness,
        *,
        settle_mailbox: Callable[[str], Awaitable[None]],
        node: str,
        term: float,
        clock: Clock,
    ) -> None:
        self._lane, self._keys = lane, keys
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
            if await self._may_sweep(node):
                count = await self._sweep(node, until_epochs=None)
                if await self._forget(node):
                    log.info("a node has left", left_node=node, chargers=count)
                else:
                    log.warning("a node is dead: its chargers are offline", dead_node=node, chargers=count)

    async def _may_sweep(self, node: str) -> bool:
        """One survivor is enough; where it dies at it, another follows when its mark has faded.

        One whose sweep was broken off finds its own mark, and goes on.
        """
        key = sweep_key(node)
        marked = await self._lane.call("SET", key, self._node, "NX", "EX", _LOCK_SECONDS)
        return bool(marked) or await self._lane.call("GET", key) == self._node.encode()

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
        """Whether the charger was the dead node's, and is said to be offline now. Raises LogUnavailable."""
        charger = ChargerId.from_key(name)
        own = self._keys.charger(charger)
        keys = [own.owner, shard.owners, own.state, shard.log, shard.size]
        while True:
            (epoch, serial), flat = await self._lane.calls(
                [("HMGET", own.owner, "epoch", "serial"), ("HGETALL", own.state)]
            )
            held = int(epoch or 0)
            if until_epoch is not None and held >= until_epoch:
                return False
            arguments: list[Argument] = [name, node, epoch or b"", serial or b"", held + 1]
            done = await self._lane.script(
                script("node_lost"), keys, arguments + self._offline(charger, held + 1, as_fields(flat))
            )
            if done != _CHANGED:
                return bool(done)

    def _offline(self, charger: ChargerId, epoch: int, fields: dict[str, bytes]) -> list[Argument]:
        """The fields and events that say that a charger is offline, as the script takes them."""
        now = self._clock.now()
        # Its transactions stay as they are, so that the twin need not know them.
        change = Twin.restore(charger, fields, {}).disconnected(now, reason="node_lost")
        told: list[Argument] = [len(change.fields)]
        for pair in change.fields.items():
            told += pair
        for place, event in enumerate(change.events):
            stamped = stamp(event, charger=charger, epoch=epoch, sequence=place, recorded=now)
            told += (stamped.id, stamped.type, stamped.body)
        return told

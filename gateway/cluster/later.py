"""Later work: what nobody's message will trigger, kept in Redis until it is due, done by the node that holds the
charger, or by whichever is there where none does."""

import asyncio

import structlog

from gateway.cluster.hooks import NodeHooks
from gateway.cluster.keys import Keys
from gateway.cluster.lane import Lane
from gateway.cluster.scripts import script
from gateway.cluster.wire import Argument
from gateway.core.errors import GatewayError, LogUnavailable
from gateway.core.identity import ChargerId

log = structlog.get_logger(__name__)

_LOOK_EVERY = 1.0
_AT_ONCE = 50
_HIDDEN_SECONDS = 30.0
_SEPARATOR = "\n"


class LaterWork:
    """Schedules work per charger, and does what is due: at least once."""

    def __init__(self, lane: Lane, keys: Keys, *, node: str) -> None:
        self._lane, self._keys, self._node = lane, keys, node

    async def schedule(self, charger: ChargerId, kind: str, due: float, payload: bytes, *, key: str = "") -> None:
        """Have `hooks.later(kind, charger, payload)` called at `due` (Unix seconds) or soon after.

        (charger, kind, key) names the piece of work: scheduled again, it takes the new time and payload. Raises
        LogUnavailable.
        """
        own = self._keys.charger(charger)
        shard = self._keys.shard(own.shard)
        arguments: list[Argument] = [piece_of_work(own.name, kind, key), int(due * 1000), payload]
        await self._lane.script(script("later_schedule"), [shard.later, shard.later_payloads], arguments)

    async def cancel(self, charger: ChargerId, kind: str, *, key: str = "") -> None:
        """Forget a piece of work, if it is still there. Raises LogUnavailable."""
        own = self._keys.charger(charger)
        await self._done(own.shard, piece_of_work(own.name, kind, key).encode(), b"")

    async def run(self, hooks: NodeHooks) -> None:
        """Do what is due, until cancelled."""
        while True:
            for shard in range(self._keys.shards):
                try:
                    await self._do_due(shard, hooks)
                except LogUnavailable as error:
                    log.debug("later work must wait", shard=shard, problem=str(error))
            await asyncio.sleep(_LOOK_EVERY)

    async def _do_due(self, shard: int, hooks: NodeHooks) -> None:
        keys = self._keys.shard(shard)
        arguments: list[Argument] = [_AT_ONCE, int(_HIDDEN_SECONDS * 1000), self._node]
        claimed = await self._lane.script(
            script("later_claim"), [keys.later, keys.later_payloads, keys.owners], arguments
        )
        async with asyncio.TaskGroup() as tasks:
            for member, payload, ticket in claimed:
                tasks.create_task(self._do(shard, member, payload, ticket, hooks), name="later work")

    async def _do(self, shard: int, member: bytes, payload: bytes, ticket: bytes, hooks: NodeHooks) -> None:
        name, kind, _ = member.decode().split(_SEPARATOR, 2)
        try:
            async with asyncio.timeout(_HIDDEN_SECONDS):
                await hooks.later(kind, ChargerId.from_key(name), payload)
            await self._done(shard, member, ticket)
        except GatewayError as error:
            log.info("later work was not done and comes back", kind=kind, charger=name, problem=str(error))
        except Exception:
            # It comes back, and on every node: a bug in one piece of work must not take the fleet down with it.
            log.exception("later work failed and comes back", kind=kind, charger=name)

    async def _done(self, shard: int, member: bytes, ticket: bytes) -> None:
        keys = self._keys.shard(shard)
        await self._lane.script(script("later_done"), [keys.later, keys.later_payloads], [member, ticket])


def piece_of_work(name: str, kind: str, key: str) -> str:
    """The name of a piece of work; `name` is the charger's."""
    return _SEPARATOR.join((name, kind, key))

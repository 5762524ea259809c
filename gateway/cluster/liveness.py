"""Which nodes are alive, and whether Redis still is the one that we knew."""

import asyncio
import secrets

import orjson
import structlog

from gateway.cluster.hooks import NodeHooks
from gateway.cluster.keys import LEFT, NODES, SHARDS, Keys, node_key
from gateway.cluster.lane import Lane
from gateway.cluster.wire import Call
from gateway.core.clock import Clock
from gateway.core.errors import LogUnavailable
from gateway.core.ports import NodeInfo

log = structlog.get_logger(__name__)

_BEATS_PER_TERM = 10 / 3
_SLEPT_BEATS = 2
"""Beats without one from which on this node was asleep: others that slept with it had no time to beat, either."""


class Liveness:
    """Keeps this node's key alive and watches the database's incarnation."""

    def __init__(self, lane: Lane, keys: Keys, *, node: str, version: str, term: float, clock: Clock) -> None:
        self._lane, self._keys = lane, keys
        self._node, self._version, self._term, self._clock = node, version, term, clock
        self._started_at = clock.now()
        self._incarnations: list[bytes] = []
        self._good_since: float | None = None
        self._beat_at = 0.0
        self._registered = False
        self.began_at: list[int] = []
        """The clock of each shard's primary in ms when this process began: what its name owned before is another's
        legacy."""

    async def begin(self) -> None:
        """Learn the database's incarnations. Raises LogUnavailable."""
        self._incarnations = await self._current_incarnations()
        self.began_at = await self._lane.times([shard.log for shard in self._keys.all_shards()])
        self._good_since, self._beat_at = self._clock.monotonic(), self._clock.now()

    async def run(self, hooks: NodeHooks) -> None:
        """Beat until cancelled."""
        while True:
            try:
                await self._beat(hooks)
            except LogUnavailable:
                self._good_since = None
            await asyncio.sleep(self._term / _BEATS_PER_TERM)

    def may_judge(self) -> bool:
        """True once Redis has been reachable, and this node awake, for a full term: only then is a silent node a dead
        one."""
        if self._good_since is None or self._has_slept():
            return False
        return self._clock.monotonic() - self._good_since >= self._term

    def _has_slept(self) -> bool:
        """Whether this node was held up and has not beaten since. By the wall clock: the other one does not go on while
        a machine is suspended, and keys in Redis expire."""
        return self._clock.now() - self._beat_at > _SLEPT_BEATS * self._term / _BEATS_PER_TERM

    async def leave(self) -> None:
        """Say that this node is gone. What it still owns is swept by the others. Raises LogUnavailable."""
        await self._lane.calls([("SADD", LEFT, self._node), ("DEL", node_key(self._node))])

    async def nodes(self) -> list[NodeInfo]:
        """The nodes that are alive. Raises LogUnavailable."""
        return [info for _, info in await self._known() if info is not None]

    async def silent_nodes(self) -> list[str]:
        """Nodes that registered and are not alive any more. Raises LogUnavailable."""
        return [node for node, info in await self._known() if info is None]

    async def _known(self) -> list[tuple[str, NodeInfo | None]]:
        names = sorted(name.decode() for name in await self._lane.call("SMEMBERS", NODES))
        values = await self._lane.calls([("GET", node_key(name)) for name in names])
        return [(name, _node_info(name, value)) for name, value in zip(names, values, strict=True)]

    async def _beat(self, hooks: NodeHooks) -> None:
        info = {"started_at": self._started_at, "chargers": hooks.connection_count(), "version": self._version}
        _, is_news, _ = await self._lane.calls(
            [
                ("SET", node_key(self._node), orjson.dumps(info), "PX", int(self._term * 1000)),
                ("SADD", NODES, self._node),
                ("SREM", LEFT, self._node),
            ]
        )
        incarnations = await self._current_incarnations()
        if incarnations != self._incarnations:
            log.warning("redis lost its data: every charger is claimed anew")
            self._incarnations, self._good_since = incarnations, None
            hooks.forgotten()
        elif is_news and self._registered:
            # A survivor has struck this node off, and what it held is said to be offline.
            log.warning("this node was taken for dead: what it lost meanwhile is let go")
            hooks.forgotten()
        self._registered = True
        if self._good_since is None or self._has_slept():
            self._good_since = self._clock.monotonic()
        self._beat_at = self._clock.now()

    async def _current_incarnations(self) -> list[bytes]:
        """The incarnation of each shard, made where it has none: then it is new, or its server has lost its data."""
        made = secrets.token_hex(8)
        calls: list[Call] = [("SET", SHARDS, self._keys.shards, "NX")]
        for shard in self._keys.all_shards():
            calls += [("SET", shard.incarnation, made, "NX"), ("GET", shard.incarnation)]
        replies = await self._lane.calls(calls)
        return [bytes(incarnation) for incarnation in replies[2::2]]


def _node_info(node: str, value: bytes | None) -> NodeInfo | None:
    if value is None:
        return None
    info = orjson.loads(value)
    return NodeInfo(node, info["started_at"], info["chargers"], info["version"])

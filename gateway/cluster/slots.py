"""Which primary of a Redis Cluster holds which slot, learned from the Cluster and kept up to date."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from redis.crc import key_slot
from redis.exceptions import ClusterError, MovedError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.cluster.address import Address, RedisUrl, told
from gateway.cluster.backoff import Backoff
from gateway.cluster.servers import Connections, ask, open_connection
from gateway.core.errors import ConfigurationError, LogUnavailable

log = structlog.get_logger(__name__)

SLOTS = 16_384
_ASK_SECONDS = 1.0
_GAP_SECONDS = 0.1
"""Seconds between two looks at the slots, at the least."""


def slot_of(key: str | bytes) -> int:
    return int(key_slot(key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key))


class ClusterServers:
    """The primaries of a Cluster. `run` must be running; it learns the slots, and again when they are said to be stale.

    What is learned late costs a refused try only: a node that does not hold a slot says so, and does nothing.
    """

    def __init__(self, url: RedisUrl, connections: Connections, changed: Callable[[], None]) -> None:
        self._connections, self._changed = connections, changed
        self._seeds, self._nodes = url.nodes, list(url.nodes)
        self._by_slot: list[Address | None] = [None] * SLOTS
        self._known, self._stale = asyncio.Event(), asyncio.Event()
        self._stale.set()
        self.primaries: tuple[Address, ...] = ()
        self.unfit: ConfigurationError | None = None
        """Why this can be no Cluster of ours, once that is certain."""

    def server_of(self, key: str | bytes) -> Address | None:
        """The primary that holds a key, as far as is known."""
        return self._by_slot[slot_of(key)]

    def stale(self) -> None:
        """A server did not answer, or not as one that holds the slot: have a look."""
        self._stale.set()

    def moved(self, error: MovedError) -> None:
        """A node said who holds a slot now: that holds until the next look."""
        if error.host:
            self._by_slot[error.slot_id] = address = (error.host, error.port)
            if address not in self.primaries:
                self.primaries += (address,)
        self._stale.set()
        self._changed()

    async def known(self) -> None:
        """Come back once the slots are known. Raises LogUnavailable where they never will be."""
        await self._known.wait()
        if self.unfit is not None:
            raise LogUnavailable(str(self.unfit))

    async def connect(self, key: str, server: Address | None) -> Any:
        if server is None:
            await self.known()
            server = self.server_of(key)
        if server is None:
            self._stale.set()
            raise RedisConnectionError("no node of the Cluster holds this key's slot")
        try:
            return await open_connection(self._connections.make(server))
        except BaseException:
            self._stale.set()
            raise

    async def run(self) -> None:
        """Learn the slots whenever they may have changed, until cancelled."""
        backoff = Backoff()
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                self._learn(await self._ask_any())
                backoff.reset()
                await asyncio.sleep(_GAP_SECONDS)
            except (RedisError, OSError) as error:
                log.debug("the slots of the cluster cannot be learned", problem=str(error))
                self._stale.set()
                await backoff.wait()

    async def _ask_any(self) -> list[tuple[int, int, list[Address]]]:
        """The slots as (first, last, [primary, replica ...]) by the first node that tells them."""
        problem: Exception = ClusterError("the cluster has no nodes")
        unfit: ConfigurationError | None = None
        for node in random.sample(self._nodes, len(self._nodes)):
            try:
                async with asyncio.timeout(_ASK_SECONDS):
                    return await self._ask(node)
            except ResponseError as error:
                if "cluster support disabled" in str(error):
                    unfit = ConfigurationError(
                        f"{told(node)} is no node of a Redis Cluster: for one server write redis://, "
                        "for Sentinels redis+sentinel://"
                    )
                problem = error
            except (RedisError, OSError) as error:
                problem = error
        if unfit is not None and not self._known.is_set():
            self.unfit = unfit
            self._known.set()
        raise problem

    async def _ask(self, node: Address) -> list[tuple[int, int, list[Address]]]:
        connection = await open_connection(self._connections.make(node))
        try:
            ranges = await ask(connection, "CLUSTER", "SLOTS")
        finally:
            await connection.disconnect(nowait=True)
        # A node that knows no name for itself or another is found where we found this one.
        return [
            (first, last, [((host or b"").decode() or node[0], int(port)) for host, port, *_ in holders])
            for first, last, *holders in ranges
        ]

    def _learn(self, ranges: Sequence[tuple[int, int, list[Address]]]) -> None:
        if not ranges:
            raise ClusterError("no slot of the Cluster has a node yet")
        by_slot: list[Address | None] = [None] * SLOTS
        nodes: dict[Address, None] = {}
        for first, last, holders in ranges:
            by_slot[first : last + 1] = [holders[0]] * (last + 1 - first)
            nodes.update(dict.fromkeys(holders))
        primaries = tuple(dict.fromkeys(holders[0] for _, _, holders in ranges))
        is_news = by_slot != self._by_slot
        self._by_slot, self.primaries = by_slot, primaries
        # Those of the URL stay in reserve: a Cluster may come back under addresses that only they know.
        self._nodes = list(nodes | dict.fromkeys(self._seeds))
        self.unfit = None
        self._known.set()
        if is_news:
            log.info("the slots of the cluster are known", primaries=[told(one) for one in primaries])
            self._changed()

"""The way to Redis: makes connections, and says on the health board whether it is there."""

from collections.abc import Callable
from typing import Any

import structlog
from redis.exceptions import MovedError

from gateway.cluster.address import Address, read_url
from gateway.cluster.config import ClusterConfig
from gateway.cluster.sentinel import SentinelServers
from gateway.cluster.servers import Connections, OneServer, Servers
from gateway.cluster.slots import ClusterServers
from gateway.core.errors import ConfigurationError, LogUnavailable
from gateway.core.health import HealthBoard
from gateway.core.ports import Observer

log = structlog.get_logger(__name__)


class Link:
    """One Redis, whatever it is made of: a server, a primary that Sentinels name, the primaries of a Cluster."""

    def __init__(self, config: ClusterConfig, *, node: str, health: HealthBoard, observer: Observer) -> None:
        self._config, self._node = config, node
        self._health, self._observer = health, observer
        self._servers: Servers | None = None
        self._failing: set[int] = set()
        self._listeners: list[Callable[[], None]] = []
        self.cluster: ClusterServers | None = None
        """The primaries, where it is a Redis Cluster."""
        self.address = ""

    def open(self) -> None:
        """Read the URL. Raises ConfigurationError."""
        if not self._config.url:
            raise ConfigurationError("no Redis URL was given")
        try:
            url = read_url(self._config.url)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        connections = Connections(url, self._config, node=self._node)
        self.address = url.text
        if url.kind == "cluster":
            self._servers = self.cluster = ClusterServers(url, connections, self._changed)
        elif url.kind == "sentinel":
            self._servers = SentinelServers(url, connections, self._config)
        else:
            self._servers = OneServer(connections)

    async def run(self) -> None:
        """Keep watch over who is the primary, until cancelled; returns where there is nothing to watch."""
        if self._servers is not None:
            await self._servers.run()

    async def connect(self, key: str, server: Address | None) -> Any:
        """A connection to the primary that holds `key`, or to `server`. Raises LogUnavailable, RedisError, OSError."""
        if self._servers is None:
            raise LogUnavailable("the link to Redis is not open")
        return await self._servers.connect(key, server)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have `listener` called when other primaries than before hold the keys of a Cluster."""
        self._listeners.append(listener)

    def moved(self, error: MovedError) -> None:
        """A server says that another one holds what it was asked for."""
        if self.cluster is not None:
            self.cluster.moved(error)

    def stale(self) -> None:
        """A server did not do what the primary of a key does: look again who that is."""
        if self.cluster is not None:
            self.cluster.stale()

    def worked(self, user: object) -> None:
        """A user of the link got its replies. Redis is there once this is so of all that failed before."""
        self._failing.discard(id(user))
        if not self._failing and self._health.set("redis", "ok"):
            self._observer.up("redis", True)
            log.info("redis is there", address=self.address)

    def failed(self, user: object, detail: str) -> None:
        """A user of the link got no replies."""
        was_up = not self._failing
        self._failing.add(id(user))
        self.stale()
        if was_up:
            self._health.set("redis", "degraded", detail)
            self._observer.up("redis", False)
            log.warning("redis is away", address=self.address, problem=detail)

    def left(self, user: object) -> None:
        """A user of the link is gone."""
        self._failing.discard(id(user))

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()

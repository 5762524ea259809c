"""The servers behind a URL: which of them is asked, and how a connection to it is made.

Each kind of `Servers` gives connections to primaries only. Where a primary is replaced, connections to the old one
end or are refused by it, and the next one goes to the new.
"""

import asyncio
import inspect
from pathlib import Path
from typing import Any, Protocol

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError

from gateway.cluster.address import Address, RedisUrl
from gateway.cluster.config import ClusterConfig
from gateway.core.errors import ConfigurationError

CONNECT_SECONDS = 3.0


class Servers(Protocol):
    """Where the primaries are."""

    async def connect(self, key: str, server: Address | None) -> Any:
        """A connection to the primary that holds `key`, or to `server` where that is named.

        Raises RedisError or OSError.
        """
        ...

    async def run(self) -> None:
        """Keep watch over who is the primary, until cancelled; returns where there is nothing to watch."""
        ...


class Connections:
    """Makes redis-py's connection objects, not connected yet, with the options of URL and settings."""

    def __init__(self, url: RedisUrl, config: ClusterConfig, *, node: str) -> None:
        """Raises ConfigurationError where the options are none of redis-py's."""
        name = f"ocpp-gateway-{''.join(c if c.isalnum() else '-' for c in node)}"
        self._common: dict[str, Any] = {
            "socket_timeout": None,
            "socket_connect_timeout": CONNECT_SECONDS,
            "protocol": 2,
            "client_name": name,
            **_nameless(),
        }
        if not url.plain.startswith("unix:"):
            self._common["socket_keepalive"] = True
        if url.tls:
            self._common |= _tls(config)
        try:
            self._pool = ConnectionPool.from_url(url.plain, **self._common)
            self.make()
        except (ValueError, TypeError, RedisError) as error:
            raise ConfigurationError(f"the Redis URL cannot be used: {error}") from error

    def make(self, address: Address | None = None, **options: Any) -> Any:
        """A connection to `address`, or to that of the URL; `options` of redis-py win over all others."""
        place = {} if address is None else {"host": address[0], "port": address[1]}
        return self._pool.connection_class(**{**self._pool.connection_kwargs, **place, **options})


def _nameless() -> dict[str, None]:
    """Have redis-py not say its own name and version: that takes one more right, which older servers do not know."""
    if "driver_info" in inspect.signature(AbstractConnection.__init__).parameters:
        return {"driver_info": None}
    return {"lib_name": None, "lib_version": None}


def _tls(config: ClusterConfig) -> dict[str, str]:
    """Raises ConfigurationError for a file that is not there, which would otherwise look like a server that is away."""
    files: dict[str, Path | None] = {
        "ssl_ca_certs": config.ca_file,
        "ssl_certfile": config.certificate,
        "ssl_keyfile": config.key,
    }
    given = {name: path for name, path in files.items() if path is not None}
    for path in given.values():
        if not path.is_file():
            raise ConfigurationError(f"[redis] names a file that is not there: {path}")
    return {name: str(path) for name, path in given.items()}


async def open_connection(connection: Any) -> Any:
    """Connect it, within CONNECT_SECONDS. Raises RedisError or OSError."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.connect()
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    return connection


async def ask(connection: Any, *command: str) -> Any:
    """One command's reply over a connection, which is closed on failure. Raises RedisError or OSError."""
    try:
        await connection.send_command(*command, check_health=False)
        return await connection.read_response(disable_decoding=True)
    except BaseException:
        await connection.disconnect(nowait=True)
        raise


class OneServer:
    """The server that the URL names."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def connect(self, key: str, server: Address | None) -> Any:
        return await open_connection(self._connections.make())

    async def run(self) -> None:
        pass

"""The servers behind a URL: which of them is asked, and how a connection to it is made.

Each kind of `Servers` gives connections to primaries only. Where a primary is replaced, connections to the old one
end or are refused by it, and the next one goes to the new.
"""

import asyncio
import inspect
from pathlib import Path
from typing import Any, Protocol

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from gateway.cluster.address import Address, RedisUrl, told
from gateway.cluster.config import ClusterConfig
from gateway.core.errors import ConfigurationError

CONNECT_SECONDS = 3.0
_ASK_SECONDS = 1.0


class Servers(Protocol):
    """Where the primaries are."""

    async def connect(self, key: str, server: Address | None) -> Any:
        """A connection to the primary that holds `key`, or to `server` where that is named.

        Raises RedisError or OSError.
        """
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


class SentinelServers:
    """The primary of a service that Sentinels watch. They are asked anew for each connection."""

    def __init__(self, url: RedisUrl, connections: Connections, config: ClusterConfig) -> None:
        self._connections, self._service = connections, url.service
        self._sentinels = list(url.nodes)
        password = config.sentinel_password
        self._login = {
            "username": config.sentinel_username,
            "password": None if password is None else password.get_secret_value(),
            "db": 0,
        }

    async def connect(self, key: str, server: Address | None) -> Any:
        """Asks one Sentinel after the other until one names a server that says itself that it is the primary."""
        problems: list[str] = []
        for sentinel in tuple(self._sentinels):
            try:
                async with asyncio.timeout(_ASK_SECONDS):
                    address = await self._primary(sentinel)
                connection = await self._connect_primary(address)
            except (RedisError, OSError) as error:
                problems.append(f"{told(sentinel)}: {str(error) or type(error).__name__}")
                continue
            # Who answered well is asked first the next time.
            self._sentinels.remove(sentinel)
            self._sentinels.insert(0, sentinel)
            return connection
        raise RedisConnectionError(f"no Sentinel leads to the primary of {self._service}: {'; '.join(problems)}")

    async def _primary(self, sentinel: Address) -> Address:
        connection = await open_connection(self._connections.make(sentinel, **self._login))
        try:
            found = await ask(connection, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)
        finally:
            await connection.disconnect(nowait=True)
        if found is None:
            raise ResponseError(f"it watches no service {self._service}")
        return found[0].decode(), int(found[1])

    async def _connect_primary(self, address: Address) -> Any:
        connection = await open_connection(self._connections.make(address))
        role = (await ask(connection, "ROLE"))[0].decode()
        if role != "master":
            await connection.disconnect(nowait=True)
            raise ResponseError(f"{told(address)} is no primary, but says that it is a {role}")
        return connection

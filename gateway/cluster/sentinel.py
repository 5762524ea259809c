"""The primary of a service that Sentinels watch, asked of them for each connection and every second."""

import asyncio
from collections import Counter
from typing import Any
from weakref import WeakSet

import structlog
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from gateway.cluster.address import Address, RedisUrl, told
from gateway.cluster.config import ClusterConfig
from gateway.cluster.servers import Connections, ask, open_connection

log = structlog.get_logger(__name__)

_ASK_SECONDS = 1.0
_LOOK_EVERY = 1.0


class SentinelServers:
    """Gives connections to the server that most Sentinels name, and that says itself that it is the primary.

    After a planned failover the old primary says so for ten seconds more (Sentinel, "SENTINEL FAILOVER"), and takes
    what nobody will keep: so `run` looks every second, and ends the connections to another than the one that is named.
    """

    def __init__(self, url: RedisUrl, connections: Connections, config: ClusterConfig) -> None:
        self._connections, self._service, self._sentinels = connections, url.service, url.nodes
        password = config.sentinel_password
        self._login = {
            "username": config.sentinel_username,
            "password": None if password is None else password.get_secret_value(),
            "db": 0,
        }
        self._made: WeakSet[Any] = WeakSet()

    async def connect(self, key: str, server: Address | None) -> Any:
        candidates, problems = await self._named()
        for address in candidates:
            try:
                connection = await self._connect_primary(address)
            except (RedisError, OSError) as error:
                problems.append(str(error) or f"{told(address)}: {type(error).__name__}")
                continue
            self._made.add(connection)
            return connection
        raise RedisConnectionError(f"no Sentinel leads to the primary of {self._service}: {'; '.join(problems)}")

    async def run(self) -> None:
        """End connections to servers that are the primary no more, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            used = {(connection.host, connection.port) for connection in self._made if connection.is_connected}
            candidates, _ = await self._named() if used else ([], [])
            if not candidates or used == {candidates[0]}:
                continue
            try:
                await (await self._connect_primary(candidates[0])).disconnect(nowait=True)
            except (RedisError, OSError) as error:
                log.debug("a Sentinel names a server that is no primary", problem=str(error))
                continue
            await self._leave_others(candidates[0])

    async def _leave_others(self, primary: Address) -> None:
        for connection in list(self._made):
            if (connection.host, connection.port) != primary:
                self._made.discard(connection)
                await connection.disconnect(nowait=True)
        log.info("the Sentinels name another primary, which is used from now on", address=told(primary))

    async def _named(self) -> tuple[list[Address], list[str]]:
        """The servers that Sentinels name, by how many do; and why others name none."""
        votes: Counter[Address] = Counter()
        problems: list[str] = []

        async def vote(sentinel: Address) -> None:
            try:
                async with asyncio.timeout(_ASK_SECONDS):
                    votes[await self._primary(sentinel)] += 1
            except (RedisError, OSError) as error:
                problems.append(f"{told(sentinel)}: {str(error) or type(error).__name__}")

        async with asyncio.TaskGroup() as tasks:
            for sentinel in self._sentinels:
                tasks.create_task(vote(sentinel), name=f"ask sentinel {told(sentinel)}")
        return [address for address, _ in votes.most_common()], problems

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

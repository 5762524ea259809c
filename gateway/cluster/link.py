"""Connections to Redis: few of them, each carrying many commands per round trip.

`Wire` is one connection for one user who sends a flight of commands and waits for all replies. `Lane` shares a wire
among many callers: what is asked while a flight is under way goes out together as the next. Both raise LogUnavailable
within a bounded time, and connect again by themselves.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from hiredis import pack_command
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import (
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from gateway.cluster.scripts import Script
from gateway.core.errors import ConfigurationError, LogUnavailable
from gateway.core.health import HealthBoard
from gateway.core.ports import Observer

log = structlog.get_logger(__name__)

Argument = str | bytes | int | float
Call = Sequence[Argument]

CONNECT_SECONDS = 3.0
REPLY_SECONDS = 5.0
_BACKOFF_FIRST, _BACKOFF_MOST = 0.05, 1.0
_LANE_FLIGHT = 500
_LANE_MOST = 10_000

_packed: Callable[[tuple[Argument, ...]], bytes] = cast(Any, pack_command)

# Answers that mean "not now, and not here": they end the connection, so that the next one may find a healthy server.
_AWAY = (ReadOnlyError, ClusterDownError, TryAgainError, OutOfMemoryError)
_AWAY_WORDS = ("MISCONF", "NOREPLICAS", "BUSY", "UNBLOCKED", "OOM", "LOADING", "MASTERDOWN")


class Backoff:
    """Growing waits with full jitter, so that many clients do not come back in step."""

    def __init__(self, first: float = _BACKOFF_FIRST, most: float = _BACKOFF_MOST) -> None:
        self._first, self._most = first, most
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def next(self) -> float:
        """Seconds to wait before the next try."""
        wait, self._next = self._next, min(self._next * 2, self._most)
        return wait * random.uniform(0.5, 1.0)

    async def wait(self) -> None:
        await asyncio.sleep(self.next())


class Link:
    """The way to one Redis: makes connections, and says on the health board whether it is there."""

    def __init__(self, url: str | None, *, node: str, health: HealthBoard, observer: Observer) -> None:
        self._url, self._node = url, node
        self._health, self._observer = health, observer
        self._pool: Any = None
        self._failing: set[int] = set()
        self.address = ""

    def open(self) -> None:
        """Read the URL. Raises ConfigurationError."""
        if not self._url:
            raise ConfigurationError("no Redis URL was given")
        parts = urlsplit(self._url)
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise ConfigurationError(f"a Redis URL begins with redis://, rediss:// or unix://, not {parts.scheme}://")
        options: dict[str, Any] = {} if parts.scheme == "unix" else {"socket_keepalive": True}
        try:
            self.address = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
            self._pool = ConnectionPool.from_url(
                self._url,
                socket_timeout=None,
                socket_connect_timeout=CONNECT_SECONDS,
                protocol=2,
                client_name=f"ocpp-gateway-{''.join(c if c.isalnum() else '-' for c in self._node)}",
                **options,
            )
            self._pool.make_connection()
        except (ValueError, TypeError, RedisError) as error:
            raise ConfigurationError(f"the Redis URL cannot be used: {error}") from error

    def connection(self) -> Any:
        if self._pool is None:
            raise LogUnavailable("the link to Redis is not open")
        return self._pool.make_connection()

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
        if was_up:
            self._health.set("redis", "degraded", detail)
            self._observer.up("redis", False)
            log.warning("redis is away", address=self.address, problem=detail)

    def left(self, user: object) -> None:
        """A user of the link is gone."""
        self._failing.discard(id(user))


class Wire:
    """One connection for one user. Not connected until the first exchange."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._connection: Any = None

    async def exchange(self, packed: Sequence[bytes], *, seconds: float = REPLY_SECONDS) -> list[Any]:
        """Send packed commands in one write; return their replies in order, a command's own error in its place.

        Raises LogUnavailable after `seconds` at the latest; then each command may or may not have been carried out.
        """
        try:
            async with asyncio.timeout(seconds):
                connection = await self._ready()
                await connection.send_packed_command(packed, check_health=False)
                replies = [await self._reply(connection) for _ in packed]
        except (RedisError, OSError) as error:
            await self._disconnect()
            problem = str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
            self._link.failed(self, problem)
            raise LogUnavailable(problem) from error
        except BaseException:
            # Replies to what was sent would be taken for replies to what is sent next.
            await self._disconnect()
            raise
        self._link.worked(self)
        return replies

    async def close(self) -> None:
        """Disconnect for good."""
        self._link.left(self)
        await self._disconnect()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.disconnect(nowait=True)
            except (RedisError, OSError) as error:
                log.debug("a connection to redis did not close cleanly", problem=str(error))

    async def _ready(self) -> Any:
        if self._connection is not None and await self._is_stale(self._connection):
            await self._disconnect()
        if self._connection is None:
            connection = self._link.connection()
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.connect()
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            self._connection = connection
        return self._connection

    @staticmethod
    async def _is_stale(connection: Any) -> bool:
        """True where the server closed an idle connection: nothing sent on it now would arrive."""
        if not connection.is_connected:
            return True
        probe = getattr(connection, "can_read", None) or connection.can_read_destructive
        try:
            return bool(await probe())
        except (RedisError, OSError):
            return True

    @staticmethod
    async def _reply(connection: Any) -> Any:
        try:
            return await connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except _AWAY:
            raise
        except ResponseError as error:
            if str(error).startswith(_AWAY_WORDS):
                raise
            return error


def pack(call: Call) -> bytes:
    """A command as it goes over the wire. Raises TypeError for an argument that is neither text nor number."""
    try:
        return _packed(tuple(call))
    except UnicodeEncodeError:
        # Text from outside may hold lone surrogates.
        return _packed(tuple(a.encode("utf-8", "surrogatepass") if isinstance(a, str) else a for a in call))


def script_call(script: Script, keys: Sequence[Argument], arguments: Sequence[Argument]) -> tuple[Argument, ...]:
    return ("EVALSHA", script.sha, len(keys), *keys, *arguments)


_Waiting = tuple[bytes, "asyncio.Future[Any]"]


class Lane:
    """One connection shared by many callers. `run` must be running, or every call fails."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._running = False

    async def run(self) -> None:
        """Carry commands until cancelled."""
        wire, backoff = Wire(self._link), Backoff()
        self._running = True
        try:
            while True:
                await self._wake.wait()
                flight, self._waiting = self._waiting[:_LANE_FLIGHT], self._waiting[_LANE_FLIGHT:]
                if not self._waiting:
                    self._wake.clear()
                flight = [item for item in flight if not item[1].done()]
                if not flight:
                    continue
                if await self._carry(wire, flight):
                    backoff.reset()
                else:
                    await backoff.wait()
        finally:
            self._running = False
            self._fail(self._waiting, "the gateway stops")
            await wire.close()

    async def _carry(self, wire: Wire, flight: list[_Waiting]) -> bool:
        try:
            replies = await wire.exchange([call for call, _ in flight])
        except LogUnavailable as error:
            self._fail(flight, str(error))
            return False
        except BaseException:
            self._fail(flight, "the gateway stops")
            raise
        for (_, future), reply in zip(flight, replies, strict=True):
            if not future.done():
                future.set_result(reply)
        return True

    @staticmethod
    def _fail(flight: list[_Waiting], reason: str) -> None:
        for _, future in flight:
            if not future.done():
                future.set_exception(LogUnavailable(reason))

    async def calls(self, calls: Sequence[Call]) -> list[Any]:
        """Carry out several commands in one flight; raises LogUnavailable, also where Redis refuses one."""
        if not calls:
            return []
        if not self._running:
            raise LogUnavailable("the link to Redis is closed")
        if len(self._waiting) > _LANE_MOST:
            raise LogUnavailable("too many wait for Redis")
        packed = [pack(call) for call in calls]
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Any]] = [loop.create_future() for _ in calls]
        self._waiting.extend(zip(packed, futures, strict=True))
        self._wake.set()
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                replies = await asyncio.gather(*futures)
        except TimeoutError as error:
            raise LogUnavailable("Redis gave no answer in time") from error
        for reply in replies:
            if isinstance(reply, NoScriptError):
                continue
            if isinstance(reply, RedisError):
                raise LogUnavailable(str(reply)) from reply
        return list(replies)

    async def call(self, *call: Argument) -> Any:
        """Carry out one command. Raises LogUnavailable."""
        return (await self.calls([call]))[0]

    async def script(self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument] = ()) -> Any:
        """Run a script as one step. Raises LogUnavailable."""
        return (await self.scripts([(script, keys, arguments)]))[0]

    async def scripts(self, runs: Sequence[tuple[Script, Sequence[Argument], Sequence[Argument]]]) -> list[Any]:
        """Run several scripts in one flight. Raises LogUnavailable."""
        replies = await self.calls([script_call(*run) for run in runs])
        unknown = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            # EVAL teaches Redis the script as it runs it.
            again = [("EVAL", runs[i][0].source, len(runs[i][1]), *runs[i][1], *runs[i][2]) for i in unknown]
            for index, reply in zip(unknown, await self.calls(again), strict=True):
                replies[index] = reply
        return replies

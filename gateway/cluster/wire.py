"""One connection to Redis for one user, who sends a flight of commands and waits for all replies.

It raises LogUnavailable within a bounded time, and connects again by itself, to whichever server is the primary then.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import structlog
from hiredis import pack_command
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from gateway.cluster.address import Address
from gateway.cluster.link import Link
from gateway.cluster.scripts import Script
from gateway.cluster.servers import CONNECT_SECONDS
from gateway.core.errors import LogUnavailable

log = structlog.get_logger(__name__)

Argument = str | bytes | int | float
Call = Sequence[Argument]

REPLY_SECONDS = 5.0

_packed: Callable[[tuple[Argument, ...]], bytes] = cast(Any, pack_command)

REDIRECTED = (AskError, TryAgainError, ClusterDownError)
"""Answers of a Cluster's node that is not, or not at present, the one for these keys: nothing was done."""

# Answers that mean "not now, and not here": they end the connection, so that the next one may find a healthy server.
_AWAY = (ReadOnlyError, MasterDownError, OutOfMemoryError)
_AWAY_WORDS = ("MISCONF", "NOREPLICAS", "BUSY", "UNBLOCKED", "OOM", "LOADING", "MASTERDOWN")
# So a replica before Redis 7 says of a script that it ran up to the first write.
_READ_ONLY_SCRIPT = "-READONLY "
# And so the newer and older ones of a script that does what the user may not.
_NO_RIGHT = ("ACL failure in script", "The user executing the script can't", "-NOPERM ")


class Wire:
    """One connection for one user, to the primary that holds `key`, or to `server`. Not connected until the first
    exchange."""

    def __init__(self, link: Link, *, key: str = "", server: Address | None = None) -> None:
        self._link, self._key, self._server = link, key, server
        self._connection: Any = None

    async def exchange(self, packed: Sequence[bytes], *, seconds: float = REPLY_SECONDS) -> list[Any]:
        """Send packed commands in one write; return their replies in order, a command's own error in its place.

        Raises LogUnavailable after `seconds` at the latest; then each command may or may not have been carried out.
        With `server`, a redirection is an error in its command's place; else it raises, too, and the next exchange goes
        where the key is then.
        """
        try:
            async with asyncio.timeout(seconds):
                connection = await self._ready()
                await connection.send_packed_command(packed, check_health=False)
                replies = [await self._reply(connection) for _ in packed]
        except (RedisError, OSError) as error:
            await self._disconnect()
            problem = explained(error)
            if isinstance(error, MovedError):
                self._link.moved(error)
            elif not isinstance(error, AskError):
                self._link.failed(self, problem)
            raise LogUnavailable(problem) from error
        except BaseException:
            # Replies to what was sent would be taken for replies to what is sent next.
            await self._disconnect()
            raise
        self._link.worked(self)
        return replies

    async def renew(self) -> None:
        """Have the next exchange connect anew: this server may be the primary no more."""
        await self._disconnect()

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
            async with asyncio.timeout(CONNECT_SECONDS):
                self._connection = await self._link.connect(self._key, self._server)
            if self._key:
                # It is for reading, which may take long where there is nothing new: the login's reply says enough.
                self._link.worked(self)
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

    async def _reply(self, connection: Any) -> Any:
        try:
            return await connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except _AWAY:
            raise
        except REDIRECTED as error:
            if self._server is None:
                raise
            return error
        except ResponseError as error:
            words = str(error)
            if words.startswith(_AWAY_WORDS) or _READ_ONLY_SCRIPT in words:
                raise
            return error


def lacks_right(error: Exception) -> bool:
    """Whether the Redis user may not do this, be it in a script."""
    return isinstance(error, NoPermissionError) or any(words in str(error) for words in _NO_RIGHT)


def explained(error: Exception) -> str:
    """What happened, for people; where a right is missing, what grants it."""
    words = str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
    if lacks_right(error):
        return f"the Redis user lacks a right ({words}); deploy/redis/users.acl has all that are needed"
    if isinstance(error, AuthenticationError):
        return f"Redis refuses the user name or password ({words})"
    return words


def pack(call: Call) -> bytes:
    """A command as it goes over the wire. Raises TypeError for an argument that is neither text nor number."""
    try:
        return _packed(tuple(call))
    except UnicodeEncodeError:
        # Text from outside may hold lone surrogates.
        return _packed(tuple(a.encode("utf-8", "surrogatepass") if isinstance(a, str) else a for a in call))


def script_call(script: Script, keys: Sequence[Argument], arguments: Sequence[Argument]) -> tuple[Argument, ...]:
    return ("EVALSHA", script.sha, len(keys), *keys, *arguments)

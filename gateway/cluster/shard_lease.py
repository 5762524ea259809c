"""The lease of one shard for one reader, and the cursor that only its holder moves."""

import asyncio

import structlog

from gateway.cluster.lane import Lane
from gateway.cluster.scripts import script
from gateway.cluster.wire import Argument
from gateway.core.clock import Clock
from gateway.core.errors import LogUnavailable

log = structlog.get_logger(__name__)

_CURSOR_GAP = 0.02
"""Seconds between two writes of the cursor, at the least: a crash repeats what was delivered in this time."""
_START = "0-0"


class ShardLease:
    """Held from the start. The cursor is stored with each renewal, and soon after it has moved."""

    def __init__(
        self, lane: Lane, *, lease: str, cursor: str, in_hand: str, token: str, term: float, clock: Clock
    ) -> None:
        self._lane, self._clock = lane, clock
        self.key, self.cursor_key, self.token = lease, cursor, token
        self._in_hand = in_hand
        self._term = term
        self._position = ""
        self._moved = asyncio.Event()
        self._giving_up = False

    def move(self, position: str) -> None:
        """The receiver has confirmed everything up to here."""
        self._position = position
        self._moved.set()

    def give_up(self) -> None:
        """Have `keep` return."""
        self._giving_up = True
        self._moved.set()

    async def stored_cursor(self) -> str:
        """Where reading goes on. Raises LogUnavailable."""
        stored = await self._lane.call("GET", self.cursor_key)
        return stored.decode() if stored else _START

    async def take_in_hand(self) -> bool:
        """Note that the receiver is dealt with here now. Returns whether the one before left it in doubt: it died, or
        lost its connection and did not get another. Raises LogUnavailable."""
        return await self._lane.call("SET", self._in_hand, self.token, "GET") is not None

    async def keep(self) -> None:
        """Renew the lease and store the cursor; returns when the lease is lost or given up."""
        good_until = self._clock.monotonic() + self._term
        while not self._giving_up and self._clock.monotonic() < good_until:
            try:
                async with asyncio.timeout(self._term / 3):
                    await self._moved.wait()
                await asyncio.sleep(_CURSOR_GAP)
            except TimeoutError:
                pass
            asked = self._clock.monotonic()
            try:
                if not await self.renew():
                    return
                good_until = asked + self._term
            except LogUnavailable as error:
                log.debug("a lease could not be renewed", lease=self.key, problem=str(error))
                await asyncio.sleep(self._term / 20)

    async def renew(self) -> bool:
        """Renew the lease and store the cursor with it. Raises LogUnavailable; False where the lease is lost."""
        self._moved.clear()
        arguments: list[Argument] = [self.token, int(self._term * 1000), self._position]
        return bool(await self._lane.script(script("lease"), [self.key, self.cursor_key], arguments))

    async def release(self, *, clean: bool) -> None:
        """Free the lease for the next; `clean`: the receiver is not left in doubt. Raises LogUnavailable."""
        await self._lane.script(script("unlease"), [self.key, self._in_hand], [self.token, int(clean)])

"""How a command that waited has ended, told to whoever gave it, on whatever node that was."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from gateway.core.clock import Clock
from gateway.core.commands import Command, CommandResult
from gateway.core.errors import LogUnavailable
from gateway.core.ports.stores import CommandStore, Mailboxes

log = structlog.get_logger(__name__)

Outlet = Callable[[CommandResult, dict[str, str]], None]
"""Takes a result, and what its command bore as `reply`."""

LOOK_EVERY = 2.0
"""Seconds between two looks for the end of a command, should the word of it be lost."""


class Endings:
    """Tells of ends, and waits for them."""

    def __init__(self, *, node: str, clock: Clock, commands: CommandStore, mailboxes: Mailboxes) -> None:
        self._node, self._clock = node, clock
        self._commands, self._mailboxes = commands, mailboxes
        self._outlets: dict[str, Outlet] = {}
        self._awaited: dict[str, set[asyncio.Event]] = {}

    def through(self, origin: str, outlet: Outlet) -> None:
        """Tell the ends of commands of this origin through an outlet."""
        self._outlets[origin] = outlet

    async def tell(self, command: Command, result: CommandResult) -> None:
        """Tell whoever gave a command that waited how it has ended; the result must be stored."""
        outlet = self._outlets.get(command.origin)
        if outlet is not None and command.reply is not None:
            outlet(result, command.reply)
        elif command.reply is not None:
            log.warning("nobody here can tell how a command ended", origin=command.origin, id=command.id)
        elif command.asked_at == self._node:
            self.heard(command.id)
        elif command.asked_at:
            await self._mailboxes.tell_ended(command.asked_at, command.id)

    def heard(self, command_id: str) -> None:
        """A command has ended: wake those who wait for it here."""
        for awaited in self._awaited.get(command_id, ()):
            awaited.set()

    async def wait(self, command_id: str, seconds: float) -> dict[str, Any] | None:
        """The public shape of a command once it has ended, None where it has not within so many seconds."""
        until = self._clock.monotonic() + seconds
        awaited = asyncio.Event()
        self._awaited.setdefault(command_id, set()).add(awaited)
        try:
            while True:
                awaited.clear()
                ended = await self._ended(command_id)
                left = until - self._clock.monotonic()
                if ended is not None or left <= 0:
                    return ended
                try:
                    async with asyncio.timeout(min(LOOK_EVERY, left)):
                        await awaited.wait()
                except TimeoutError:
                    continue
        finally:
            waiting = self._awaited[command_id]
            waiting.discard(awaited)
            if not waiting:
                del self._awaited[command_id]

    async def _ended(self, command_id: str) -> dict[str, Any] | None:
        try:
            found = await self._commands.get(command_id)
        except LogUnavailable:
            return None
        return None if found is None or found["outcome"] is None else found

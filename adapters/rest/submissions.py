"""Commands under way for REST clients: each a named task, waited for as long as the client wishes."""

import asyncio
from typing import Any

import structlog

from adapters.rest import problems
from gateway.core.commands import Command, CommandResult
from gateway.core.errors import GatewayError, LogUnavailable
from gateway.core.router import Router

log = structlog.get_logger(__name__)

BEGIN_TIMEOUT = 10.0
"""Seconds within which a command must be noted as running."""


class Submissions:
    """Carries commands out in tasks of the adapter's TaskGroup; they go on when the client stops waiting."""

    def __init__(self, *, router: Router, tasks: asyncio.TaskGroup, limit: int) -> None:
        self._router = router
        self._tasks = tasks
        self._limit = limit
        self._running: set[asyncio.Task[CommandResult | Exception | None]] = set()
        self._watching = 0
        self._waiting: set[asyncio.Event] = set()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether the adapter stops, so that what waits must end."""
        return self._stopping

    async def submit(self, command: Command, *, wait: float) -> dict[str, Any]:
        """The public shape of a command once it has ended, but after `wait` seconds at the latest.

        One with `"outcome": null` goes on, and can be asked for by its id. Raises CommandRefused, LogUnavailable,
        HttpProblem (too many commands are running).
        """
        if self._stopping or len(self._running) >= self._limit:
            state = "is stopping" if self._stopping else f"carries out {len(self._running)} commands already"
            detail = f"This node {state}; no command was made, try again in a moment."
            raise problems.HttpProblem(problems.BUSY, detail, headers={"Retry-After": "1"})
        until = asyncio.get_running_loop().time() + wait
        changed = asyncio.Event()
        task = self._tasks.create_task(self._carry_out(command, changed), name=f"rest command {command.id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: changed.set())
        if not await _is_set_within(changed, BEGIN_TIMEOUT):
            task.cancel()
            raise LogUnavailable(f"the command could not be noted within {BEGIN_TIMEOUT:g} s")
        if not task.done() and not self._stopping:
            changed.clear()
            await self._wait_for(changed, wait)
        if not task.done() or task.cancelled():
            return _unended(command, "running")
        ended = task.result()
        if isinstance(ended, Exception):
            raise ended
        if ended is not None:
            return ended.as_dict()
        return await self._ended(command, until) or _unended(command, "queued")

    async def _ended(self, command: Command, until: float) -> dict[str, Any] | None:
        """The end of a command that waits for its charger, None where it does not end in time."""
        left = until - asyncio.get_running_loop().time()
        if left <= 0 or self._stopping or self._watching >= self._limit:
            return None
        changed = asyncio.Event()
        watch = self._tasks.create_task(self._router.ended(command.id, left), name=f"rest command {command.id} waits")
        watch.add_done_callback(lambda _: changed.set())
        self._watching += 1
        try:
            await self._wait_for(changed, left)
        finally:
            self._watching -= 1
            watch.cancel()
        return watch.result() if watch.done() and not watch.cancelled() else None

    async def _wait_for(self, changed: asyncio.Event, seconds: float) -> None:
        """Wait for it, for so long, unless the adapter stops."""
        self._waiting.add(changed)
        try:
            await _is_set_within(changed, seconds)
        finally:
            self._waiting.discard(changed)

    def release_waiting(self) -> None:
        """Answer every waiting client now (202), and take no more commands: the adapter stops."""
        self._stopping = True
        for changed in self._waiting:
            changed.set()

    def cancel(self) -> None:
        """Give up what still runs; the router notes how it ended."""
        for task in tuple(self._running):
            task.cancel()

    async def _carry_out(self, command: Command, begun: asyncio.Event) -> CommandResult | Exception | None:
        try:
            result = await self._router.submit(command, begun=begun.set)
        except GatewayError as error:
            return error
        except Exception as error:
            # Raised in the TaskGroup, a bug in one command would end the adapter and every other command.
            log.exception("command failed", command=command.name, command_id=command.id, charger=str(command.charger))
            return error
        log.info(
            "command waits for its charger" if result is None else "command ended",
            command=command.name,
            command_id=command.id,
            charger=str(command.charger),
            outcome=None if result is None else result.outcome.value,
            origin=command.origin,
        )
        return result


def _unended(command: Command, state: str) -> dict[str, Any]:
    fields = ("reason", "safe_to_retry", "result", "transaction")
    named = {"id": command.id, "charger_id": command.charger.identity, "name": command.name}
    return {**named, "state": state, "outcome": None, **dict.fromkeys(fields)}


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

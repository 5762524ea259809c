"""Commands under way for REST clients: each a named task, waited for as long as the client wishes."""

import asyncio

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
        self._running: set[asyncio.Task[CommandResult | Exception]] = set()
        self._waiting: set[asyncio.Event] = set()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether the adapter stops, so that what waits must end."""
        return self._stopping

    async def submit(self, command: Command, *, wait: float) -> CommandResult | None:
        """Its result if it ended within `wait` seconds, else None: it goes on, and can be asked for by its id.

        Raises CommandRefused, LogUnavailable, HttpProblem (too many commands are running).
        """
        if self._stopping or len(self._running) >= self._limit:
            state = "is stopping" if self._stopping else f"carries out {len(self._running)} commands already"
            detail = f"This node {state}; no command was made, try again in a moment."
            raise problems.HttpProblem(problems.BUSY, detail, headers={"Retry-After": "1"})
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
            self._waiting.add(changed)
            try:
                await _is_set_within(changed, wait)
            finally:
                self._waiting.discard(changed)
        if not task.done() or task.cancelled():
            return None
        ended = task.result()
        if isinstance(ended, Exception):
            raise ended
        return ended

    def release_waiting(self) -> None:
        """Answer every waiting client now (202), and take no more commands: the adapter stops."""
        self._stopping = True
        for changed in self._waiting:
            changed.set()

    def cancel(self) -> None:
        """Give up what still runs; the router notes how it ended."""
        for task in tuple(self._running):
            task.cancel()

    async def _carry_out(self, command: Command, begun: asyncio.Event) -> CommandResult | Exception:
        try:
            result = await self._router.submit(command, begun=begun.set)
        except GatewayError as error:
            return error
        except Exception as error:
            # Raised in the TaskGroup, a bug in one command would end the adapter and every other command.
            log.exception("command failed", command=command.name, command_id=command.id, charger=str(command.charger))
            return error
        log.info(
            "command ended",
            command=command.name,
            command_id=command.id,
            charger=str(command.charger),
            outcome=result.outcome.value,
            origin=command.origin,
        )
        return result


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

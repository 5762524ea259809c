"""Sees to it that a command which another node answers for has an outcome: that node may be dead or cut off, or may
have heard of it when the charger was still elsewhere."""

import asyncio
from collections.abc import Callable

import structlog

from adapters.mqtt.commands import Request
from gateway.core.clock import Clock
from gateway.core.commands import Command, CommandResult, Outcome, Stage
from gateway.core.errors import CommandRefused, LogUnavailable
from gateway.core.router import Router

_log = structlog.get_logger(__name__)

LOOK_EVERY = 2.0
GRACE = 2.0
"""Seconds after its deadline in which a command's outcome may still come from the node that sees to it."""
GIVE_UP = 90.0
"""Seconds after its deadline in which Redis must be back for a command to have an outcome."""
MOST_WATCHED = 10_000


class Witness:
    """Watches commands that another node answers for."""

    def __init__(self, router: Router, clock: Clock) -> None:
        self._router, self._clock = router, clock
        self._watched = 0

    async def watch(
        self, request: Request, make: Callable[[], Command], *, unsent: bool, superseded: Callable[[], bool]
    ) -> CommandResult | None:
        """The outcome of a command, where this node comes to tell it; None where another does.

        `make` makes it. One that is `unsent` was this node's to carry out, and Redis was away when it should begin.
        `superseded` tells whether a newer one has come that takes its place as long as it was not sent.
        """
        if self._watched >= MOST_WATCHED:
            _log.warning("too many commands are watched: should its node die, this one has no result",
                         command_id=request.id, charger=str(request.charger))  # fmt: skip
            return None
        self._watched += 1
        try:
            return await self._watch(request, make, unsent, superseded)
        finally:
            self._watched -= 1

    async def _watch(
        self, request: Request, make: Callable[[], Command], unsent: bool, superseded: Callable[[], bool]
    ) -> CommandResult | None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                is_over, result = await self._look(request, make, unsent, superseded)
            except CommandRefused:
                # Another node has begun with it since, or it is another one's id.
                continue
            except LogUnavailable:
                is_over, result = False, None
            if is_over:
                return result
            if self._clock.now() > request.latest + GIVE_UP:
                _log.warning(
                    "what became of a command is not known", command_id=request.id, charger=str(request.charger)
                )
                is_here = self._router.local(request.charger) is not None
                return request.result(Outcome.TIMEOUT, "Redis was away for too long") if is_here else None

    async def _look(
        self, request: Request, make: Callable[[], Command], unsent: bool, superseded: Callable[[], bool]
    ) -> tuple[bool, CommandResult | None]:
        """Whether nothing is left to be watched, and the result that is to be told."""
        hearing = self._router.hearing
        standing = await hearing.standing(request.ids)
        if standing.stage in (Stage.ENDED, Stage.WAITING):
            return True, None
        is_late = self._clock.now() > request.latest + GRACE
        if standing.node is not None and not (unsent and standing.node == hearing.node):
            # By then it has told why it did not begin: too late, not valid, too many before it.
            return is_late and standing.stage is Stage.HEARD, None
        if standing.stage is not Stage.BEGUN:
            return await self._see_to(request, make, is_late, superseded)
        if unsent:
            never = request.result(Outcome.OFFLINE, "Redis could not be reached, so the command was not sent")
            return True, await self._router.end_lost(never, deadline=request.deadline)
        if not is_late:
            return False, None
        lost = request.result(Outcome.TIMEOUT, "the node that carried it out ended before the answer came")
        return True, await self._router.end_lost(lost, deadline=request.deadline)

    async def _see_to(
        self, request: Request, make: Callable[[], Command], is_late: bool, superseded: Callable[[], bool]
    ) -> tuple[bool, CommandResult | None]:
        """Carry out a command that no living node sees to, or end it where it is too late for that."""
        if not await self._router.hearing.take(request.id, until=request.latest):
            return False, None
        refusal = request.refused(self._clock.now())
        if request.arguments is None:
            return True, refusal
        if superseded():
            return True, await self._router.end_superseded(make())
        if not is_late and refusal is None:
            return True, await self._router.submit(make())
        return True, await self._router.end_unsent(make())

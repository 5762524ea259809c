"""Carries commands out: in order for each charger, side by side over chargers, each answered by one node alone."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from adapters.mqtt.commands import Request
from gateway.core.clock import Clock
from gateway.core.commands import CommandResult, Outcome
from gateway.core.errors import CommandRunning, IdempotencyConflict, LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.router import Router

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """A result and where the requester wants it; `response_topic` None is the result topic."""

    result: CommandResult
    response_topic: str | None = None
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A request and where its result shall go."""

    request: Request
    response_topic: str | None = None
    correlation: bytes | None = None


class Execution:
    """Runs orders in tasks of the given group, and hands every reply that is this node's to give to `answer`.

    `waiting_limit` is how many orders of one charger may wait behind the one that runs. `ended` is called after each
    order, when `pending` has fallen.
    """

    def __init__(
        self,
        *,
        router: Router,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        waiting_limit: int,
        answer: Callable[[Reply], None],
        ended: Callable[[], None],
    ) -> None:
        self._router = router
        self._clock = clock
        self._tasks = tasks
        self._waiting_limit = waiting_limit
        self._answer = answer
        self._ended = ended
        self._queues: dict[ChargerId, deque[Order]] = {}
        self.pending = 0
        """Orders that wait or run."""

    def submit(self, order: Order) -> None:
        """Queue an order behind the others of its charger; where too many wait, it ends as cancelled at once."""
        charger = order.request.charger
        queue = self._queues.get(charger)
        self.pending += 1
        if queue is None:
            self._queues[charger] = deque((order,))
            self._tasks.create_task(self._work_through(charger), name=f"mqtt commands: {charger}")
        elif len(queue) > self._waiting_limit:
            self._tasks.create_task(self._settle(order, one_too_many=True), name=f"mqtt command too many: {charger}")
        else:
            queue.append(order)

    async def _work_through(self, charger: ChargerId) -> None:
        """Carry out what waits for a charger; the first in the queue is the one that runs."""
        queue = self._queues[charger]
        while queue:
            await self._settle(queue[0])
            queue.popleft()
        del self._queues[charger]

    async def _settle(self, order: Order, *, one_too_many: bool = False) -> None:
        request = order.request
        try:
            result = await self._result(request, one_too_many)
        except Exception:
            # Raised in the TaskGroup, a bug in one command would end the adapter and every other command.
            _log.exception("command failed", **_names(request))
            result = request.result(Outcome.TIMEOUT, "the gateway failed while carrying it out")
        if result is not None:
            _log.debug("command ended", **_names(request), outcome=result.outcome.value, reason=result.reason)
            self._answer(Reply(result, order.response_topic, order.correlation))
        self.pending -= 1
        self._ended()

    async def _result(self, request: Request, one_too_many: bool) -> CommandResult | None:
        """None where another node or another request gives it."""
        refusal = request.refused(self._clock.now())
        if refusal is None and one_too_many:
            refusal = request.result(
                Outcome.CANCELLED, f"{self._waiting_limit} commands wait for this charger already; none is added"
            )
        try:
            if refusal is not None:
                return refusal if await self._router.answers_for(request.charger) else None
            return await self._router.submit_owned(request.command())
        except CommandRunning:
            _log.info("command is running already; the first one answers", **_names(request))
            return None
        except IdempotencyConflict as error:
            return request.result(Outcome.INVALID, str(error))
        except LogUnavailable:
            if self._router.local(request.charger) is not None:
                return request.result(Outcome.OFFLINE, "Redis cannot be reached, so the command was not sent")
            # The charger's node, if there is one, answers; whether there is one only Redis knows.
            _log.warning("command left to the charger's node: Redis cannot be reached", **_names(request))
            return None


def _names(request: Request) -> dict[str, str]:
    return {"command": request.name, "command_id": request.id, "charger": str(request.charger), "origin": "mqtt"}

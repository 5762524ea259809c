"""Carries commands out: in order for each charger, side by side over chargers, each answered by one node alone.

The next one begins as soon as the charger has answered the calls of the one before: a report or an upload that follows
from a yes holds up nobody.
"""

import asyncio
from collections import Counter, deque
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


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A request and where its result shall go."""

    request: Request
    response_topic: str | None = None
    correlation: bytes | None = None


class Execution:
    """Runs orders in tasks of the given group, and hands every reply that is this node's to give to `answer`.

    `waiting_limit` is how many orders of one charger may wait behind the one that runs, those included whose calls were
    answered and that wait for what follows. `ended` is called after each order, when `pending` has fallen.
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
        self._followed: Counter[ChargerId] = Counter()
        self.pending = 0
        """Orders that wait, or run and have not had the answers to their calls."""

    def submit(self, order: Order) -> None:
        """Queue an order behind the others of its charger; where too many wait, it ends as cancelled at once."""
        charger = order.request.charger
        queue = self._queues.get(charger)
        waiting = self._followed[charger] + (0 if queue is None else len(queue))
        self.pending += 1
        if waiting > self._waiting_limit:
            self._tasks.create_task(self._settle(order, one_too_many=True), name=f"mqtt command too many: {charger}")
        elif queue is None:
            self._queues[charger] = deque((order,))
            self._tasks.create_task(self._work_through(charger), name=f"mqtt commands: {charger}")
        else:
            queue.append(order)
            left = max(0.0, order.request.deadline - self._clock.now())
            asyncio.get_running_loop().call_later(left, self._time_is_up, order)

    async def _work_through(self, charger: ChargerId) -> None:
        """Carry out what waits for a charger; the first in the queue is the one that runs."""
        queue = self._queues[charger]
        while queue:
            answered = asyncio.Event()
            self._tasks.create_task(self._settle(queue[0], answered), name=f"mqtt command: {charger}")
            await answered.wait()
            queue.popleft()
        del self._queues[charger]

    def _time_is_up(self, order: Order) -> None:
        """Take an order that still waits out of the queue, and have it told so."""
        charger = order.request.charger
        queue = self._queues.get(charger)
        if queue is not None and order in queue and order is not queue[0]:
            queue.remove(order)
            self._tasks.create_task(self._settle(order, late=True), name=f"mqtt command too late: {charger}")

    async def _settle(
        self,
        order: Order,
        answered: asyncio.Event | None = None,
        *,
        one_too_many: bool = False,
        late: bool = False,
    ) -> None:
        """Bring an order to its end; `answered` is set once the next one may begin."""
        request, follows = order.request, False

        def let_go() -> None:
            nonlocal follows
            if answered is not None and not answered.is_set():
                follows = True
                answered.set()
                self._followed[request.charger] += 1
                self._no_longer_pending()

        now = max(self._clock.now(), request.deadline) if late else self._clock.now()
        try:
            result = await self._result(request, request.refused(now), one_too_many, let_go)
        except Exception:
            # Raised in the TaskGroup, a bug in one command would end the adapter and every other command.
            _log.exception("command failed", **_names(request))
            result = request.result(Outcome.TIMEOUT, "the gateway failed while carrying it out")
        if result is not None:
            _log.debug("command ended", **_names(request), outcome=result.outcome.value, reason=result.reason)
            self._answer(Reply(result, order.response_topic, order.correlation))
        if follows:
            self._followed -= Counter((request.charger,))  # forgets whom nothing is waited for
            return
        if answered is not None:
            answered.set()
        self._no_longer_pending()

    def _no_longer_pending(self) -> None:
        self.pending -= 1
        self._ended()

    async def _result(
        self, request: Request, refusal: CommandResult | None, one_too_many: bool, answered: Callable[[], None]
    ) -> CommandResult | None:
        """None where another node or another request gives it."""
        if refusal is None and one_too_many:
            refusal = request.result(
                Outcome.CANCELLED, f"{self._waiting_limit} commands wait for this charger already; none is added"
            )
        try:
            if refusal is not None:
                return refusal if await self._router.answers_for(request.charger) else None
            return await self._router.submit_owned(request.command(answered))
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

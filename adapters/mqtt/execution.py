"""Carries commands out: in order for each charger, side by side over chargers, each answered by one node alone.

Whose charger it is when a command is heard answers for it, also where the charger is elsewhere by the time that it is
the command's turn. The next one begins as soon as the charger has answered the calls of the one before: a report or an
upload that follows from a yes holds up nobody.
"""

import asyncio
from base64 import b64decode, b64encode
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from adapters.mqtt.commands import Request
from adapters.mqtt.problems import from_text, to_text
from adapters.mqtt.topics import SetTopic
from adapters.mqtt.witness import Witness
from gateway.core.clock import Clock
from gateway.core.commands import CommandResult, Outcome, Stage
from gateway.core.errors import CommandRunning, IdempotencyConflict, LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.router import Router
from gateway.core.superseding import REASON

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """A result and where the requester wants it; `response_topic` None is the result topic. `sets` is the attribute
    that a home set by the command, and `at` (Unix seconds) when it ended."""

    result: CommandResult
    response_topic: str | None = None
    correlation: bytes | None = None
    sets: SetTopic | None = None
    at: float = 0.0

    @classmethod
    def of(cls, result: CommandResult, reply: dict[str, str], at: float) -> "Reply":
        """To a command that bore this `reply`."""
        correlation = reply.get("correlation")
        return cls(
            result,
            reply.get("topic"),
            None if correlation is None else b64decode(correlation),
            from_text(result.charger, reply.get("sets")),
            at,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A request and where its result shall go."""

    request: Request
    response_topic: str | None = None
    correlation: bytes | None = None

    @property
    def reply(self) -> dict[str, str]:
        """Where its result shall go, as text, for whichever node ends it."""
        told = {} if self.response_topic is None else {"topic": self.response_topic}
        if self.correlation is not None:
            told["correlation"] = b64encode(self.correlation).decode()
        if self.request.sets is not None:
            told["sets"] = to_text(self.request.sets)
        return told

    def replied(self, result: CommandResult, at: float) -> Reply:
        """Its result, on the way to whoever gave it."""
        return Reply(result, self.response_topic, self.correlation, self.request.sets, at)


@dataclass(slots=True, eq=False)
class _Held:
    """An order, and whether it is on this node to answer it."""

    order: Order
    is_ours: "asyncio.Task[bool]"
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the next one may begin."""

    @property
    def request(self) -> Request:
        return self.order.request


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
        self._queues: dict[ChargerId, deque[_Held]] = {}
        self._followed: Counter[ChargerId] = Counter()
        self._witness = Witness(router, clock)
        self._carried_out: Counter[str] = Counter()
        self.pending = 0
        """Orders that wait, or run and have not had the answers to their calls."""

    def submit(self, order: Order) -> None:
        """Queue an order behind the others of its charger; where too many wait, it ends as cancelled at once.

        One that waits, and that a newer one of its kind may supersede, gives its place to that one.
        """
        charger = order.request.charger
        queue = self._queues.get(charger)
        waiting = self._followed[charger] + (0 if queue is None else len(queue))
        self.pending += 1
        held = _Held(order, self._tasks.create_task(self._is_ours(order), name=f"mqtt command heard: {charger}"))
        if queue is None and waiting <= self._waiting_limit:
            self._queues[charger] = deque((held,))
            self._tasks.create_task(self._work_through(charger), name=f"mqtt commands: {charger}")
        elif queue is not None and (place := _superseded(queue, order.request)) is not None:
            older, queue[place] = queue[place], held
            self._refuse(older, Outcome.SUPERSEDED, REASON)
            self._wait_no_longer_than(held)
        elif queue is None or waiting > self._waiting_limit:
            many = f"{self._waiting_limit} commands wait for this charger already; none is added"
            self._refuse(held, Outcome.CANCELLED, many)
        else:
            queue.append(held)
            self._wait_no_longer_than(held)

    async def hand_over(self, charger: ChargerId) -> None:
        """Wait until none of what was heard so far waits for a charger here: another node has it now."""
        queue = self._queues.get(charger)
        if queue:
            await queue[-1].answered.wait()

    async def _is_ours(self, order: Order) -> bool:
        request = order.request
        try:
            is_ours = await self._router.answers_for(request.charger)
            return is_ours and await self._router.hearing.take(request.id, until=request.latest)
        except LogUnavailable:
            # Whoever can ask Redis knows whose it is; a socket that is open here proves nothing.
            return False

    def _refuse(self, held: _Held, outcome: Outcome, reason: str) -> None:
        refusal = held.request.refused(self._clock.now()) or held.request.result(outcome, reason)
        self._tasks.create_task(self._settle(held, refusal), name=f"mqtt command refused: {held.request.charger}")

    def _wait_no_longer_than(self, held: _Held) -> None:
        left = max(0.0, held.request.latest - self._clock.now())
        asyncio.get_running_loop().call_later(left, self._time_is_up, held)

    async def _work_through(self, charger: ChargerId) -> None:
        """Carry out what waits for a charger; the first in the queue is the one that runs."""
        queue = self._queues[charger]
        while queue:
            held = queue[0]
            self._tasks.create_task(self._settle(held), name=f"mqtt command: {charger}")
            await held.answered.wait()
            queue.popleft()
        del self._queues[charger]

    def _time_is_up(self, held: _Held) -> None:
        """Take an order that still waits out of the queue, and have it told so."""
        charger = held.request.charger
        queue = self._queues.get(charger)
        if queue is not None and held in queue and held is not queue[0]:
            queue.remove(held)
            late = held.request.refused(max(self._clock.now(), held.request.latest))
            self._tasks.create_task(self._settle(held, late), name=f"mqtt command too late: {charger}")

    async def _settle(self, held: _Held, refusal: CommandResult | None = None) -> None:
        """Bring an order to its end; `answered` is set once the next one may begin."""
        order, request, follows = held.order, held.request, False

        def let_go() -> None:
            nonlocal follows
            if not held.answered.is_set():
                follows = True
                held.answered.set()
                self._followed[request.charger] += 1
                self._no_longer_pending()

        try:
            result = await self._result(held, refusal or request.refused(self._clock.now()), let_go)
        except Exception:
            # Raised in the TaskGroup, a bug in one command would end the adapter and every other command.
            _log.exception("command failed", **_names(request))
            result = request.result(Outcome.TIMEOUT, "the gateway failed while carrying it out")
        if result is not None:
            _log.debug("command ended", **_names(request), outcome=result.outcome.value, reason=result.reason)
            self._answer(order.replied(result, self._clock.now()))
        if follows:
            self._followed -= Counter((request.charger,))  # forgets whom nothing is waited for
            return
        held.answered.set()
        self._no_longer_pending()

    def _no_longer_pending(self) -> None:
        self.pending -= 1
        self._ended()

    async def _result(
        self, held: _Held, refusal: CommandResult | None, answered: Callable[[], None]
    ) -> CommandResult | None:
        """None where another node or another request gives it, or whoever ends it, as it waits for its charger."""
        request = held.request
        if not await held.is_ours:
            self._watch(held, unsent=False)
            return None
        if refusal is not None and not await self._has_begun(request):
            return refusal
        is_first = request.id not in self._carried_out
        self._carried_out[request.id] += 1
        try:
            return await self._router.submit(request.command(answered, held.order.reply))
        except CommandRunning:
            _log.info("command is running already; the first one answers", **_names(request))
            return None
        except IdempotencyConflict as error:
            return request.result(Outcome.INVALID, str(error))
        except LogUnavailable:
            self._watch(held, unsent=is_first)
            return None
        finally:
            self._carried_out -= Counter((request.id,))

    async def _has_begun(self, request: Request) -> bool:
        """Whether a command was begun before, by whatever node: what has become of it counts, not what is wrong now."""
        if request.arguments is None:
            return False
        try:
            return (await self._router.hearing.standing(request.ids)).stage not in (Stage.UNHEARD, Stage.HEARD)
        except LogUnavailable:
            return False

    def _watch(self, held: _Held, *, unsent: bool) -> None:
        request = held.request
        self._tasks.create_task(self._witnessed(held.order, unsent), name=f"mqtt command watched: {request.charger}")

    async def _witnessed(self, order: Order, unsent: bool) -> None:
        request = order.request
        try:
            result = await self._witness.watch(request, lambda: request.command(None, order.reply), unsent=unsent)
        except Exception:
            # Raised in the TaskGroup, a bug in one command would end the adapter and every other command.
            _log.exception("command could not be watched", **_names(request))
            return
        if result is not None:
            _log.info("command seen to in another node's place", **_names(request), outcome=result.outcome.value)
            self._answer(order.replied(result, self._clock.now()))


def _superseded(queue: deque[_Held], request: Request) -> int | None:
    """The place of the waiting order that a request supersedes; the first in the queue waits no more."""
    kind = request.kind
    if kind is None:
        return None
    places = range(1, len(queue))
    return next((at for at in places if queue[at].request.kind == kind and queue[at].request.id != request.id), None)


def _names(request: Request) -> dict[str, str]:
    return {"command": request.name, "command_id": request.id, "charger": str(request.charger), "origin": "mqtt"}

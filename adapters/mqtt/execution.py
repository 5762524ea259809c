"""Carries commands out: in order for each charger, side by side over chargers, each answered by one node alone.

Whose charger it is when a command is heard answers for it, also where the charger is elsewhere by the time that it is
the command's turn. The next one begins as soon as the charger has answered the calls of the one before: a report or an
upload that follows from a yes holds up nobody.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import structlog

from adapters.mqtt.commands import Request
from adapters.mqtt.orders import Held, Order, Reply
from adapters.mqtt.pacing import Latest, Line, Pace
from adapters.mqtt.witness import Witness
from gateway.core.clock import Clock
from gateway.core.commands import CommandResult, Outcome, Stage
from gateway.core.errors import CommandRefused, CommandRunning, IdempotencyConflict, LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.router import Router
from gateway.core.superseding import REASON

_log = structlog.get_logger(__name__)


class Execution:
    """Runs orders in tasks of the given group, and hands every reply that is this node's to give to `answer`.

    `waiting_limit` is how many orders of one charger may wait behind the one that runs, those included whose calls were
    answered and that wait for what follows. `interval` is the seconds between two paced ones of a kind. `ended` is
    called after each order, when `pending` has fallen.
    """

    def __init__(
        self,
        *,
        router: Router,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        waiting_limit: int,
        interval: float,
        answer: Callable[[Reply], None],
        ended: Callable[[], None],
    ) -> None:
        self._router = router
        self._clock = clock
        self._tasks = tasks
        self._waiting_limit = waiting_limit
        self._answer = answer
        self._ended = ended
        self._lines: dict[ChargerId, Line] = {}
        self._pace = Pace(interval, clock)
        self._latest = Latest()
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
        line = self._lines.get(charger)
        waiting = self._followed[charger] + (0 if line is None else len(line))
        self.pending += 1
        self._latest.came(order.request)
        held = Held(order, self._pace.opens_at(order.request))
        held.is_ours = self._tasks.create_task(self._is_ours(held), name=f"mqtt command heard: {charger}")
        if line is not None and (older := line.superseded_by(held)) is not None:
            self._refuse(older, Outcome.SUPERSEDED, REASON)
        elif waiting > self._waiting_limit:
            many = f"{self._waiting_limit} commands wait for this charger already; none is added"
            self._refuse(held, Outcome.CANCELLED, many)
            return
        elif line is None:
            line = self._lines[charger] = Line()
            line.add(held)
            self._tasks.create_task(self._work_through(charger, line), name=f"mqtt commands: {charger}")
        else:
            line.add(held)
        self._wait_no_longer_than(held)

    async def hand_over(self, charger: ChargerId) -> None:
        """Wait until none of what was heard so far waits for a charger here: another node has it now."""
        line = self._lines.get(charger)
        if line is not None and line.last is not None:
            line.release()
            await line.last.answered.wait()

    def release(self) -> None:
        """Let nothing wait for its pace any more: this node is about to end."""
        self._pace.is_over = True
        for line in self._lines.values():
            line.release()

    async def _is_ours(self, held: Held) -> bool:
        try:
            if not await self._router.answers_for(held.request.charger):
                return False
            await self._recount(held)
            return await self._router.hearing.take(held.request.id, until=held.request.latest)
        except LogUnavailable:
            # Whoever can ask Redis knows whose it is; a socket that is open here proves nothing.
            return False

    async def _recount(self, held: Held) -> None:
        """Give a request the id that its message has, though equal ones came before this node heard any: those that
        are taken are theirs."""
        while (sighting := held.request.sighting) is not None and await self._router.hearing.is_taken(held.request.id):
            earlier, request = held.request.id, held.request.recounted(sighting)
            held.order = replace(held.order, request=request)
            self._latest.renamed(request, earlier)

    def _refuse(self, held: Held, outcome: Outcome, reason: str) -> None:
        refusal = held.request.refused(self._clock.now()) or held.request.result(outcome, reason)
        self._tasks.create_task(self._settle(held, refusal), name=f"mqtt command refused: {held.request.charger}")

    def _wait_no_longer_than(self, held: Held) -> None:
        left = max(0.0, held.request.latest - self._clock.now())
        asyncio.get_running_loop().call_later(left, self._time_is_up, held)

    async def _work_through(self, charger: ChargerId, line: Line) -> None:
        """Carry out what waits for a charger, one after the other."""
        while (held := await line.next(self._clock.monotonic)) is not None:
            self._pace.sent(held.request)
            self._tasks.create_task(self._settle(held), name=f"mqtt command: {charger}")
            await held.answered.wait()
            line.running = None
        del self._lines[charger]

    def _time_is_up(self, held: Held) -> None:
        """Take an order that still waits out of its line, and have it told so."""
        charger = held.request.charger
        line = self._lines.get(charger)
        if line is not None and line.take_out(held):
            late = held.request.refused(max(self._clock.now(), held.request.latest))
            self._tasks.create_task(self._settle(held, late), name=f"mqtt command too late: {charger}")

    async def _settle(self, held: Held, refusal: CommandResult | None = None) -> None:
        """Bring an order to its end; `answered` is set once the next one may begin."""
        await asyncio.wait((held.is_ours,))
        request, follows = held.request, False
        if refusal is not None:
            refusal = replace(refusal, id=request.id)

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
            self._answer(held.replied(result, self._clock.now()))
        if follows:
            self._followed -= Counter((request.charger,))  # forgets whom nothing is waited for
            return
        held.answered.set()
        self._no_longer_pending()

    def _no_longer_pending(self) -> None:
        self.pending -= 1
        self._ended()

    async def _result(
        self, held: Held, refusal: CommandResult | None, answered: Callable[[], None]
    ) -> CommandResult | None:
        """None where another node or another request gives it, or whoever ends it, as it waits for its charger."""
        request = held.request
        if not await held.is_ours:
            self._watch(held, unsent=False)
            return None
        if refusal is not None and not await self._has_begun(request):
            return await self._kept(held.order, refusal) if refusal.outcome is Outcome.SUPERSEDED else refusal
        is_first = request.id not in self._carried_out
        self._carried_out[request.id] += 1
        held.is_repeat = True

        def begun() -> None:
            held.is_repeat = False

        try:
            return await self._router.submit(request.command(answered, held.order.reply), begun=begun)
        except CommandRunning:
            _log.info("command is running already; the first one answers", **_names(request))
            return None
        except IdempotencyConflict as error:
            held.is_repeat = False
            return request.result(Outcome.INVALID, str(error))
        except LogUnavailable:
            self._watch(held, unsent=is_first)
            return None
        finally:
            self._carried_out -= Counter((request.id,))

    async def _kept(self, order: Order, superseded: CommandResult) -> CommandResult | None:
        """Have every node know that an order was superseded: should this one die, no other must carry it out."""
        try:
            return await self._router.end_superseded(order.request.command(None, order.reply))
        except (CommandRefused, LogUnavailable):
            return superseded

    async def _has_begun(self, request: Request) -> bool:
        """Whether a command was begun before, by whatever node: what has become of it counts, not what is wrong now."""
        if request.arguments is None:
            return False
        try:
            return (await self._router.hearing.standing(request.ids)).stage not in (Stage.UNHEARD, Stage.HEARD)
        except LogUnavailable:
            return False

    def _watch(self, held: Held, *, unsent: bool) -> None:
        request = held.request
        self._tasks.create_task(self._witnessed(held.order, unsent), name=f"mqtt command watched: {request.charger}")

    async def _witnessed(self, order: Order, unsent: bool) -> None:
        request = order.request
        try:
            result = await self._witness.watch(
                request,
                lambda: request.command(None, order.reply),
                unsent=unsent,
                superseded=lambda: self._latest.has_newer(request),
            )
        except Exception:
            # Raised in the TaskGroup, a bug in one command would end the adapter and every other command.
            _log.exception("command could not be watched", **_names(request))
            return
        if result is not None:
            _log.info("command seen to in another node's place", **_names(request), outcome=result.outcome.value)
            self._answer(order.replied(result, self._clock.now()))


def _names(request: Request) -> dict[str, str]:
    return {"command": request.name, "command_id": request.id, "charger": str(request.charger), "origin": "mqtt"}

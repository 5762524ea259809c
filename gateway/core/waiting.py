"""Commands that wait for their charger: put where they outlive every node, delivered in order to the connection that
the charger comes by, and ended when their time is up, they are cancelled, or a newer one takes their place."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from gateway.core.clock import Clock
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.endings import Endings
from gateway.core.errors import LogUnavailable, NotFound
from gateway.core.identity import ChargerId
from gateway.core.ports.calling import LocalCharger
from gateway.core.ports.observing import Observer
from gateway.core.ports.stores import CommandStore, Mailboxes
from gateway.core.ports.waiting import CommandQueue, Placed
from gateway.core.superseding import REASON

log = structlog.get_logger(__name__)

HANDOVER_SECONDS = 2.0
"""Seconds that the node which a charger was taken from has for handing over what it had not sent."""

_MOST_EARLY = 10_000
_PUT_WITHIN = 10.0
_RETRY = 0.5
_SAID = {
    Outcome.EXPIRED: "the charger did not connect in time",
    Outcome.OFFLINE: "the charger did not come back in time",
    Outcome.CANCELLED: "it was withdrawn while it waited for its charger",
    Outcome.SUPERSEDED: REASON,
    Outcome.TIMEOUT: "the node that carried it out ended before the answer came",
}

CarryOut = Callable[[Command, Callable[[], Awaitable[CommandResult | None]]], Awaitable[CommandResult | None]]
"""Brings the work on a command to its one stored result; None where the command waits again."""
Execute = Callable[[LocalCharger, Command], Awaitable[CommandResult]]


@dataclass(eq=False)
class _Delivery:
    """What waits for a charger goes to this connection; what is given to it meanwhile comes after."""

    charger: LocalCharger
    over: asyncio.Event = field(default_factory=asyncio.Event)
    again: bool = False
    after: str | None = None
    """The node that the charger was taken from, and that has more to deliver."""
    handed_over: asyncio.Event = field(default_factory=asyncio.Event)


class WaitingRoom:
    """The commands that wait, as one node sees them."""

    def __init__(
        self,
        *,
        node: str,
        clock: Clock,
        queue: CommandQueue,
        commands: CommandStore,
        mailboxes: Mailboxes,
        endings: Endings,
        observer: Observer,
        carry_out: CarryOut,
        execute: Execute,
    ) -> None:
        self._node, self._clock = node, clock
        self._queue, self._commands, self._mailboxes = queue, commands, mailboxes
        self._endings, self._observer = endings, observer
        self._carry_out, self._execute = carry_out, execute
        self._tasks: asyncio.TaskGroup | None = None
        self._deliveries: dict[ChargerId, _Delivery] = {}
        self._handed_over: dict[ChargerId, int] = {}
        self._hand_over: list[Callable[[ChargerId], Awaitable[None]]] = []
        self.draining = False

    async def run(self) -> None:
        """Deliver what waits for the chargers that come, until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    # ------------------------------------------------------------ waiting

    async def put(self, command: Command, *, until: float, ending: Outcome, elsewhere: str | None) -> Placed:
        """Have a command wait; see CommandQueue. Raises LogUnavailable where Redis stays away: it may wait or not."""
        give_up = self._clock.monotonic() + _PUT_WITHIN
        while True:
            try:
                await self._commands.note_waiting(command)
                placed = await self._queue.put(command, until=until, ending=ending, elsewhere=elsewhere)
                break
            except LogUnavailable:
                if self._clock.monotonic() >= give_up:
                    raise
                await asyncio.sleep(_RETRY)
        for older in placed.superseded:
            try:
                await self._end(older, Outcome.SUPERSEDED)
            except LogUnavailable as error:
                # When its time is up, what is left to do is done.
                log.info("a superseded command is told later", command=older.id, problem=str(error))
        return placed

    async def cancel(self, charger: ChargerId, command_id: str) -> CommandResult:
        """End a command that waits. Raises NotFound where it does not wait, and LogUnavailable."""
        command = await self._queue.end(charger, command_id, Outcome.CANCELLED)
        if command is None:
            raise NotFound(f"command {command_id} does not wait for its charger")
        return await self._end(command, Outcome.CANCELLED)

    async def time_is_up(self, charger: ChargerId, command_id: str) -> None:
        """End a command whose time to wait is over, or what is left of one whose node has died.

        Raises LogUnavailable where it must be done again.
        """
        found = await self._queue.overdue(charger, command_id)
        if found is not None:
            await self._end(*found)

    async def _end(self, command: Command, outcome: Outcome) -> CommandResult:
        result = CommandResult(command.id, command.charger, command.name, outcome, _SAID[outcome])
        result = await self._commands.finish(result, deadline=command.latest)
        self._observer.command(command.name, result.outcome.value, 0.0)
        return await self._tell(command, result)

    async def _tell(self, command: Command, result: CommandResult) -> CommandResult:
        log.info("command that waited ended", charger=str(command.charger), command=command.name, id=command.id,
                 outcome=result.outcome.value)  # fmt: skip
        await self._endings.tell(command, result)
        await self._queue.strike_off(command.charger, command.id)
        return result

    # ------------------------------------------------------------ delivering

    async def turn(self, charger: ChargerId, seconds: float) -> bool:
        """Wait until what waited for a charger was delivered; False where that took more than so many seconds."""
        delivery = self._deliveries.get(charger)
        if delivery is None:
            return True
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await delivery.over.wait()
        except TimeoutError:
            return False
        return True

    def deliver(self, charger: LocalCharger, *, after: str | None = None) -> None:
        """Have what waits for a charger delivered to its connection here, and first what another node hands over."""
        if self._tasks is None or self.draining:
            return
        present = self._deliveries.get(charger.charger)
        if present is not None and present.charger is charger:
            present.again = True
            return
        delivery = self._deliveries[charger.charger] = _Delivery(charger, after=after)
        if self._handed_over.pop(charger.charger, None) == charger.epoch:
            delivery.handed_over.set()
        self._tasks.create_task(self._deliver(delivery), name=f"commands that waited: {charger.charger}")

    def hand_over_by(self, hand_over: Callable[[ChargerId], Awaitable[None]]) -> None:
        """Have this called before a charger that was taken is said to be handed over."""
        self._hand_over.append(hand_over)

    def taken(self, charger: ChargerId, epoch: int, by: str) -> None:
        """Another node has taken a charger."""
        if self._tasks is not None and by != self._node:
            self._tasks.create_task(self._hands_over(charger, epoch, by), name=f"hand over {charger}")

    async def _hands_over(self, charger: ChargerId, epoch: int, to: str) -> None:
        try:
            async with asyncio.timeout(HANDOVER_SECONDS):
                for hand_over in self._hand_over:
                    await hand_over(charger)
        except TimeoutError:
            return
        except asyncio.CancelledError:
            # This node ends over it: nothing more comes from here.
            await self._mailboxes.tell_handed_over(to, charger, epoch)
            raise
        await self._mailboxes.tell_handed_over(to, charger, epoch)

    def handed_over(self, charger: ChargerId, epoch: int) -> None:
        """Another node has let go of a charger that is, or soon will be, this node's under the epoch."""
        delivery = self._deliveries.get(charger)
        if delivery is not None and delivery.charger.epoch == epoch:
            delivery.handed_over.set()
            return
        if len(self._handed_over) >= _MOST_EARLY:
            self._handed_over.clear()
        self._handed_over[charger] = epoch

    def gone(self, charger: LocalCharger) -> None:
        """A connection is no more."""
        delivery = self._deliveries.get(charger.charger)
        if delivery is not None and delivery.charger is charger:
            self._over(delivery)

    def _over(self, delivery: _Delivery) -> None:
        delivery.over.set()
        if self._deliveries.get(delivery.charger.charger) is delivery:
            del self._deliveries[delivery.charger.charger]

    def _goes_on(self, delivery: _Delivery) -> bool:
        return not self.draining and self._deliveries.get(delivery.charger.charger) is delivery

    async def _deliver(self, delivery: _Delivery) -> None:
        charger = delivery.charger
        try:
            if delivery.after is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(HANDOVER_SECONDS):
                        await delivery.handed_over.wait()
            async with asyncio.TaskGroup() as tasks:
                while self._goes_on(delivery):
                    delivery.again = False
                    try:
                        if await self._queue.waits(charger.charger) and await charger.ready():
                            await self._deliver_in_order(delivery, tasks)
                    except LogUnavailable:
                        delivery.again = True
                        await asyncio.sleep(_RETRY)
                    if not delivery.again:
                        break
                self._over(delivery)
        except Exception:
            # Raised further, a bug in one charger's commands would end this node with all its chargers.
            log.exception("commands that wait were not delivered", charger=str(charger.charger))
        finally:
            self._over(delivery)

    async def _deliver_in_order(self, delivery: _Delivery, tasks: asyncio.TaskGroup) -> None:
        charger = delivery.charger
        while self._goes_on(delivery):
            taken = await self._queue.take(charger.charger, charger.epoch)
            if taken is None:
                return
            answered = asyncio.Event()
            command, until, ending = taken
            command = replace(command, answered=answered.set)
            if command.patience is not None:
                command.deadline = self._clock.now() + command.patience.timeout
            work = self._carry_out_waiting(delivery, command, until, ending)
            task = tasks.create_task(work, name=f"command that waited: {command.id}")
            task.add_done_callback(_setter(answered))
            await answered.wait()

    async def _carry_out_waiting(self, delivery: _Delivery, command: Command, until: float, ending: Outcome) -> None:
        """Carry out a command that was taken, and tell how it ended."""
        charger = delivery.charger

        async def work() -> CommandResult | None:
            if not await self._commands.note_running(command):
                return None
            result = await self._execute(charger, command)
            if may_wait_on(command, result) and self._clock.now() < until:
                await self._commands.note_waiting(command)
                await self._queue.put_back(command, epoch=charger.epoch, until=until, ending=ending)
                waits_again.append(command)
                self._over(delivery)
                return None
            return result

        waits_again: list[Command] = []
        try:
            result = await self._carry_out(command, work)
            if result is not None:
                await self._tell(command, result)
            elif not waits_again:
                await self._queue.strike_off(command.charger, command.id)
        except LogUnavailable as error:
            log.info("a command that waited is struck off later", command=command.id, problem=str(error))
        except Exception:
            log.exception("command failed", command=command.name, id=command.id, charger=str(command.charger))


def _setter(event: asyncio.Event) -> Callable[[object], None]:
    return lambda _: event.set()


def may_wait_on(command: Command, result: CommandResult) -> bool:
    """Whether a command was certainly not sent, and may yet be."""
    return result.strayed or (result.outcome is Outcome.OFFLINE and command.patience is not None)

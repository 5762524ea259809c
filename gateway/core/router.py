"""Commands find their charger: here, on another node by its mailbox, or in the queue where they wait for it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b
from typing import Any

from gateway.core.clock import Clock
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.endings import Endings, Outlet
from gateway.core.errors import CommandRefused, LogUnavailable, NotFound
from gateway.core.following import UNKNOWN, follow, with_transaction
from gateway.core.hearing import Hearing
from gateway.core.identity import ChargerId
from gateway.core.ports import CommandQueue, CommandStore, LocalCharger, Mailboxes, Observer, StateStore
from gateway.core.superseding import REASON
from gateway.core.waiting import WaitingRoom, may_wait_on

NEVER_SEEN = "a charger of this id was never seen; check its spelling"

_AT_THE_DOOR = 0.5
"""Seconds that a charger which was claimed may take to be attached."""
_LOOKS = 10


class Router:
    """Carries a command to its charger and brings back its one result.

    `run` must be running, or nothing that waits for a charger is delivered.
    """

    def __init__(
        self,
        *,
        node: str,
        clock: Clock,
        state: StateStore,
        commands: CommandStore,
        queue: CommandQueue,
        mailboxes: Mailboxes,
        observer: Observer,
    ) -> None:
        self._node = node
        self._clock = clock
        self._state = state
        self._commands = commands
        self._mailboxes = mailboxes
        self._observer = observer
        self.hearing = Hearing(node=node, clock=clock, state=state, commands=commands)
        """Who sees to the commands that every node hears."""
        self._local: dict[ChargerId, LocalCharger] = {}
        self._sent_away: set[ChargerId] = set()
        self._drains: list[Callable[[], None]] = []
        self._endings = Endings(node=node, clock=clock, commands=commands, mailboxes=mailboxes)
        self._room = WaitingRoom(
            node=node,
            clock=clock,
            queue=queue,
            commands=commands,
            mailboxes=mailboxes,
            endings=self._endings,
            observer=observer,
            carry_out=self._finish,
            execute=lambda charger, command: charger.execute(command),
        )

    async def run(self) -> None:
        """Deliver what waits for the chargers that come, until cancelled."""
        await self._room.run()

    def drain(self) -> None:
        """This node lets go of its chargers: what was not sent to them yet waits for them to come back elsewhere."""
        self._room.draining = True
        for begins in self._drains:
            begins()

    def drains(self, begins: Callable[[], None]) -> None:
        """Have this called once this node lets go of its chargers: what waits for a better moment has none."""
        self._drains.append(begins)

    # ------------------------------------------------------------ who is here

    def attach(self, charger: LocalCharger, *, previous: str | None = None) -> LocalCharger | None:
        """Note that this node holds the charger's socket; the higher epoch wins.

        `previous` is the node that it was taken from: what that one has not sent goes before what is given from now on.
        Returns the connection that lost to the other and must close, None where there is only one.
        """
        present = self._local.get(charger.charger)
        if present is not None and present.epoch > charger.epoch:
            return charger
        self._local[charger.charger] = charger
        self._room.deliver(charger, after=None if previous == self._node else previous)
        return present

    def detach(self, charger: LocalCharger) -> None:
        """Forget a connection, unless a newer one has taken its place."""
        self._room.gone(charger)
        if self._local.get(charger.charger) is charger:
            del self._local[charger.charger]
            if self._room.draining:
                self._sent_away.add(charger.charger)

    def local(self, charger: ChargerId) -> LocalCharger | None:
        return self._local.get(charger)

    def locals(self) -> list[LocalCharger]:
        return list(self._local.values())

    # ------------------------------------------------------------ commands

    async def submit(self, command: Command, *, begun: Callable[[], None] | None = None) -> CommandResult | None:
        """Carry a command out wherever its charger is; a repeated id gets the first one's result.

        None where it waits for its charger: whichever node ends it then tells that (`through`, `ended`). `begun` is
        called once the command is noted as running: from then on it can be asked for by its id.
        Raises CommandRunning, IdempotencyConflict (no command was made), LogUnavailable.
        """
        earlier = await self._commands.begin(command)
        if earlier is not None:
            return earlier
        if begun is not None:
            begun()
        command.asked_at = self._node
        return await self._finish(command, lambda: self._anywhere(command))

    async def submit_owned(self, command: Command) -> CommandResult | None:
        """Carry out a command that every node hears (MQTT); None where another node does, or tells of its end.

        Raises as `submit` does.
        """
        return await self.submit(command) if await self.answers_for(command.charger) else None

    async def answers_for(self, charger: ChargerId) -> bool:
        """Whether it is on this node to answer what every node hears about a charger.

        The owner does; for a charger that nobody owns, the node chosen by rendezvous hash. A socket that is open here
        does not count: a node that was paused may not know yet that its charger is elsewhere. Raises LogUnavailable.
        """
        owner = await self._state.owner(charger)
        return owner == self._node if owner is not None else await self._is_rendezvous(charger)

    async def execute_here(self, command: Command) -> CommandResult:
        """Carry out a command that came by this node's mailbox, if the charger is still this node's."""
        try:
            owner = await self._state.owner(command.charger)
        except LogUnavailable:
            return _offline(command, "Redis cannot be reached, so the charger's owner is unknown")
        if owner == self._node:
            return await self._locally(command)
        if owner is None and not self._room.draining:
            return _offline(command)
        return _strayed(command)

    async def end_unsent(self, command: Command) -> CommandResult | None:
        """End a command that no node has seen to in time; None where one has. Raises as `submit` does."""
        ending = Outcome.OFFLINE if command.patience is None else Outcome.EXPIRED
        return await self._end(command, ending, "no node of the gateway saw to it in time")

    async def end_superseded(self, command: Command) -> CommandResult | None:
        """End a command in whose place a newer one is carried out; None where it was begun. Raises as `submit` does."""
        return await self._end(command, Outcome.SUPERSEDED, REASON)

    async def _end(self, command: Command, outcome: Outcome, reason: str) -> CommandResult | None:
        if await self._commands.begin(command) is not None:
            return None
        return await self._stored(_ended(command, outcome, reason), command.deadline)

    async def end_lost(self, result: CommandResult, *, deadline: float) -> CommandResult | None:
        """End a command whose node has died over it; None where another node does. Raises LogUnavailable."""
        if not await self.hearing.take(result.id, until=deadline):
            return None
        return await self._stored(result, deadline)

    async def _stored(self, result: CommandResult, deadline: float) -> CommandResult:
        result = await self._commands.finish(result, deadline=deadline)
        self._observer.command(result.name, result.outcome.value, 0.0)
        return result

    # ------------------------------------------------------------ commands that wait

    def through(self, origin: str, outlet: Outlet) -> None:
        """Tell the ends of commands that waited, and were of this origin, through an outlet."""
        self._endings.through(origin, outlet)

    def hands_over(self, hand_over: Callable[[ChargerId], Awaitable[None]]) -> None:
        """Have this called for a charger that another node has taken; until it returns, that one waits (not long)."""
        self._room.hand_over_by(hand_over)

    def taken(self, charger: ChargerId, epoch: int, by: str) -> None:
        """Another node has taken a charger under this epoch: hand over to it what was not sent."""
        self._room.taken(charger, epoch, by)

    def handed_over(self, charger: ChargerId, epoch: int) -> None:
        """The node that a charger was taken from under this epoch has handed over what it had not sent."""
        self._room.handed_over(charger, epoch)

    async def ended(self, command_id: str, seconds: float) -> dict[str, Any] | None:
        """The public shape of a command once it has ended, None where it has not within so many seconds."""
        return await self._endings.wait(command_id, seconds)

    def heard_of_end(self, command_id: str) -> None:
        """Another node says that a command of this one has ended."""
        self._endings.heard(command_id)

    def deliver(self, charger: ChargerId) -> None:
        """A command waits for a charger that is held here, or a charger that was not ready is now."""
        local = self._local.get(charger)
        if local is not None:
            self._room.deliver(local)

    async def cancel(self, command_id: str) -> dict[str, Any]:
        """End a command that waits for its charger; its public shape.

        Raises NotFound, CommandRefused where it does not wait (any more), LogUnavailable.
        """
        known = await self._commands.get(command_id)
        if known is None:
            raise NotFound(f"no command {command_id!r}; results are kept for a limited time only")
        if known["outcome"] is None:
            try:
                ended = await self._room.cancel(ChargerId(known["charger_id"]), command_id)
            except NotFound:
                known = await self._commands.get(command_id) or known
            else:
                return ended.as_dict()
        if known["outcome"] == Outcome.CANCELLED.value:
            return known
        state = "is with its charger already" if known["outcome"] is None else f"has ended as {known['outcome']}"
        raise CommandRefused(f"The command {state}; only one that waits for its charger can be cancelled.")

    async def time_is_up(self, charger: ChargerId, command_id: str) -> None:
        """End a command that has waited for long enough. Raises LogUnavailable where it must be done again."""
        await self._room.time_is_up(charger, command_id)

    # ------------------------------------------------------------ the way

    async def _anywhere(self, command: Command) -> CommandResult | None:
        left: str | None = None
        while True:
            owner = await self._state.owner(command.charger)
            if command.heard_by_all and owner not in (None, self._node):
                left = owner
            elif owner is None and command.charger in self._sent_away:
                # It is on its way to another node.
                left = self._node
            if owner is None or owner == left:
                ended, owner = await self._absent(command, left)
                if owner is None:
                    return ended
            if owner == self._node:
                result = await self._locally(command)
            else:
                result = await self._mailboxes.call(owner, command, deadline=command.deadline)
            if not may_wait_on(command, result):
                return result
            left = owner

    async def _absent(self, command: Command, left: str | None) -> tuple[CommandResult | None, str | None]:
        """Have a command wait for a charger that is not there; its result, or the node that holds the charger by now.

        `left` is the node that the charger was leaving when the command came.
        """
        patience, now = command.patience, self._clock.now()
        if left is None:
            snapshot = await self._state.charger(command.charger)
            if snapshot is None or snapshot.removed:
                return _offline(command, NEVER_SEEN), None
            if patience is None:
                return _offline(command), None
        until, ending = (command.deadline, Outcome.OFFLINE) if patience is None else (patience.until, Outcome.EXPIRED)
        if now >= until:
            return _ended(command, ending, "its time was up before the charger was there"), None
        try:
            placed = await self._room.put(command, until=until, ending=ending, elsewhere=left)
        except LogUnavailable:
            return _ended(command, Outcome.TIMEOUT, "Redis cannot be reached: whether it waits is unknown"), None
        if not placed.waits and placed.owner is None:
            return _ended(command, Outcome.CANCELLED, "too many commands wait for this charger already"), None
        if not placed.waits:
            return None, placed.owner
        if placed.owner == self._node:
            self.deliver(command.charger)
        elif placed.owner is not None:
            await self._mailboxes.tell_waiting(placed.owner, command.charger)
        return None, None

    async def _locally(self, command: Command) -> CommandResult:
        if command.charger not in self._local:
            await self._at_the_door(command.charger)
        if not await self._room.turn(command.charger, command.deadline - self._clock.now()):
            return _ended(command, Outcome.EXPIRED, "its time was up while commands before it ran")
        charger = self._local.get(command.charger)
        if charger is None:
            return _strayed(command) if self._room.draining else _offline(command)
        return await charger.execute(command)

    async def _at_the_door(self, charger: ChargerId) -> None:
        """Wait for the connection of a charger that this node may just have claimed."""
        for _ in range(0 if self._room.draining else _LOOKS):
            await asyncio.sleep(_AT_THE_DOOR / _LOOKS)
            if charger in self._local or await self._state.owner(charger) != self._node:
                return

    async def _finish(
        self, command: Command, work: Callable[[], Awaitable[CommandResult | None]]
    ) -> CommandResult | None:
        """Do the work on a command and store how it ended; None where it did not end, but waits."""
        began = self._clock.monotonic()
        answered: CommandResult | None = None
        try:
            answered = result = await work()
            if result is None:
                return None
            result = await follow(command, result, state=self._state, commands=self._commands, clock=self._clock)
        except LogUnavailable:
            result = _offline(command, "Redis cannot be reached, so the charger's owner is unknown")
        except asyncio.CancelledError:
            stopped = _ended(command, Outcome.TIMEOUT, "the gateway stopped before the answer came")
            if answered is not None:
                stopped = with_transaction(answered, None, UNKNOWN)
            await asyncio.shield(self._commands.finish(stopped, deadline=command.deadline))
            raise
        except Exception:
            # A bug of ours: whether it was sent is unknown, and it must not seem to run for ever.
            failed = _ended(command, Outcome.TIMEOUT, "the gateway failed while carrying it out")
            await self._commands.finish(failed, deadline=command.deadline)
            raise
        took = self._clock.monotonic() - began
        result = await self._commands.finish(result, deadline=command.deadline)
        self._observer.command(command.name, result.outcome.value, took)
        return result

    async def _is_rendezvous(self, charger: ChargerId) -> bool:
        nodes = [node.node for node in await self._state.nodes()] or [self._node]
        return rendezvous(charger, nodes) == self._node


def rendezvous(charger: ChargerId, nodes: Iterable[str]) -> str:
    """The node that highest-random-weight hashing chooses for a charger; the same on every node."""
    return max(nodes, key=lambda node: blake2b(f"{node}|{charger.key}".encode(), digest_size=8).digest())


def _ended(command: Command, outcome: Outcome, reason: str) -> CommandResult:
    return CommandResult(command.id, command.charger, command.name, outcome, reason)


def _offline(command: Command, reason: str = "the charger is not connected") -> CommandResult:
    return _ended(command, Outcome.OFFLINE, reason)


def _strayed(command: Command) -> CommandResult:
    return CommandResult(
        command.id, command.charger, command.name, Outcome.OFFLINE, "the charger has moved", strayed=True
    )

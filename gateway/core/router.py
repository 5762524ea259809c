"""Commands find their charger: here, on another node by its mailbox, or nowhere."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from hashlib import blake2b
from typing import Any

from gateway.core.clock import Clock
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.ports import CommandStore, LocalCharger, Mailboxes, Observer, StateStore

NEVER_SEEN = "a charger of this id was never seen; check its spelling"


class Router:
    """Carries a command to its charger and brings back its one result."""

    def __init__(
        self,
        *,
        node: str,
        clock: Clock,
        state: StateStore,
        commands: CommandStore,
        mailboxes: Mailboxes,
        observer: Observer,
    ) -> None:
        self._node = node
        self._clock = clock
        self._state = state
        self._commands = commands
        self._mailboxes = mailboxes
        self._observer = observer
        self._local: dict[ChargerId, LocalCharger] = {}

    # ------------------------------------------------------------ who is here

    def attach(self, charger: LocalCharger) -> LocalCharger | None:
        """Note that this node holds the charger's socket; the higher epoch wins.

        Returns the connection that lost to the other and must close, None where there is only one.
        """
        present = self._local.get(charger.charger)
        if present is not None and present.epoch > charger.epoch:
            return charger
        self._local[charger.charger] = charger
        return present

    def detach(self, charger: LocalCharger) -> None:
        """Forget a connection, unless a newer one has taken its place."""
        if self._local.get(charger.charger) is charger:
            del self._local[charger.charger]

    def local(self, charger: ChargerId) -> LocalCharger | None:
        return self._local.get(charger)

    def locals(self) -> list[LocalCharger]:
        return list(self._local.values())

    # ------------------------------------------------------------ commands

    async def submit(self, command: Command, *, begun: Callable[[], None] | None = None) -> CommandResult:
        """Carry a command out wherever its charger is; a repeated id gets the first one's result.

        `begun` is called once the command is noted as running: from then on it can be asked for by its id.
        Raises CommandRunning, IdempotencyConflict (no command was made), LogUnavailable.
        """
        earlier = await self._commands.begin(command)
        if earlier is not None:
            return earlier
        if begun is not None:
            begun()
        return await self._finish(command, self._anywhere(command))

    async def submit_owned(self, command: Command) -> CommandResult | None:
        """Carry out a command that every node hears (MQTT); None where another node does.

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
        return await self._locally(command) if owner == self._node else _offline(command, "the charger has moved")

    async def _anywhere(self, command: Command) -> CommandResult:
        owner = await self._state.owner(command.charger)
        if owner is None:
            snapshot = await self._state.charger(command.charger)
            return _offline(command, NEVER_SEEN) if snapshot is None or snapshot.removed else _offline(command)
        if owner == self._node:
            return await self._locally(command)
        return await self._mailboxes.call(owner, command, deadline=command.deadline)

    async def _locally(self, command: Command) -> CommandResult:
        charger = self._local.get(command.charger)
        return _offline(command) if charger is None else await charger.execute(command)

    async def _finish(self, command: Command, work: Coroutine[Any, Any, CommandResult]) -> CommandResult:
        began = self._clock.monotonic()
        try:
            result = await work
        except LogUnavailable:
            result = _offline(command, "Redis cannot be reached, so the charger's owner is unknown")
        except asyncio.CancelledError:
            stopped = _ended(command, Outcome.TIMEOUT, "the gateway stopped before the answer came")
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

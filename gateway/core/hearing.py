"""Which node sees to a command that every node hears, and what has become of it: so that it has one outcome whichever
node dies, is cut off, or hears of it while its charger moves."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.clock import Clock
from gateway.core.commands import Stage
from gateway.core.ports.stores import CommandStore, StateStore

KEPT_SECONDS = 120.0
"""How long it is known who saw to a command, after it was too late for that."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a command has come; `node` sees to it, None where that one is dead or there is none."""

    stage: Stage
    node: str | None = None


class Hearing:
    """What this node knows of the commands that every node hears. Every method raises LogUnavailable."""

    def __init__(self, *, node: str, clock: Clock, state: StateStore, commands: CommandStore) -> None:
        self.node = node
        self._clock, self._state, self._commands = clock, state, commands

    async def take(self, command_id: str, *, until: float) -> bool:
        """Have this node see to a command until a time (Unix seconds); False where another that lives does.

        One that has ended is anybody's to tell again.
        """
        kept = max(0.0, until - self._clock.now()) + KEPT_SECONDS
        holder = await self._commands.hear(command_id, self.node, kept_seconds=kept)
        if holder == self.node:
            return True
        standing = await self.standing([command_id])
        if standing.stage is Stage.ENDED:
            return True
        if standing.node is not None:
            return False
        return await self._commands.hear(command_id, self.node, kept_seconds=kept, instead_of=holder) == self.node

    async def is_taken(self, command_id: str) -> bool:
        """Whether a command of this id has ended, waits for its charger, or was this node's in a life before."""
        stage, holder = await self._commands.stage(command_id)
        return stage in (Stage.ENDED, Stage.WAITING) or holder == self.node

    async def standing(self, ids: Sequence[str]) -> Standing:
        """How far the command has come that has one of these ids."""
        for command_id in ids:
            stage, holder = await self._commands.stage(command_id)
            if stage in (Stage.ENDED, Stage.WAITING):
                return Standing(stage)
            if stage is not Stage.UNHEARD:
                alive = holder is not None and any(node.node == holder for node in await self._state.nodes())
                return Standing(stage, holder if alive else None)
        return Standing(Stage.UNHEARD)

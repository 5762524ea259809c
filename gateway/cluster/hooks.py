"""What the cluster asks of the node that it serves."""

from typing import Protocol

from gateway.core.commands import Command, CommandResult
from gateway.core.identity import ChargerId


class NodeHooks(Protocol):
    """The node's side: called from the cluster's own tasks."""

    async def execute_here(self, command: Command) -> CommandResult:
        """Carry out a command that came from another node."""
        ...

    def superseded(self, charger: ChargerId, epoch: int, by: str) -> None:
        """A connection under this epoch, on the node `by`, owns the charger: close sockets with an older one."""
        ...

    def handed_over(self, charger: ChargerId, epoch: int) -> None:
        """The node that a charger was taken from under this epoch has nothing more for it."""
        ...

    def deliver(self, charger: ChargerId) -> None:
        """A command waits for a charger that this node may hold."""
        ...

    def heard_of_end(self, command_id: str) -> None:
        """A command that was given on this node has ended."""
        ...

    def forgotten(self) -> None:
        """Redis lost its data, or this node was taken for dead: store everything again, which claims the chargers
        that nobody owns anew and lets go of those that others took."""
        ...

    def connection_count(self) -> int:
        """How many chargers this node holds."""
        ...

    async def later(self, kind: str, charger: ChargerId, payload: bytes) -> None:
        """Do work that was put off until now. It is given again after a while if this raises."""
        ...

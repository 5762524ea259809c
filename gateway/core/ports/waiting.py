"""Commands that wait for their charger, in Redis, where they outlive every node."""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.commands import Command, Outcome
from gateway.core.identity import ChargerId


@dataclass(slots=True)
class Placed:
    """What became of a command that was to wait.

    It waits where `waits` is true. Else `owner` is the node that holds the charger by now, or None: then too many wait
    already. `superseded` are those whose place it took: they must be told so.
    """

    waits: bool
    owner: str | None = None
    superseded: list[Command] = field(default_factory=list)


class CommandQueue(Protocol):
    """A queue for each charger, bounded. Every method raises LogUnavailable, and may be called again then."""

    async def put(self, command: Command, *, until: float, ending: Outcome, elsewhere: str | None = None) -> Placed:
        """Have a command wait until a time (Unix seconds), at which it ends as `ending` says.

        It does not wait where a node holds the charger, unless that is `elsewhere`, which lets go of it. A command that
        waits already, or did, is left as it is.
        """
        ...

    async def put_back(self, command: Command, *, epoch: int, until: float, ending: Outcome) -> None:
        """Have a command that was taken under this epoch wait again, before all others."""
        ...

    async def waits(self, charger: ChargerId) -> bool:
        """Whether any command waits for a charger."""
        ...

    async def take(self, charger: ChargerId, epoch: int) -> tuple[Command, float, Outcome] | None:
        """The next command for a charger that is held under this epoch, with what it was put with; None for none.

        Nobody else gets it. It must be struck off once it has ended.
        """
        ...

    async def end(self, charger: ChargerId, command_id: str, outcome: Outcome) -> Command | None:
        """End a command that still waits; None where it does not. It must be struck off once that was told."""
        ...

    async def overdue(self, charger: ChargerId, command_id: str) -> tuple[Command, Outcome] | None:
        """A command whose time is up, and how that ends it; None where it has ended.

        One that was taken and never struck off is `timeout`: the node that took it has died.
        """
        ...

    async def strike_off(self, charger: ChargerId, command_id: str) -> None:
        """Forget a command that has ended."""
        ...

"""Chargers whose sockets this node holds."""

from typing import Protocol

from gateway.core.commands import Command, CommandResult
from gateway.core.identity import ChargerId


class LocalCharger(Protocol):
    """A charger whose socket this node holds."""

    charger: ChargerId

    @property
    def epoch(self) -> int: ...

    async def execute(self, command: Command) -> CommandResult:
        """Carry a command out; always ends in a result, at the command's deadline at the latest.

        It is `strayed` where it was not sent because the charger is wanted elsewhere, or this node drains.
        """
        ...

    async def ready(self) -> bool:
        """Wait, a few seconds at most, until the charger has spoken; False where its boot was not accepted."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close the socket."""
        ...

"""Who owns which charger, and what is to be done for it later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gateway.core.identity import ChargerId

SnapshotFields = Mapping[str, bytes]
"""A charger's snapshot: field → JSON. Public ones are `charger`, `availability` (online | offline, bare text) and
`connector/{evse}/{connector}`; `memory` and `part/...` are the twin's own."""


@dataclass(slots=True)
class Claim:
    """What a node gets with a charger: its epoch, what is known of it, and Redis's clock (Unix seconds)."""

    epoch: int
    fields: SnapshotFields
    transactions: Mapping[str, bytes]
    """The active transactions' records, id → JSON."""
    redis_time: float
    previous_node: str | None = None


Registration = Literal["accepted", "pending", "rejected"]
"""How a charger's boots are answered."""


@dataclass(slots=True)
class ChargerSettings:
    """What an operator stored for a charger: the subprotocol to prefer, the check of its Basic-auth password, and the
    answer to its boots, which wins over every policy.

    Vendor, model and firmware are what the charger itself said at its last boot, None where that is not known.
    """

    subprotocol: str | None = None
    has_password: bool = False
    vendor: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    registration: Registration | None = None


class Ownership(Protocol):
    async def settings(self, charger: ChargerId) -> ChargerSettings:
        """Raises LogUnavailable where Redis cannot be asked."""
        ...

    async def check_password(self, charger: ChargerId, password: bytes) -> bool:
        """True where this is the charger's password. Raises LogUnavailable."""
        ...

    async def change_password(self, charger: ChargerId, password: bytes) -> bool:
        """Put this in the place of the charger's password; False where it has none. Raises LogUnavailable."""
        ...

    async def claim(self, charger: ChargerId, *, above: int = 0) -> Claim:
        """Make this node the owner under a new epoch, and tell the previous owner's node to close its socket.

        The epoch is greater than `above`, too: the last that the claimer had. Raises LogUnavailable.
        """
        ...

    async def claim_absent(self, charger: ChargerId, *, above: int = 0) -> Claim | None:
        """Like `claim`, but only while nobody owns the charger; None where somebody does. Raises LogUnavailable."""
        ...

    async def recall(self, charger: ChargerId, names: Sequence[str]) -> bytes | None:
        """The stored record of the charger's first transaction that bears one of these names or ids; None for none.

        Raises LogUnavailable.
        """
        ...

    async def release(self, charger: ChargerId, epoch: int) -> None:
        """Give the charger up, if the epoch is still ours. Called after the disconnected event was committed."""
        ...


class LaterWork(Protocol):
    async def schedule(self, charger: ChargerId, kind: str, due: float, payload: bytes, *, key: str = "") -> None:
        """Have a node do work of this kind at `due` (Unix seconds) or soon after; it outlives every node.

        (charger, kind, key) names the piece of work: scheduled again, it takes the new time. Raises LogUnavailable.
        """
        ...

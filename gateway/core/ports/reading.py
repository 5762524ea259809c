"""The log, read: by outward adapters under leases, and by those who keep a cursor of their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.core.identity import ChargerId
from gateway.core.ports.owning import SnapshotFields


@dataclass(slots=True)
class LogEntry:
    """One entry of a shard's log; `position` orders it within the shard. One that is no event only tells that the
    charger's snapshot has changed (see `gateway.core.events.TOUCH`), and is handed to nobody."""

    position: str
    charger: ChargerId
    id: str
    type: str
    body: bytes

    @property
    def is_event(self) -> bool:
        return bool(self.type)


@dataclass(slots=True, frozen=True)
class Snapshot:
    """A charger's snapshot fields as they stand now; `removed` once the charger was deleted."""

    charger: ChargerId
    fields: SnapshotFields
    removed: bool = False


Touch = Callable[[ChargerId], bool]
"""Has a charger's snapshot projected again soon, by the shard that it lies in; False where that is another one."""


class Delivery(Protocol):
    """An outward adapter's hand in one shard, held while this node has the shard's lease.

    The reader calls connect, project (everything), deliver and project (what changed), and connect again after every
    DeliveryInterrupted or when `lost` returned; close at the end. Calls never overlap, but for `lost`.
    """

    async def connect(self, *, in_doubt: bool = False) -> float:
        """Come into a state where batches can be delivered; retries by itself with back-off until cancelled.

        Returns how many seconds of what was confirmed before are to be delivered again, because the receiver may have
        forgotten it: 0 where it has not. `in_doubt`: whoever delivered here before is gone without having said how it
        left the receiver.
        """
        ...

    async def lost(self) -> None:
        """Return when the connection that `connect` made is lost."""
        ...

    async def deliver(self, entries: Sequence[LogEntry]) -> None:
        """Return when the receiver has confirmed every entry.

        Raises DeliveryInterrupted, DeliveryRefused or DeliveryImpossible, each telling how many leading entries are
        confirmed.
        """
        ...

    async def project(self, snapshots: Sequence[Snapshot]) -> None:
        """Bring retained state in line with the snapshots. Raises DeliveryError."""
        ...

    async def close(self) -> None: ...


class OutwardReader(Protocol):
    """What an outward adapter hands to the log so that it is read for it. `name` names its cursor.

    `refresh_interval` is how often (seconds) all snapshots are projected anew, None for never.
    """

    name: str
    refresh_interval: float | None

    def open(self, shard: int, touch: Touch) -> Delivery:
        """A hand in this shard, which may `touch` a charger of it; does no I/O."""
        ...


@dataclass(slots=True)
class FeedPage:
    """Entries of the log, and the opaque cursor that goes on behind them; no entries: nothing more is there yet."""

    items: list[LogEntry]
    next: str


class Feed(Protocol):
    """The log for those who keep their own cursor. Every method raises LogUnavailable."""

    async def earliest(self) -> str:
        """The cursor before everything that is kept."""
        ...

    async def latest(self) -> str:
        """The cursor behind everything that is there."""
        ...

    async def read(
        self, after: str, *, limit: int, types: Sequence[str] = (), charger: ChargerId | None = None
    ) -> FeedPage:
        """Entries after a cursor, in log order for each charger; `types` may end in `*`.

        Raises CursorExpired where entries behind the cursor are gone, NotFound for a cursor that is none of ours.
        """
        ...

    async def entry(self, charger: ChargerId, position: str) -> LogEntry | None:
        """The charger's entry of a position, None where there is none, or none any more."""
        ...

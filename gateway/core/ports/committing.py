"""The log, written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.events import StampedEvent
from gateway.core.identity import ChargerId


@dataclass(slots=True)
class Commit:
    """What one message of a charger leaves behind; stored whole or not at all.

    `key` is the idempotency key (None: the message cannot repeat); `answer` the CALLRESULT payload that is stored
    under it. `fields` are the charger's snapshot fields that changed (see `SnapshotFields`; an empty one is deleted),
    `transactions` the records that changed (id → JSON), `samples` are added to those of their transactions (id → JSON
    list). `events` are appended to the log in order. By `names` (name → id) `Ownership.recall` finds a transaction as
    long as its record is kept.
    """

    charger: ChargerId
    epoch: int
    events: Sequence[StampedEvent]
    key: str | None = None
    answer: bytes = b""
    fields: Mapping[str, bytes] = field(default_factory=dict)
    transactions: Mapping[str, bytes] = field(default_factory=dict)
    samples: Mapping[str, bytes] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


class Receipt(Protocol):
    """Who is told how a submitted commit went; an `asyncio.Future[bytes | None]` is one."""

    def done(self) -> bool:
        """True once nobody waits for it any more: then the commit need not be made."""
        ...

    def set_result(self, earlier: bytes | None, /) -> object: ...

    def set_exception(self, error: Exception, /) -> object:
        """OwnershipLost, or what made the commit impossible to send."""
        ...

    def cancel(self) -> object:
        """The log stops; whether the commit was stored is unknown."""
        ...


class EventLog(Protocol):
    def submit(self, commit: Commit, receipt: Receipt) -> None:
        """Like `commit`, but returns at once and gives the receipt later, in the order of submission per charger."""
        ...

    async def commit(self, commit: Commit) -> bytes | None:
        """Store a commit durably; wait, over any outage of Redis, until that is done or the caller is cancelled.

        Returns None if it was stored, or the stored answer where `key` was seen before: then nothing was stored.
        Raises OwnershipLost where the epoch is not the charger's current one.
        """
        ...

"""State, commands and settings: read and administered."""

from dataclasses import dataclass
from typing import Any, Protocol

from gateway.core.commands import Command, CommandResult, Stage
from gateway.core.identity import ChargerId
from gateway.core.ports.owning import ChargerSettings, Registration
from gateway.core.ports.reading import LogEntry, Snapshot
from gateway.core.transaction_query import TransactionQuery


@dataclass(slots=True)
class Page:
    """One page of a listing and the opaque cursor of the next, None at the end."""

    items: list[Any]
    next: str | None = None


@dataclass(slots=True)
class ChangesPage:
    """One page of a listing that goes on for ever. `cursor` goes on from here; `more` tells that it already can."""

    items: list[Any]
    cursor: str
    more: bool


@dataclass(slots=True, frozen=True)
class NodeInfo:
    """A node that is alive."""

    node: str
    started_at: float
    chargers: int
    version: str


@dataclass(slots=True, frozen=True)
class DeadLetter:
    """An event that could never be delivered, and why."""

    id: str
    reader: str
    reason: str
    parked_at: float
    entry: LogEntry


class StateStore(Protocol):
    """Every method raises LogUnavailable where Redis cannot be asked."""

    async def chargers(self, *, after: str | None = None, limit: int = 100) -> Page:
        """Snapshots (`Snapshot`) of all known chargers."""
        ...

    async def charger(self, charger: ChargerId) -> Snapshot | None: ...

    async def owner(self, charger: ChargerId) -> str | None:
        """The node that holds the charger's socket, None where it is offline."""
        ...

    async def transactions(self, query: TransactionQuery, *, after: str | None = None, limit: int = 100) -> Page:
        """Transaction records (parsed JSON), the latest begun, ended or corrected first."""
        ...

    async def changed_transactions(
        self, query: TransactionQuery, *, since: float, after: str | None = None, limit: int = 100
    ) -> ChangesPage:
        """Records that began, ended or were corrected since a time (Unix seconds), the oldest change first.

        One that changes again comes again. `after` is an earlier page's cursor, and then counts in place of `since`.
        """
        ...

    async def transaction(self, transaction_id: str) -> dict[str, Any] | None: ...

    async def caused(self, charger: ChargerId, command_id: str) -> str | None:
        """The id of the transaction that a remote start has caused, None while there is none."""
        ...

    async def samples(self, transaction_id: str) -> list[dict[str, Any]]:
        """All samples of a transaction, in the order they came; none where it is not known."""
        ...

    async def remove_charger(self, charger: ChargerId) -> None:
        """Forget an offline charger: snapshot, settings, retained topics. Raises NotFound, or CommandRefused while
        it is connected."""
        ...

    async def nodes(self) -> list[NodeInfo]: ...

    async def dead_letters(self, *, after: str | None = None, limit: int = 100) -> Page:
        """Parked entries as DeadLetter."""
        ...

    async def remove_dead_letter(self, letter_id: str) -> None:
        """Raises NotFound."""
        ...


class CommandStore(Protocol):
    async def begin(self, command: Command) -> CommandResult | None:
        """Note that a command runs; None if it is new, its result if one of this id and body has ended.

        Raises CommandRunning, IdempotencyConflict, LogUnavailable.
        """
        ...

    async def finish(self, result: CommandResult, *, deadline: float) -> CommandResult:
        """Store how a command ended, over any outage of Redis; nobody may be told before. Returns what counts: after so
        long an outage that whoever asks is told `timeout` by then, it is that. `deadline` is the command's."""
        ...

    async def note_waiting(self, command: Command) -> None:
        """Note that a command waits for its charger. Raises LogUnavailable."""
        ...

    async def note_running(self, command: Command) -> bool:
        """Note that a command which waited is carried out; False where it has ended, so that it must not be.

        Raises LogUnavailable.
        """
        ...

    async def note_answer(self, result: CommandResult) -> None:
        """Note the charger's answer to a command that is followed from there: should the node die, it ended so.

        Raises LogUnavailable.
        """
        ...

    async def hear(self, command_id: str, node: str, *, kept_seconds: float, instead_of: str | None = None) -> str:
        """Note that a node sees to a command that every node hears; the node that does, as an earlier one may have
        said so, other than `instead_of`. Raises LogUnavailable."""
        ...

    async def stage(self, command_id: str) -> tuple[Stage, str | None]:
        """How far a command has come, and which node sees to it. Raises LogUnavailable."""
        ...

    async def get(self, command_id: str) -> dict[str, Any] | None:
        """The public shape of a command; None if unknown.

        Until it has ended `"outcome"` is null, and `"state"` tells whether it is `queued` or `running`.
        """
        ...


class Mailboxes(Protocol):
    async def call(self, node: str, command: Command, *, deadline: float) -> CommandResult:
        """Have another node carry out a command; always ends in a result.

        Unclaimed at the deadline: withdrawn and `offline`; claimed and unanswered: `timeout`. It is `strayed` where the
        node let go of the charger, or died, before it took the command.
        """
        ...

    async def tell_waiting(self, node: str, charger: ChargerId) -> None:
        """Tell the node that holds a charger that a command waits for it."""
        ...

    async def tell_handed_over(self, node: str, charger: ChargerId, epoch: int) -> None:
        """Tell the node that took a charger under this epoch that nothing more comes from here."""
        ...

    async def tell_ended(self, node: str, command_id: str) -> None:
        """Tell the node that a command was given on that it has ended."""
        ...


class SettingsStore(Protocol):
    """What operators store per charger. Raises LogUnavailable."""

    async def set_password(self, charger: ChargerId, password: bytes | None) -> None: ...

    async def set_subprotocol(self, charger: ChargerId, subprotocol: str | None) -> None: ...

    async def set_registration(self, charger: ChargerId, registration: Registration | None) -> None:
        """Counts from the charger's next boot on; None leaves the decision to the policy."""
        ...

    async def get(self, charger: ChargerId) -> ChargerSettings: ...

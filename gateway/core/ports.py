"""What the core asks of its surroundings: the Protocols that stores and sockets implement.

`gateway.cluster` implements EventLog, Ownership, StateStore, CommandStore, Mailboxes, SettingsStore and ApiKeys over
Redis; `gateway.chargers` implements LocalCharger; the outward adapters implement OutwardReader (see
`gateway.core.adapter` for what an adapter is); `gateway.metrics` implements Observer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from gateway.core.clock import rfc3339
from gateway.core.commands import Command, CommandResult
from gateway.core.events import StampedEvent
from gateway.core.identity import ChargerId
from gateway.core.transaction_query import TransactionQuery

# ---------------------------------------------------------------- the log, written


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


# ---------------------------------------------------------------- ownership

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

    async def claim(self, charger: ChargerId) -> Claim:
        """Make this node the owner under a new epoch, and tell the previous owner's node to close its socket.

        Raises LogUnavailable.
        """
        ...

    async def claim_absent(self, charger: ChargerId) -> Claim | None:
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


# ---------------------------------------------------------------- the log, read


@dataclass(slots=True)
class LogEntry:
    """One entry of a shard's log; `position` orders it within the shard."""

    position: str
    charger: ChargerId
    id: str
    type: str
    body: bytes


@dataclass(slots=True, frozen=True)
class Snapshot:
    """A charger's snapshot fields as they stand now; `removed` once the charger was deleted."""

    charger: ChargerId
    fields: SnapshotFields
    removed: bool = False


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

    def open(self, shard: int) -> Delivery:
        """A hand in this shard; does no I/O."""
        ...


# ---------------------------------------------------------------- state, commands, settings (read and administered)


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

    async def get(self, command_id: str) -> dict[str, Any] | None:
        """The public shape of a command, with `"outcome": null` while it runs; None if unknown."""
        ...


class Mailboxes(Protocol):
    async def call(self, node: str, command: Command, *, deadline: float) -> CommandResult:
        """Have another node carry out a command; always ends in a result.

        Unclaimed at the deadline: withdrawn and `offline`; claimed and unanswered: `timeout`.
        """
        ...


class SettingsStore(Protocol):
    """What operators store per charger. Raises LogUnavailable."""

    async def set_password(self, charger: ChargerId, password: bytes | None) -> None: ...

    async def set_subprotocol(self, charger: ChargerId, subprotocol: str | None) -> None: ...

    async def set_registration(self, charger: ChargerId, registration: Registration | None) -> None:
        """Counts from the charger's next boot on; None leaves the decision to the policy."""
        ...

    async def get(self, charger: ChargerId) -> ChargerSettings: ...


@dataclass(slots=True, frozen=True)
class IdToken:
    """An entry of the id-token list. `id` keeps its spelling and is compared without case.

    `status` is AuthorizationStatus in snake_case, `expires_at` RFC 3339 (after it the token is `expired`), `chargers`
    the patterns (`*`, `?`) of the only chargers where it counts, none: everywhere.
    """

    id: str
    status: str = "accepted"
    type: str | None = None
    expires_at: str | None = None
    group: str | None = None
    chargers: tuple[str, ...] = ()
    note: str | None = None


ListStanding = Literal["none", "listed", "emptied"]
"""Whether a list of id tokens was never stored, holds entries, or was emptied again."""


class TokenStore(Protocol):
    """The id-token list of the fleet. Every method raises LogUnavailable where Redis cannot be asked."""

    async def find(self, token_id: str) -> IdToken | None: ...

    async def standing(self) -> ListStanding:
        """Whether there is a list. A first one that is stored in parts is there with its last part."""
        ...

    async def put(self, tokens: Sequence[IdToken]) -> None:
        """Add entries, or replace those of the same id.

        Up to a thousand are stored all or none; where more are given and Redis goes away, the first thousands may be
        there: put them again. Until then a first list counts as none.
        """
        ...

    async def remove(self, token_id: str) -> bool:
        """False where there was none."""
        ...

    async def list(self, *, after: str | None = None, limit: int = 100) -> Page:
        """Entries (IdToken) in the order of their ids. Raises NotFound for a cursor that is none of ours."""
        ...


Scope = Literal["read", "command", "admin"]


@dataclass(slots=True, frozen=True)
class ApiKey:
    """An API key without its secret."""

    id: str
    name: str
    scope: Scope
    created_at: float


class ApiKeys(Protocol):
    """API keys, stored as hashes. Raises LogUnavailable."""

    async def create(self, name: str, scope: Scope, *, secret: str | None = None) -> tuple[ApiKey, str]:
        """A new key and its secret, which is shown this once."""
        ...

    async def verify(self, secret: str) -> ApiKey | None: ...

    async def list(self) -> Sequence[ApiKey]: ...

    async def revoke(self, key_id: str) -> None:
        """Raises NotFound."""
        ...


# ---------------------------------------------------------------- chargers


class LocalCharger(Protocol):
    """A charger whose socket this node holds."""

    charger: ChargerId

    @property
    def epoch(self) -> int: ...

    async def execute(self, command: Command) -> CommandResult:
        """Carry a command out; always ends in a result, at the command's deadline at the latest."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close the socket."""
        ...


# ---------------------------------------------------------------- questions


@dataclass(slots=True, frozen=True)
class Ask:
    """A question as a business system gets it: `id` names it for ever, `kind` is a name of `gateway.core.answers`.

    `data` is neutral; `deadline` (Unix seconds) is when nobody waits for the answer any more.
    """

    id: str
    kind: str
    charger: ChargerId
    data: Mapping[str, Any]
    deadline: float

    def as_dict(self) -> dict[str, Any]:
        """The public shape, the same over MQTT and to a webhook."""
        return {
            **self.data,
            "id": self.id,
            "question": self.kind,
            "charger_id": self.charger.identity,
            "deadline_at": rfc3339(self.deadline),
        }


class Asker(Protocol):
    """A way to ask business systems: `mqtt`, `webhook`. `name` is that of the policy."""

    name: str

    async def ask(self, ask: Ask) -> Any:
        """The answer as received, unchecked (parsed JSON); comes back at the deadline at the latest.

        Raises AskFailed where nobody answered: nobody can be reached or listens, or the time is up.
        """
        ...


class Askers(Protocol):
    """Where adapters put in their Askers when they start."""

    def register(self, asker: Asker) -> None:
        """Raises ValueError for a second one of the same name."""
        ...


# ---------------------------------------------------------------- observation


class Observer(Protocol):
    """Where counts and durations go (Prometheus). All durations are seconds; every method is cheap and sync."""

    def connection_opened(self, version: str) -> None: ...
    def connection_closed(self, version: str, reason: str) -> None: ...
    def handshake_refused(self, status: int) -> None: ...
    def message(self, version: str, direction: str, action: str, outcome: str) -> None:
        """`direction` in | out; `outcome` answered, repeated, refused, invalid, violated ..."""
        ...

    def violations(self, charger: str, codes: Sequence[str]) -> None:
        """The deviations of one message."""
        ...

    def answered(self, seconds: float) -> None:
        """From a CALL's arrival to its answer."""
        ...

    def command(self, name: str, outcome: str, seconds: float) -> None: ...
    def committed(self, batch: int, seconds: float) -> None: ...
    def delivered(self, reader: str, shard: int, count: int) -> None: ...
    def undelivered(self, reader: str, shard: int, outcome: str) -> None:
        """`outcome` refused, parked, interrupted, no_subscriber."""
        ...

    def depth(self, queue: str, depth: int) -> None: ...
    def up(self, part: str, up: bool) -> None:
        """`part` redis | mqtt."""
        ...

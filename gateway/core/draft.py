"""Copy on write: a change of the twin is drawn up beside its state and counts only once it was committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.core.charger_state import ChargerState, Memory
from gateway.core.clock import rfc3339
from gateway.core.connector_state import ConnectorState, new_connector
from gateway.core.events import Event, to_json
from gateway.core.identity import ChargerId
from gateway.core.reports import Sample
from gateway.core.transaction import TransactionRecord

Place = tuple[int, int]
"""EVSE and connector."""

DAY = 86400.0

MAX_CONNECTORS = 256
"""More than this a charger is not believed to have; their events go out, their state is not kept."""


PART_PREFIX = "part/"
"""Snapshot fields that hold parts of reports: part/{event type}/{request id}/{number}. They are not published."""


@dataclass(slots=True, frozen=True)
class StoredPart:
    """A part of an unfinished report: the name of the list that the parts fill, this part's items, and whether it is
    the last one."""

    name: str
    items: list[Any]
    last: bool = False
    size: int = field(init=False, compare=False)
    """Bytes, roughly."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", len(to_json(self.items)))

    def stored(self) -> bytes:
        """The part as a snapshot field."""
        return to_json([self.name, self.items, self.last])


@dataclass(slots=True)
class State:
    """All that the twin knows.

    `transactions` holds those that run, and those whose end waits for missing messages; `reports` the parts of those
    that are not whole yet, by report ({event type}/{request id}) and number, the oldest report first.
    """

    charger: ChargerState
    memory: Memory
    connectors: dict[Place, ConnectorState]
    transactions: dict[str, TransactionRecord]
    reports: dict[str, dict[int, StoredPart]] = field(default_factory=dict)
    turn: int = 0
    """Grows when transactions began, ended or wait for their end, and when reports did: see `Twin.turn`."""


@dataclass(slots=True)
class Change:
    """What one message, or one happening, leaves behind. Counts once `Twin.adopt` has it.

    The first of `events` carries the message's raw payload. `key` is the idempotency key of a money message. `fields`
    and `transactions` are what changed, in JSON, an empty field is one to delete; `samples` are added to those of their
    transactions (id → JSON list). One that `shows` makes no event, but changes what is seen of the charger, which is to
    be published soon all the same. `transaction_id` is the number for OCPP 1.6's answer. `names` (name → id) are those
    under which a transaction can be recalled.

    A change with `recall` says only that: the record of the first transaction known by one of these names or ids must
    be looked up and given to `Twin.handle` with the report.
    """

    events: list[Event]
    key: str | None = None
    fields: dict[str, bytes] = field(default_factory=dict)
    transactions: dict[str, bytes] = field(default_factory=dict)
    samples: dict[str, bytes] = field(default_factory=dict)
    transaction_id: int | None = None
    draft: "Draft | None" = field(default=None, repr=False, compare=False)
    names: dict[str, str] = field(default_factory=dict)
    recall: Sequence[str] = ()
    shows: bool = False

    def samples_of(self, event: Event) -> bytes | None:
        """The samples in an event's data in JSON, where they are those that are kept."""
        return self.samples.get(event.data.get("transaction_id", "")) if event.data.get("samples") else None


class Draft:
    """A change being drawn up: reads fall through to the state, what is handed out for writing is a copy."""

    __slots__ = (
        "_charger",
        "_connectors",
        "_memory",
        "_records",
        "_reports",
        "_samples",
        "_state",
        "events",
        "id",
        "may_recall",
        "names",
        "now",
        "now_text",
        "recalled",
    )

    def __init__(self, charger: ChargerId, state: State, now: float) -> None:
        self.id = charger
        self.now = now
        self.now_text = rfc3339(now)
        self.events: list[Event] = []
        self.names: dict[str, str] = {}
        self.may_recall = False
        self.recalled: str | None = None
        self._state = state
        self._charger: ChargerState | None = None
        self._memory: Memory | None = None
        self._connectors: dict[Place, ConnectorState] = {}
        self._records: dict[str, TransactionRecord] = {}
        self._reports: dict[str, dict[int, StoredPart]] = {}
        self._samples: dict[str, bytes] = {}

    # ------------------------------------------------------------ to read

    @property
    def ocpp_version(self) -> str | None:
        return (self._charger or self._state.charger)["ocpp_version"]

    @property
    def connected_at(self) -> str | None:
        return (self._charger or self._state.charger)["connected_at"]

    def known(self) -> Memory:
        return self._memory or self._state.memory

    def active(self) -> list[TransactionRecord]:
        """The transactions that run or whose end is pending, in the order they came."""
        if self._memory is None and not self._records:
            return list(self._state.transactions.values())
        known = self.known()["active"]
        return [self._records.get(one) or self._state.transactions[one] for one in known]

    def is_active(self, transaction_id: str) -> bool:
        return transaction_id in (self._state.transactions if self._memory is None else self._memory["active"])

    def places(self) -> list[Place]:
        """All connectors known."""
        return [*self._state.connectors, *(place for place in self._connectors if place not in self._state.connectors)]

    def parts(self, report: str) -> Mapping[int, StoredPart]:
        """What has come of an unfinished report, by number; nothing where it is not known."""
        found = self._reports.get(report)
        return self._state.reports.get(report, {}) if found is None else found

    def unfinished(self) -> list[str]:
        """The unfinished reports, the oldest first."""
        names = dict.fromkeys([*self._state.reports, *self._reports])
        return [name for name in names if self.parts(name)]

    def part_bytes(self) -> int:
        """Bytes of all unfinished reports, roughly."""
        return sum(part.size for name in self.unfinished() for part in self.parts(name).values())

    def trusted(self, time: str | None) -> str | None:
        """A charger's time; None where it is more than a day in the future, so that its clock must be wrong."""
        if time is None or time <= self.now_text or time <= rfc3339(self.now + DAY):
            return time
        return None

    # ------------------------------------------------------------ to write

    def charger(self) -> ChargerState:
        if self._charger is None:
            self._charger = self._state.charger.copy()
        return self._charger

    def memory(self) -> Memory:
        if self._memory is None:
            memory = self._state.memory
            self._memory = {
                "active": [*memory["active"]],
                "wire_id": memory["wire_id"],
                "ended": {**memory["ended"]},
                "stops": {**memory["stops"]},
                "limits": {**memory["limits"]},
                "expected": [*memory["expected"]],
                "awaited": {**memory["awaited"]},
            }
        return self._memory

    def connector(self, place: Place) -> ConnectorState | None:
        """The connector's state; made where it is new. None for the charger itself and beyond MAX_CONNECTORS."""
        drafted = self._connectors.get(place)
        if drafted is not None:
            return drafted
        known = self._state.connectors.get(place)
        if known is not None:
            drafted = known.copy()
        else:
            if place[0] <= 0 or len(self._state.connectors) >= MAX_CONNECTORS:
                return None
            drafted = new_connector(*place)
            charger = self.charger()
            charger["connectors"] = sorted([*charger["connectors"], [*place]])
        drafted["updated_at"] = self.now_text
        self._connectors[place] = drafted
        return drafted

    def record(self, transaction_id: str) -> TransactionRecord:
        """An active transaction's record."""
        drafted = self._records.get(transaction_id)
        if drafted is None:
            drafted = self._state.transactions[transaction_id].copy()
            drafted["updated_at"] = self.now_text
            self._records[transaction_id] = drafted
        return drafted

    def drafted(self, transaction_id: str) -> TransactionRecord:
        """A record that this change has drawn up already, active or not."""
        return self._records[transaction_id]

    def put(self, record: TransactionRecord) -> None:
        """Store a record that is not active (yet, or any more)."""
        record["updated_at"] = self.now_text
        self._records[record["id"]] = record

    def keep_samples(self, transaction_id: str, samples: Sequence[Sample]) -> None:
        """Add samples to those of a transaction; once in a change."""
        self._samples[transaction_id] = to_json(samples)

    def put_part(self, report: str, number: int, part: StoredPart) -> None:
        """Keep a part of an unfinished report."""
        self._reports[report] = {**self.parts(report), number: part}

    def drop_parts(self, report: str) -> None:
        """Forget an unfinished report."""
        self._reports[report] = {}

    # ------------------------------------------------------------ the outcome

    def change(self, key: str | None = None, transaction_id: int | None = None) -> Change:
        """The change as drawn up, encoded."""
        fields = {}
        for (evse_id, connector_id), connector in self._connectors.items():
            fields[f"connector/{evse_id}/{connector_id}"] = to_json(connector)
        if self._charger is not None:
            fields["charger"] = to_json(self._charger)
        if self._memory is not None:
            fields["memory"] = to_json(self._memory)
        for name, parts in self._reports.items():
            stored = self._state.reports.get(name, {})
            for number in stored.keys() - parts.keys():
                fields[f"{PART_PREFIX}{name}/{number}"] = b""
            for number, part in parts.items():
                if stored.get(number) is not part:
                    fields[f"{PART_PREFIX}{name}/{number}"] = part.stored()
        records = {}
        for known, record in self._records.items():
            records[known] = to_json(record)
        return Change(self.events, key, fields, records, self._samples, transaction_id, self, self.names)

    def adopt_into(self, state: State) -> None:
        """Make the change part of the state."""
        if self._charger is not None:
            state.charger = self._charger
        state.connectors.update(self._connectors)
        for name, parts in self._reports.items():
            if parts:
                state.reports[name] = parts
            else:
                state.reports.pop(name, None)
        if self._memory is not None:
            state.memory = self._memory
        turned = self._memory is not None or bool(self._reports)
        active = state.memory["active"]
        for known, record in self._records.items():
            turned = turned or record["pending_since"] is not None
            if known in active:
                state.transactions[known] = record
            else:
                state.transactions.pop(known, None)
        if turned:
            state.turn += 1

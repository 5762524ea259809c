"""A twin driven as a connection drives it, with a log that recognises repeats by their key."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.core.clock import rfc3339
from gateway.core.events import Event, stamp
from gateway.core.identity import ChargerId
from gateway.core.reports import BootDecision, Meter, Report, Sample, Token, TokenDecision, Transaction
from gateway.core.twin import Change, Twin

NOW = 1_790_000_000.0
"""2026-09-21T14:13:20Z"""

ACCEPTED = TokenDecision("accepted")

REGISTER = "Energy.Active.Import.Register"


def at(seconds: float = 0) -> str:
    """The time so many seconds after NOW, as chargers write it."""
    return rfc3339(NOW + seconds)


def sample(
    measurand: str,
    value: float | str,
    seconds: float | None = 0,
    *,
    phase: str | None = None,
    context: str | None = "Sample.Periodic",
) -> Sample:
    return {
        "measurand": measurand,
        "value": value,
        "unit": None,
        "phase": phase,
        "location": None,
        "context": context,
        "timestamp": None if seconds is None else at(seconds),
    }


def start(seconds: float = 0, *, evse: int = 1, token: str = "TAG", meter: float | None = 1000) -> Transaction:
    """A StartTransaction of OCPP 1.6."""
    return Transaction("started", at(seconds), evse, 1, token=Token(token), meter_wh=meter)


def stop(
    number: object, seconds: float = 600, *, meter: float | None = 3000, token: str | None = None, **more: Any
) -> Transaction:
    """A StopTransaction of OCPP 1.6."""
    return Transaction(
        "ended",
        at(seconds),
        ocpp_transaction_id=None if number is None else str(number),
        token=None if token is None else Token(token),
        meter_wh=meter,
        stop_reason="local",
        **more,
    )


@dataclass
class Outcome:
    """What became of one message."""

    change: Change
    repeated: bool
    transaction_id: int | None

    @property
    def events(self) -> list[Event]:
        """What reached the log."""
        return [] if self.repeated else self.change.events

    @property
    def types(self) -> list[str]:
        return [event.type.removeprefix("ocpp.") for event in self.events]

    @property
    def data(self) -> dict[str, Any]:
        """The carrier's data."""
        return self.events[0].data


@dataclass
class Driver:
    """A twin, what it has stored, and the log."""

    version: str | None = "1.6"
    charger: ChargerId = field(default_factory=lambda: ChargerId("CP 1"))
    now: float = NOW
    answers: dict[str, int | None] = field(default_factory=dict)
    fields: dict[str, bytes] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    recalls: int = 0

    def __post_init__(self) -> None:
        self.twin = Twin(self.charger)
        if self.version is not None:
            self.connect(self.version)

    def connect(self, version: str) -> Outcome:
        return self.commit(self.twin.connected(self.now, version=version, remote_address="192.0.2.1", node="node-a"))

    def say(
        self,
        report: Report,
        *,
        token: TokenDecision | None = ACCEPTED,
        boot: BootDecision | None = None,
        payload: object = None,
    ) -> Outcome:
        def handle(**more: Any) -> Change:
            return self.twin.handle(
                report,
                now=self.now,
                redis_now=self.now,
                token=token,
                boot=boot,
                payload=repr(report) if payload is None else str(payload),
                **more,
            )

        change = handle(may_recall=True)
        if change.recall:
            self.recalls += 1
            found = (self.records.get(self.names.get(name, name)) for name in change.recall)
            change = handle(recalled=next((record for record in found if record is not None), b""))
        return self.commit(change)

    def commit(self, change: Change) -> Outcome:
        for event in change.events:
            stamp(event, charger=self.charger, epoch=1, sequence=1, recorded=self.now)
        if change.key is not None and change.key in self.answers:
            return Outcome(change, True, self.answers[change.key])
        if change.key is not None:
            self.answers[change.key] = change.transaction_id
        self.fields |= change.fields
        self.records |= change.transactions
        self.names |= change.names
        self.log += change.events
        self.twin.adopt(change)
        return Outcome(change, False, change.transaction_id)

    def restart(self) -> None:
        """Another node takes over, with what was stored."""
        active = orjson.loads(self.fields["memory"])["active"] if "memory" in self.fields else []
        self.twin = Twin.restore(self.charger, self.fields, {known: self.records[known] for known in active})

    def state(self, evse: int = 1, connector: int = 1) -> dict[str, Any]:
        """The connector's state as stored."""
        parsed: dict[str, Any] = orjson.loads(self.fields[f"connector/{evse}/{connector}"])
        return parsed

    def snapshot(self) -> dict[str, Any]:
        """The charger's state as stored."""
        parsed: dict[str, Any] = orjson.loads(self.fields["charger"])
        return parsed

    def record(self, transaction_id: str) -> dict[str, Any]:
        parsed: dict[str, Any] = orjson.loads(self.records[transaction_id])
        return parsed

    def sequences(self) -> dict[str, list[int]]:
        """The transaction_sequence of every transaction's events, in the order they were logged."""
        found: dict[str, list[int]] = {}
        for event in self.log:
            if event.type.startswith("ocpp.transaction.") and event.type != "ocpp.transaction.corrected":
                found.setdefault(event.data["transaction_id"], []).append(event.data["transaction_sequence"])
        return found

    def count(self, type_: str, transaction_id: str) -> int:
        return sum(
            event.type == f"ocpp.transaction.{type_}" and event.data["transaction_id"] == transaction_id
            for event in self.log
        )


def whole(twin: Twin) -> tuple[dict[str, Any], dict[str, Any]]:
    """All that a twin knows, parsed."""
    change = twin.everything()
    fields = {name: value if name == "availability" else orjson.loads(value) for name, value in change.fields.items()}
    return fields, {known: orjson.loads(value) for known, value in change.transactions.items()}


def event(kind: Any, seq_no: int | None, seconds: float = 0, *, wh: float | None = None, **more: Any) -> Transaction:
    """A TransactionEvent of OCPP 2.x; `wh` is its register sample."""
    samples = [] if wh is None else [sample(REGISTER, wh, seconds)]
    return Transaction(kind, at(seconds), 1, 1, "tx-1", seq_no=seq_no, samples=samples, **more)


def meter(number: object, seconds: float, wh: float, *, evse: int = 1) -> Meter:
    """MeterValues of OCPP 1.6 with one register sample."""
    text = None if number is None else str(number)
    return Meter(evse, 1, [sample(REGISTER, wh, seconds)], at(seconds), text)


def started(driver: Driver, **more: object) -> tuple[str, int]:
    """Start a transaction of OCPP 1.6: its public id, and its number."""
    outcome = driver.say(start(**more))  # type: ignore[arg-type]
    assert outcome.types == ["transaction.started"]
    assert outcome.transaction_id is not None
    return outcome.data["transaction_id"], outcome.transaction_id

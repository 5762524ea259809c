"""What a simulation tells: events while it runs, and a report of what was sent and acknowledged."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

EventKind = Literal[
    "connected", "refused", "disconnected", "sent", "acknowledged", "error", "timeout", "dropped", "command", "answered"
]


@dataclass(frozen=True, slots=True)
class SimulatorEvent:
    """One thing that happened to a charger.

    `sent`, `acknowledged`, `error` and `timeout` are about a message of the charger's own, `dropped` about a stored
    one that it gave up; `command` is a CALL of the CSMS and `answered` the charger's answer to it. `detail` is the
    reason of refused, disconnected, error; `action` and `message_id` are empty where there is no message.
    """

    charger: str
    kind: EventKind
    action: str = ""
    message_id: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    detail: str = ""


OnEvent = Callable[[SimulatorEvent], None]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A message that got its CALLRESULT. `message_ids` are those of all tries, the last one was answered."""

    charger: str
    action: str
    message_id: str
    payload: dict[str, Any]
    answer: dict[str, Any]
    message_ids: tuple[str, ...]


@dataclass(slots=True)
class SimulatorReport:
    """Counts by OCPP action, over all chargers; `sent` counts each try."""

    chargers: int = 0
    connections: int = 0
    refused: int = 0
    disconnections: int = 0
    resent: int = 0
    dropped: int = 0
    unsent: int = 0
    """Transaction messages still unacknowledged when the simulation ended."""
    sent: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    timeouts: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    records: list[Acknowledged] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The counts as JSON; without the records."""
        return {
            "chargers": self.chargers,
            "connections": self.connections,
            "refused": self.refused,
            "disconnections": self.disconnections,
            "resent": self.resent,
            "dropped": self.dropped,
            "unsent": self.unsent,
            "sent": dict(self.sent),
            "acknowledged": dict(self.acknowledged),
            "errors": dict(self.errors),
            "timeouts": dict(self.timeouts),
            "commands": dict(self.commands),
        }


class Recorder:
    """Writes the report and calls the listener; one for the whole fleet."""

    def __init__(self, on_event: OnEvent | None, *, record: bool) -> None:
        self.report = SimulatorReport()
        self._on_event = on_event
        self._record = record

    def connected(self, charger: str, subprotocol: str) -> None:
        self.report.connections += 1
        self._tell(SimulatorEvent(charger, "connected", detail=subprotocol))

    def refused(self, charger: str, reason: str) -> None:
        self.report.refused += 1
        self._tell(SimulatorEvent(charger, "refused", detail=reason))

    def disconnected(self, charger: str, reason: str) -> None:
        self.report.disconnections += 1
        self._tell(SimulatorEvent(charger, "disconnected", detail=reason))

    def sent(self, charger: str, action: str, message_id: str, payload: dict[str, Any]) -> None:
        self.report.sent[action] += 1
        if self._on_event is not None:
            self._tell(SimulatorEvent(charger, "sent", action, message_id, payload))

    def acknowledged(self, message: Acknowledged) -> None:
        self.report.acknowledged[message.action] += 1
        if self._record:
            self.report.records.append(message)
        if self._on_event is not None:
            self._tell(
                SimulatorEvent(message.charger, "acknowledged", message.action, message.message_id, message.answer)
            )

    def error(self, charger: str, action: str, message_id: str, reason: str) -> None:
        self.report.errors[action] += 1
        self._tell(SimulatorEvent(charger, "error", action, message_id, detail=reason))

    def timeout(self, charger: str, action: str, message_id: str) -> None:
        self.report.timeouts[action] += 1
        self._tell(SimulatorEvent(charger, "timeout", action, message_id))

    def resent(self) -> None:
        self.report.resent += 1

    def dropped(self, charger: str, action: str, payload: dict[str, Any]) -> None:
        self.report.dropped += 1
        self._tell(SimulatorEvent(charger, "dropped", action, payload=payload))

    def command(self, charger: str, action: str, message_id: str, payload: dict[str, Any]) -> None:
        self.report.commands[action] += 1
        self._tell(SimulatorEvent(charger, "command", action, message_id, payload))

    def answered(self, charger: str, action: str, message_id: str, payload: dict[str, Any], error: str = "") -> None:
        self._tell(SimulatorEvent(charger, "answered", action, message_id, payload, error))

    def _tell(self, event: SimulatorEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)

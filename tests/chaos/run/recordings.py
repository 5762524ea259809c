"""What one business system got, put in order, and what may be found wrong with it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.run.truth import Message

Event = dict[str, Any]


@dataclass(frozen=True)
class Discrepancy:
    """Something that does not add up. `kind` is one word for it, `where` who noticed it."""

    kind: str
    where: str
    charger: str
    transaction: str
    told: str
    shown: tuple[str, ...] = ()

    def line(self) -> str:
        """It in a line."""
        about = f" transaction {self.transaction}" if self.transaction else ""
        return f"{self.kind} ({self.where}): charger {self.charger}{about}: {self.told}"

    def __str__(self) -> str:
        return "\n      ".join([self.line(), *(line[:900] for line in self.shown[:12])])


def charger_of(event: Event) -> str:
    return str(event["source"]).removeprefix("/chargers/")


def short(event: Event) -> str:
    """An event in a line."""
    data = event["data"]
    names: tuple[str, ...] = (
        "transaction_id",
        "ocpp_transaction_id",
        "transaction_sequence",
        "revision",
        "energy_wh",
        "energy_method",
    )
    names += ("meter_start_wh", "meter_stop_wh", "suspect", "pending_end", "started_at", "ended_at")
    told = {name: data[name] for name in names if data.get(name) is not None}
    place = f"{event['epoch'].lstrip('0')}.{int(event['sequence'])}"
    return f"{event['type'].removeprefix('ocpp.')} {event['id']} at {place} message {event.get('ocppmessageid')} {told}"


class Record:
    """What one recorder got: every event, and each once."""

    def __init__(self, name: str, events: Sequence[Event]) -> None:
        self.name = name
        self.events: list[Event] = []
        self.doubles: list[tuple[Event, Event]] = []
        """Two that bear one id and differ."""
        self.repeats = 0
        self.by_message: dict[tuple[str, str], list[Event]] = defaultdict(list)
        self.by_transaction: dict[str, list[Event]] = defaultdict(list)
        first: dict[tuple[str, str], Event] = {}
        for event in events:
            known = first.setdefault((event["source"], event["id"]), event)
            if known is not event:
                self.repeats += 1
                if known != event:
                    self.doubles.append((known, event))
                continue
            self.events.append(event)
            if event.get("ocppmessageid"):
                self.by_message[charger_of(event), event["ocppmessageid"]].append(event)
            transaction = event["data"].get("transaction_id")
            if transaction and event["type"].startswith("ocpp.transaction."):
                self.by_transaction[transaction].append(event)

    def of(self, message: Message) -> list[Event]:
        """The events that carry a message."""
        return [event for one in message.ids for event in self.by_message.get((message.charger, one), ())]

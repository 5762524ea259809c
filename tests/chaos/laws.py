"""The laws, as checks of what chargers saw acknowledged against what a subscriber heard."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from gateway.simulator import Acknowledged
from tests.chaos.subscriber import once

EVENTLESS = frozenset({"Heartbeat"})
Event = dict[str, Any]


def missing(records: Iterable[Acknowledged], events: list[Event]) -> list[Acknowledged]:
    """Messages that a charger saw acknowledged, and whose event is not there."""
    told = {(_charger(event), event.get("ocppmessageid")) for event in events}
    return [
        record
        for record in records
        if record.action not in EVENTLESS and not any((record.charger, one) in told for one in record.message_ids)
    ]


def check_all(records: list[Acknowledged], events: list[Event]) -> None:
    """Everything that must hold at the end, whatever was killed, cut, delayed or repeated in between."""
    lost = missing(records, events)
    assert not lost, f"{len(lost)} acknowledged messages have no event, the first is {lost[0]}"
    check_repeats(events)
    check_order(records, events)
    check_sequences(events)
    check_transactions(records, events)


def check_repeats(events: list[Event]) -> None:
    """What is there twice bears the same id: one carrier event per message, and same id means same event."""
    by_id: dict[tuple[str, str], Event] = {}
    for event in events:
        same = by_id.setdefault((event["source"], event["id"]), event)
        assert same == event, "two events of one id differ"
    carried: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for event in events:
        if event.get("ocppmessageid"):
            carried[event["source"], event["ocppmessageid"], event["type"]].add(event["id"])
    doubled = {message: ids for message, ids in carried.items() if len(ids) > 1}
    assert not doubled, f"one message made two events: {doubled}"


def check_order(records: Iterable[Acknowledged], events: list[Event]) -> None:
    """The events of a charger come in the order in which it sent the messages.

    One that it had to send again is left out: its place is where its first sending was committed.
    """
    place: dict[tuple[str, str | None], int] = {}
    for position, event in enumerate(events):
        place.setdefault((_charger(event), event.get("ocppmessageid")), position)
    reached: dict[str, tuple[int, Acknowledged | None]] = defaultdict(lambda: (-1, None))
    for record in records:
        if record.action in EVENTLESS or len(record.message_ids) > 1:
            continue
        position = place[record.charger, record.message_id]
        before, other = reached[record.charger]
        assert position > before, f"{record} was overtaken by {other}"
        reached[record.charger] = position, record


def check_sequences(events: list[Event]) -> None:
    """`sequence` counts the events of a charger and epoch without a hole, and both only grow in the order heard."""
    chargers: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for event in once(events):
        chargers[_charger(event)].append((int(event["epoch"]), int(event["sequence"])))
    for charger, marks in chargers.items():
        assert marks == sorted(marks), f"{charger}: the events came out of order"
        for earlier, later in zip([(0, -1), *marks], marks, strict=False):
            expected = earlier[1] + 1 if earlier[0] == later[0] else 0
            assert later[1] == expected, f"{charger}: an event is missing between {earlier} and {later}"


def check_transactions(records: Iterable[Acknowledged], events: list[Event], *, holes: bool = False) -> None:
    """Each transaction has one started and one ended, and counts its events without a hole (unless `holes`)."""
    transactions: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for event in once(events):
        kind = event["type"].removeprefix("ocpp.transaction.")
        if kind in ("started", "updated", "ended"):
            data = event["data"]
            transactions[_charger(event), data["transaction_id"]].append((kind, data["transaction_sequence"]))
    for transaction, told in transactions.items():
        kinds = [kind for kind, _ in told]
        assert kinds[0] == "started", f"{transaction}: {kinds}"
        assert kinds[-1] == "ended", f"{transaction}: {kinds}"
        assert kinds.count("started") == kinds.count("ended") == 1, f"{transaction}: {kinds}"
        numbers = [number for _, number in told]
        assert numbers == (sorted(set(numbers)) if holes else list(range(len(told)))), f"{transaction}: {told}"
    assert len(transactions) == _started(records)


def _started(records: Iterable[Acknowledged]) -> int:
    """How many transactions the chargers know of, by the starts that were acknowledged."""
    return sum(
        record.action == "StartTransaction" or record.payload.get("eventType") == "Started" for record in records
    )


def _charger(event: Event) -> str:
    return str(event["source"]).removeprefix("/chargers/")

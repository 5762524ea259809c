"""The check: what chargers were told to be received, against what each business system got."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.chaos.run.chargers import Charger
from tests.chaos.run.orders import Order
from tests.chaos.run.recordings import Discrepancy, Event, Record, charger_of, short
from tests.chaos.run.truth import Message, Transaction

NEVER_SENT = frozenset({"offline", "expired", "cancelled", "invalid", "unsupported", "superseded"})


class Books:
    """All that is known at the end of a run. `records` are the transactions as REST lists them, each as often as it
    is listed; `polled` as the one who polls for changes has them; `samples` are those of some, by id."""

    def __init__(
        self,
        chargers: Sequence[Charger],
        recordings: Mapping[str, Sequence[Event]],
        *,
        records: Sequence[dict[str, Any]],
        polled: Mapping[str, dict[str, Any]],
        samples: Mapping[str, Sequence[dict[str, Any]]],
        orders: Sequence[Order],
        undecided: Sequence[Order],
    ) -> None:
        self.chargers = chargers
        self.recordings = [Record(name, events) for name, events in recordings.items()]
        self._records, self._polled, self._samples = records, polled, samples
        self._orders, self._undecided = orders, undecided

    def check(self) -> list[Discrepancy]:
        """Everything that does not add up, the gravest first."""
        found: list[Discrepancy] = []
        for charger in self.chargers:
            found += self._complaints(charger)
            found += self._numbers(charger)
        for record in self.recordings:
            for part in (self._arrivals, self._stable, self._transactions, self._order, self._sequences):
                found += part(record)
        found += self._agreement()
        found += self._listed()
        found += self._sampled()
        found += self._commands()
        return found

    # ------------------------------------------------------------ what chargers saw

    def _complaints(self, charger: Charger) -> Iterator[Discrepancy]:
        for complaint in charger.complaints:
            about = complaint.message
            name = "" if about is None or about.transaction is None else about.transaction.name
            yield Discrepancy("answer", "charger", charger.identity, name, complaint.told, (str(about),))
        for message in charger.messages:
            if message.once and not message.answered:
                name = "" if message.transaction is None else message.transaction.name
                told = "a message was never acknowledged"
                yield Discrepancy("unanswered", "charger", charger.identity, name, told, (str(message),))

    def _numbers(self, charger: Charger) -> Iterator[Discrepancy]:
        """The same start always got the same number, and no two got one."""
        taken: dict[int, Transaction] = {}
        for transaction in charger.transactions:
            if len(transaction.numbers) > 1:
                told = f"one start got several numbers: {sorted(transaction.numbers)}"
                yield Discrepancy("wire id", "charger", charger.identity, transaction.name, told)
            for number in transaction.numbers:
                other = taken.setdefault(number, transaction)
                if other is not transaction:
                    told = f"the number {number} was {other.name}'s before"
                    yield Discrepancy("wire id", "charger", charger.identity, transaction.name, told)

    # ------------------------------------------------------------ messages and events

    def _messages(self) -> Iterator[Message]:
        for charger in self.chargers:
            yield from charger.messages

    def _arrivals(self, record: Record) -> Iterator[Discrepancy]:
        """What was acknowledged has its event; one alone where repeats are known."""
        for message in self._messages():
            events = record.of(message)
            name = "" if message.transaction is None else message.transaction.name
            if not events and message.answered:
                told = "an acknowledged message has no event"
                yield Discrepancy("lost", record.name, message.charger, name, told, (str(message),))
            elif message.once and len(events) > 1:
                told = f"one message has {len(events)} events"
                shown = (str(message), *map(short, events))
                yield Discrepancy("doubled", record.name, message.charger, name, told, shown)

    def _stable(self, record: Record) -> Iterator[Discrepancy]:
        for first, again in record.doubles:
            told = f"the event {first['id']} is there with two contents"
            shown = (short(first), short(again))
            yield Discrepancy("unstable", record.name, charger_of(first), "", told, shown)

    def _order(self, record: Record) -> Iterator[Discrepancy]:
        """Messages that were sent once come in the order in which they were sent."""
        place = {(event["source"], event["id"]): at for at, event in enumerate(record.events)}
        for charger in self.chargers:
            reached, before = -1, None
            for message in charger.messages:
                events = record.of(message)
                if message.copies != 1 or not message.answered or not events:
                    continue
                at = min(place[event["source"], event["id"]] for event in events)
                if at < reached:
                    told = f"was overtaken by {before}"
                    yield Discrepancy("order", record.name, charger.identity, "", told, (str(message),))
                    continue
                reached, before = at, message

    def _sequences(self, record: Record) -> Iterator[Discrepancy]:
        """`sequence` counts the events of a charger and epoch without a hole, and both only grow."""
        marks: dict[str, tuple[int, int]] = {}
        for event in record.events:
            charger, mark = charger_of(event), (int(event["epoch"]), int(event["sequence"]))
            before = marks.get(charger, (0, -1))
            expected = (before[0], before[1] + 1) if mark[0] == before[0] else (mark[0], 0)
            if mark != expected or mark <= before:
                told = f"epoch and sequence are {mark} after {before}"
                yield Discrepancy("sequence", record.name, charger, "", told, (short(event),))
            marks[charger] = max(mark, before)

    # ------------------------------------------------------------ transactions

    def _transactions(self, record: Record) -> Iterator[Discrepancy]:
        names: dict[str, Transaction] = {}
        for charger in self.chargers:
            for transaction in charger.transactions:
                if not any(message.ids for message in transaction.messages):
                    continue
                ids = self._ids(record, transaction)
                if len(ids) != 1:
                    told = "no transaction was told" if not ids else f"it was told under several ids: {sorted(ids)}"
                    kind = "lost" if not ids else "doubled"
                    shown = tuple(str(message) for message in transaction.messages)
                    yield Discrepancy(kind, record.name, charger.identity, transaction.name, told, shown)
                    continue
                (known,) = ids
                if known in names:
                    told = f"its id {known} is {names[known].name}'s, too"
                    yield Discrepancy("doubled", record.name, charger.identity, transaction.name, told)
                names[known] = transaction
                events = record.by_transaction[known]
                shown = (*(short(event) for event in events), *(str(message) for message in transaction.messages))
                for kind, told in _wrong(transaction, events):
                    yield Discrepancy(kind, record.name, charger.identity, transaction.name, told, shown)
        for known, events in record.by_transaction.items():
            if known not in names:
                told = f"a transaction {known} that never was"
                yield Discrepancy("ghost", record.name, charger_of(events[0]), "", told, tuple(map(short, events)))

    @staticmethod
    def _ids(record: Record, transaction: Transaction) -> set[str]:
        """The ids under which the messages of a transaction were told."""
        return {
            event["data"]["transaction_id"]
            for message in transaction.messages
            for event in record.of(message)
            if event["type"].startswith("ocpp.transaction.")
        }

    # ------------------------------------------------------------ the recorders among themselves

    def _agreement(self) -> Iterator[Discrepancy]:
        """The same events everywhere, with the same content."""
        if len(self.recordings) < 2:
            return
        one, other = self.recordings[:2]
        mine = {(event["source"], event["id"]): event for event in one.events}
        for event in other.events:
            known = mine.pop((event["source"], event["id"]), None)
            if known is None:
                told = f"only {other.name} got the event {event['id']}"
                yield Discrepancy("lost", one.name, charger_of(event), "", told, (short(event),))
            elif known != event:
                told = f"{one.name} and {other.name} got the event {event['id']} with two contents"
                yield Discrepancy("unstable", one.name, charger_of(event), "", told, (short(known), short(event)))
        for event in mine.values():
            told = f"only {one.name} got the event {event['id']}"
            yield Discrepancy("lost", other.name, charger_of(event), "", told, (short(event),))

    def _listed(self) -> Iterator[Discrepancy]:
        """The records by REST say what the last event of each transaction said, and each is there once."""
        last: dict[str, Event] = {}
        for event in self.recordings[0].events:
            if event["type"] in ("ocpp.transaction.ended", "ocpp.transaction.corrected"):
                last[event["data"]["transaction_id"]] = event
        listed = Counter(record["id"] for record in self._records)
        by_id = {record["id"]: record for record in self._records}
        for known in listed.keys() | last.keys() | self._polled.keys():
            event = last.get(known)
            charger = by_id.get(known, self._polled.get(known, {})).get("charger_id", "?")
            if event is None:
                yield Discrepancy("record", "REST", charger, known, "a record of a transaction that never ended")
                continue
            if listed[known] != 1:
                told = f"it is listed {listed[known]} times"
                yield Discrepancy("record", "REST", charger_of(event), known, told, (short(event),))
            for where, records in (("the listing", by_id), ("the changes", self._polled)):
                shown = records.get(known)
                for told in ["it is missing"] if shown is None else _differences(shown, event["data"]):
                    told = f"{where}: {told}"
                    yield Discrepancy("record", "REST", charger_of(event), known, told, (short(event),))

    def _sampled(self) -> Iterator[Discrepancy]:
        """A transaction keeps the samples of all its messages, each once; not what a repeat says otherwise."""
        record = self.recordings[0]
        for known, samples in self._samples.items():
            events = record.by_transaction.get(known, [])
            if any("duplicate_with_differences" in event["data"]["suspect"] for event in events):
                continue
            told = [str(sample) for event in events for sample in event["data"]["samples"]]
            kept = [str(sample) for sample in samples]
            if Counter(told) != Counter(kept):
                words = f"it keeps {len(kept)} samples, its events told {len(told)}"
                yield Discrepancy("samples", "REST", charger_of(events[0]) if events else "?", known, words)

    # ------------------------------------------------------------ commands

    def _commands(self) -> Iterator[Discrepancy]:
        delivered: Counter[str] = Counter()
        for charger in self.chargers:
            delivered.update(str(call.payload["messageId"]) for call in charger.called if call.action == "DataTransfer")
        undecided = set(self._undecided)
        for order in self._orders:
            shown = (str(order.told), f"{order.name} by {order.way}")
            where, about = "commands", order.id
            if len(order.outcomes) > 1:
                told = f"a command ended in several outcomes: {sorted(order.outcomes)}"
                yield Discrepancy("outcome", where, order.charger, about, told, shown)
            odd = {one for one in order.outcomes if one == "forgotten" or one.startswith("HTTP")}
            for outcome in odd:
                yield Discrepancy("outcome", where, order.charger, about, f"its outcome is {outcome}", shown)
            if order in undecided:
                yield Discrepancy("outcome", where, order.charger, about, "a command never ended", shown)
            if order.name != "data_transfer":
                continue
            times = delivered[order.id]
            if times > 1:
                told = f"the charger got a command {times} times"
                yield Discrepancy("delivery", where, order.charger, about, told, shown)
            elif times and order.outcomes & NEVER_SENT:
                told = "the charger got a command that was said not to have been sent"
                yield Discrepancy("delivery", where, order.charger, about, told, shown)
            elif not times and "accepted" in order.outcomes:
                told = "a command was accepted that the charger never got"
                yield Discrepancy("delivery", where, order.charger, about, told, shown)


def _wrong(transaction: Transaction, events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """What is wrong with how a transaction was told: (kind, words)."""
    kinds = Counter(event["type"].removeprefix("ocpp.transaction.") for event in events)
    if kinds["started"] != transaction.has_start:
        yield "doubled" if kinds["started"] > 1 else "lost", f"{kinds['started']} started events"
    if kinds["ended"] != 1:
        yield "doubled" if kinds["ended"] > 1 else "lost", f"{kinds['ended']} ended events"
    if transaction.corrects is not None and kinds["corrected"] != transaction.corrects:
        yield "revision", f"{kinds['corrected']} corrections in place of {transaction.corrects}"
    counted = [event["data"]["transaction_sequence"] for event in events if not event["type"].endswith("corrected")]
    if counted != list(range(len(counted))):
        yield "sequence", f"transaction_sequence runs {counted}"
    bills = [event for event in events if event["data"].get("revision")]
    if not bills:
        return
    if [event["data"]["revision"] for event in bills] != list(range(1, len(bills) + 1)):
        yield "revision", f"the revisions are {[event['data']['revision'] for event in bills]}"
    data = max(bills, key=lambda event: int(event["data"]["revision"]))["data"]
    energy = data["energy_wh"]
    if (None if energy is None else Decimal(str(energy))) != transaction.energy:
        yield "energy", f"{energy} Wh in place of {transaction.energy} ({data['energy_method']}, {transaction.mess})"
    if set(data["suspect"]) != transaction.suspect:
        yield "suspect", f"{data['suspect']} in place of {sorted(transaction.suspect)} ({transaction.mess})"
    if (
        transaction.version == "1.6"
        and transaction.has_start
        and data["ocpp_transaction_id"] != str(transaction.number)
    ):
        yield "wire id", f"it is told as {data['ocpp_transaction_id']}, the charger was told {transaction.number}"


_SAME = (
    "ocpp_transaction_id", "evse_id", "connector_id", "token", "started_at", "ended_at", "duration_s",
    "meter_start_wh", "meter_stop_wh", "energy_wh", "energy_method", "stop_reason", "suspect", "revision",
    "transaction_sequence", "tokens", "alternatives",
)  # fmt: skip


def _differences(record: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[str]:
    if record["status"] != "ended":
        yield f"its status is {record['status']}"
    for name in _SAME:
        if record.get(name) != data.get(name):
            yield f"its {name} is {record.get(name)}, the event said {data.get(name)}"


def kinds(found: Iterable[Discrepancy]) -> Counter[str]:
    return Counter(one.kind for one in found)

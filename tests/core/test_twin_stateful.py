"""Money exactly once, whatever order messages and repeats come in, and whichever node holds the charger."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.core.reports import Meter, Report, Status, Token, Transaction
from tests.core.driver import REGISTER, Driver, at, sample, stop, whole

CONNECTORS = st.integers(1, 2)
CLOCKLESS = "1970-01-01T00:00:00.000Z"


class _Exchange(RuleBasedStateMachine):
    """Messages of a charger, each of which may be said again at any later time."""

    version = "1.6"

    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver(self.version)
        self.seconds = 0.0
        self.said: list[tuple[Report, str]] = []
        self.answers: dict[int, Any] = {}

    def pass_time(self) -> float:
        self.seconds += 10
        self.driver.now += 10
        return self.seconds

    def say(self, report: Report) -> None:
        self.said.append((report, f"payload {len(self.said)}"))
        self._send(len(self.said) - 1)

    def _send(self, place: int) -> None:
        report, payload = self.said[place]
        outcome = self.driver.say(report, payload=payload)
        if outcome.change.key is not None:
            assert outcome.repeated == (place in self.answers), "a repeat is recognised, and nothing else"
            assert outcome.transaction_id == self.answers.setdefault(place, outcome.transaction_id)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """A retransmission: the same payload, some time later."""
        place = data.draw(st.integers(0, len(self.said) - 1))
        report = self.said[place][0]
        if isinstance(report, Transaction) and report.time == CLOCKLESS and place != len(self.said) - 1:
            return  # once something later came, such a start is a new one
        self._send(place)

    @rule()
    def moves_to_another_node(self) -> None:
        self.driver.restart()

    @rule(connector=CONNECTORS, word=st.sampled_from(["available", "charging", "occupied", "unavailable", "faulted"]))
    def status(self, connector: int, word: str) -> None:
        self.driver.say(Status(connector, 1, word, at(self.pass_time())))

    @invariant()
    def each_transaction_is_started_and_ended_at_most_once(self) -> None:
        for known, sequence in self.driver.sequences().items():
            assert sequence == list(range(len(sequence)))
            assert self.driver.count("started", known) <= 1
            ended = self.driver.count("ended", known)
            assert ended <= 1
            assert (ended == 0) == (known in self.driver.twin.active_ids())

    @invariant()
    def what_is_stored_is_what_is_known(self) -> None:
        live = whole(self.driver.twin)
        self.driver.restart()
        assert whole(self.driver.twin) == live

    @invariant()
    def event_keys_are_used_once(self) -> None:
        keys = [event.key for event in self.driver.log if event.key is not None]
        assert len(keys) == len(set(keys))


class StartStopExchange(_Exchange):
    """OCPP 1.6."""

    def numbers(self) -> list[int]:
        return [number for number in self.answers.values() if number is not None]

    @rule(connector=CONNECTORS, token=st.sampled_from(["A", "B"]), clockless=st.booleans())
    def start(self, connector: int, token: str, clockless: bool) -> None:
        seconds = self.pass_time()
        time, meter = (CLOCKLESS, 1000 + seconds) if clockless else (at(seconds), 1000)
        self.say(Transaction("started", time, connector, 1, token=Token(token), meter_wh=meter))

    @precondition(lambda self: self.numbers())
    @rule(data=st.data(), connector=CONNECTORS, wh=st.integers(0, 9000))
    def meter(self, data: st.DataObject, connector: int, wh: int) -> None:
        number = data.draw(st.sampled_from([*map(str, self.numbers()), "99"]))
        seconds = self.pass_time()
        self.say(Meter(connector, 1, [sample(REGISTER, wh, seconds)], at(seconds), number))

    @rule(data=st.data(), wh=st.integers(0, 9000), token=st.sampled_from([None, "A", "B"]))
    def stop(self, data: st.DataObject, wh: int, token: str | None) -> None:
        stoppable = {self.driver.record(known)["ocpp_transaction_id"] for known in self.driver.twin.active_ids()}
        number = data.draw(st.sampled_from([*sorted(stoppable), "0", "-1", None, str(77 + len(self.said))]))
        self.say(stop(number, self.pass_time(), meter=wh, token=token))

    @invariant()
    def numbers_never_repeat(self) -> None:
        assert len(self.numbers()) == len(set(self.numbers()))


class TransactionEventExchange(_Exchange):
    """OCPP 2.x, with messages that arrive out of order."""

    version = "2.0.1"

    def __init__(self) -> None:
        super().__init__()
        self.held_back: list[Report] = []
        self.next_seq: dict[str, int] = {}
        self.count = 0

    def event(self, kind: Any, name: str, connector: int, *, late: bool) -> None:
        seq_no = self.next_seq[name]
        self.next_seq[name] += 1
        seconds = self.pass_time()
        report = Transaction(
            kind,
            at(seconds),
            connector,
            1,
            ocpp_transaction_id=name,
            seq_no=seq_no,
            samples=[sample(REGISTER, 1000 + seconds, seconds)],
            charging_state="charging",
        )
        if late:
            self.held_back.append(report)
        else:
            self.say(report)

    @rule(connector=CONNECTORS, late=st.booleans())
    def start(self, connector: int, late: bool) -> None:
        self.count += 1
        name = f"{connector}-{self.count}"
        self.next_seq[name] = 0
        self.event("started", name, connector, late=late)

    @precondition(lambda self: self.next_seq)
    @rule(data=st.data(), late=st.booleans(), kind=st.sampled_from(["updated", "updated", "ended"]))
    def goes_on(self, data: st.DataObject, late: bool, kind: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.next_seq)))
        self.event(kind, name, int(name[0]), late=late)
        if kind == "ended":
            del self.next_seq[name]

    @precondition(lambda self: self.held_back)
    @rule(data=st.data())
    def arrives_late(self, data: st.DataObject) -> None:
        self.say(self.held_back.pop(data.draw(st.integers(0, len(self.held_back) - 1))))

    @precondition(lambda self: self.driver.twin.pending_ends())
    @rule()
    def grace_time_is_over(self) -> None:
        for known in self.driver.twin.pending_ends():
            self.driver.commit(self.driver.twin.end_pending(self.driver.now, known))


_SETTINGS = settings(max_examples=40, stateful_step_count=30)
StartStopExchange.TestCase.settings = _SETTINGS
TransactionEventExchange.TestCase.settings = _SETTINGS


class TestStartStopExchange(StartStopExchange.TestCase):  # type: ignore[name-defined,misc]
    """OCPP 1.6."""


class TestTransactionEventExchange(TransactionEventExchange.TestCase):  # type: ignore[name-defined,misc]
    """OCPP 2.x."""

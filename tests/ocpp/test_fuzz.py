"""Whatever a charger sends and whenever our CALLs come: nothing raises, order is kept, one CALL is outstanding."""

import json
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.ocpp.frames import Call, CallError, CallResult, Malformed, decode, encode_call
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.schemas import SchemaSet
from gateway.ocpp.session import (
    Anomaly,
    CallAnswered,
    CallExpired,
    CallFailed,
    CallLost,
    CallReceived,
    CallTimedOut,
    Session,
    SessionEvent,
    Transmit,
)

SCHEMAS = {name: SchemaSet.load(profile.schema_package) for name, profile in PROFILES.items()}
ACTIONS = sorted({action for profile in PROFILES.values() for action in profile.actions_in | profile.actions_out})

# Lone surrogates too: json.dumps writes them as escapes.
TEXTS = st.text(st.characters(), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats()
    | TEXTS
    | st.sampled_from(["2026-11-21T08:00:00Z", "Wh", "-1", ""])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)
PAYLOADS = st.dictionaries(
    st.sampled_from(["idTag", "connectorId", "meterValue", "transactionId", "eventType"]) | TEXTS, VALUES, max_size=5
)
IDS = st.sampled_from(["1", "", "-1", "g1", "g2"]) | TEXTS | st.integers() | st.none()
FRAMES = st.one_of(
    st.tuples(st.sampled_from([2, 6, "2", 9]), IDS, st.sampled_from(ACTIONS) | TEXTS, PAYLOADS | VALUES),
    st.tuples(st.sampled_from([3, 3.0]), IDS, PAYLOADS | VALUES),
    st.tuples(st.sampled_from([4, 5]), IDS, TEXTS, TEXTS, VALUES),
    st.lists(VALUES, max_size=7),
    VALUES,
)
SPOILERS = st.sampled_from(
    ["\x00", "\ufeff", ",", "[", "]", "{", "}", '"', "\\", "\n", " ", "1e999", "NaN", "é", "\\ud800"]
)


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """A frame as JSON, cut or with something put in, perhaps with another behind it."""
    text = json.dumps(draw(FRAMES), separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])))
    if draw(st.booleans()):
        text += json.dumps(draw(FRAMES))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", *text[at:][:1]]) | SPOILERS) + text[at + draw(st.integers(0, 1)) :]
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 3)) == 0 else text


ANYTHING = spoilt() | st.text(st.characters(), max_size=60) | st.binary(max_size=60)
QUICK = settings(max_examples=200)


@QUICK
@given(ANYTHING)
def test_any_text_decodes_to_frames(text: str | bytes) -> None:
    frames = decode(text)
    assert frames
    for frame in frames:
        assert isinstance(frame, Call | CallResult | CallError | Malformed)
        if isinstance(frame, Call):
            # What goes on from here must be fit for UTF-8, wherever it is stored or sent.
            json.dumps([frame.message_id, frame.action, frame.payload], ensure_ascii=False).encode()
            assert type(frame.payload) is dict


@pytest.mark.parametrize("subprotocol", sorted(PROFILES))
@pytest.mark.parametrize("strict", [False, True])
@QUICK
@given(texts=st.lists(ANYTHING, max_size=3))
def test_no_text_raises_or_gets_what_is_no_json(subprotocol: str, strict: bool, texts: list[str | bytes]) -> None:
    session = Session(PROFILES[subprotocol], SCHEMAS[subprotocol], strict=strict)
    for text in texts:
        for event in session.receive(text, 0.0):
            if isinstance(event, Transmit):
                frame = json.loads(event.text.encode())
                assert frame[0] == 4
                assert len(frame[3]) <= 255
            if isinstance(event, CallReceived):
                assert json.loads(session.answer(event.message_id, b"{}").encode())[0] == 3
                code = session.refusal_for(event.action)
                assert json.loads(session.refuse(event.message_id, code).encode())[0] == 4


@QUICK
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=36), st.sampled_from(ACTIONS), PAYLOADS)
def test_what_we_encode_we_read_unharmed(message_id: str, action: str, payload: dict[str, Any]) -> None:
    well_formed = json.dumps(payload, allow_nan=True).replace("NaN", "0").replace("Infinity", "0")
    payload = json.loads(well_formed.encode("ascii"))
    try:
        json.dumps(payload, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    (frame,) = decode(encode_call(message_id, action, payload))
    assert isinstance(frame, Call)
    assert (frame.message_id, frame.action) == (message_id, action)
    assert json.loads(frame.raw) == payload


class Exchange(RuleBasedStateMachine):
    """A charger that answers, errs, is late or silent, against what may be outstanding at any time."""

    def __init__(self) -> None:
        super().__init__()
        numbers = count(1)
        self.session = Session(
            PROFILES["ocpp2.1"], SCHEMAS["ocpp2.1"], max_outbound=5, new_id=lambda: f"g{next(numbers)}"
        )
        self.now = 0.0
        self.handles = count()
        self.open: set[int] = set()
        self.outstanding: str | None = None
        self.old: list[str] = []
        self.sent: list[int] = []
        self.received = count()

    def take(self, events: list[SessionEvent]) -> None:
        for event in events:
            match event:
                case Transmit():
                    kind, message_id, _, payload = json.loads(event.text)
                    assert kind == 2
                    assert self.outstanding is None, "two CALLs at a time"
                    self.outstanding = message_id
                    self.sent.append(payload["customData"]["handle"])
                case CallAnswered() | CallFailed() | CallTimedOut():
                    assert self.outstanding is not None
                    assert event.handle == self.sent[-1], "an answer went to another CALL"
                    self.old.append(self.outstanding)
                    self.outstanding = None
                    self.open.remove(event.handle)
                case CallExpired():
                    assert event.handle not in self.sent
                    self.open.remove(event.handle)
                case CallLost():
                    assert event.sent == (event.handle in self.sent)
                    self.open.remove(event.handle)
                case Anomaly():
                    assert event.kind in ("late_answer", "unknown_answer")

    @rule(wait=st.floats(0, 20), within=st.floats(0, 20))
    def call(self, wait: float, within: float) -> None:
        handle = next(self.handles)
        self.open.add(handle)
        self.take(
            self.session.call(
                "ClearCache",
                {"customData": {"vendorId": "x", "handle": handle}},
                handle=handle,
                deadline=self.now + wait,
                answer_within=within,
                now=self.now,
            )
        )

    @precondition(lambda self: self.outstanding is not None)
    @rule(error=st.booleans())
    def answer(self, error: bool) -> None:
        text = f'[4,"{self.outstanding}","GenericError","",{{}}]' if error else f'[3,"{self.outstanding}",{{}}]'
        before = self.outstanding
        self.take(self.session.receive(text, self.now))
        assert self.outstanding != before

    @precondition(lambda self: self.old)
    @rule(data=st.data())
    def answer_again(self, data: st.DataObject) -> None:
        before = self.outstanding
        self.take(self.session.receive(f'[3,"{data.draw(st.sampled_from(self.old))}",{{}}]', self.now))
        assert self.outstanding == before

    @rule(seconds=st.floats(0, 15))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.take(self.session.poll(self.now))

    @rule(size=st.integers(1, 4))
    def charger_calls(self, size: int) -> None:
        expected = [str(next(self.received)) for _ in range(size)]
        text = "".join(f'[2,"{message_id}","Heartbeat",{{}}]' for message_id in expected)
        events = self.session.receive(text, self.now)
        assert [event.message_id for event in events if isinstance(event, CallReceived)] == expected

    @precondition(lambda self: len(self.open) > 1)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        handle = data.draw(st.sampled_from(sorted(self.open)))
        assert self.session.cancel(handle) == (handle not in self.sent)
        if handle not in self.sent:
            self.open.remove(handle)

    @invariant()
    def calls_go_out_in_order(self) -> None:
        assert self.sent == sorted(self.sent)

    @invariant()
    def what_is_open_has_a_deadline(self) -> None:
        assert (self.session.next_deadline() is None) == (not self.open)
        assert self.open or self.outstanding is None

    def teardown(self) -> None:
        self.take(self.session.drain())
        assert not self.open


Exchange.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestExchange = Exchange.TestCase

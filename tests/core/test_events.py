"""CloudEvents: the envelope, stable ids, and payloads that JSON can hardly hold."""

import sys
import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.clock import rfc3339
from gateway.core.events import Event, Origin, stable_id, stamp, to_json
from gateway.core.identity import ChargerId

CHARGER = ChargerId("CP 1")
RECORDED = 1_790_000_000.25


def stamped(event: Event, origin: Origin | None = None) -> dict[str, Any]:
    done = stamp(event, charger=CHARGER, epoch=7, sequence=42, recorded=RECORDED, origin=origin)
    body: dict[str, Any] = orjson.loads(done.body)
    assert (done.id, done.type) == (body["id"], body["type"])
    return body


def origin(raw: str, **more: Any) -> Origin:
    return Origin("1.6", "MeterValues", "m-1", raw, **more)


def test_the_envelope_is_cloudevents_1_0() -> None:
    body = stamped(Event("ocpp.charger.booted", {"vendor": "V"}, time="2026-09-21T14:00:00.000Z"), origin('{"a":1}'))
    assert body == {
        "specversion": "1.0",
        "id": "0000000000000007-000000000042",
        "source": "/chargers/CP%201",
        "type": "ocpp.charger.booted",
        "time": "2026-09-21T14:00:00.000Z",
        "datacontenttype": "application/json",
        "dataschema": "https://ocpp-gateway.dev/schemas/v1/ocpp.charger.booted",
        "recordedtime": "2026-09-21T14:13:20.250Z",
        "epoch": "0000000000000007",
        "sequence": "000000000042",
        "ocppversion": "1.6",
        "ocppaction": "MeterValues",
        "ocppmessageid": "m-1",
        "data": {"vendor": "V", "raw": {"a": 1}},
    }


def test_without_a_charger_time_the_recorded_one_stands_in() -> None:
    body = stamped(Event("ocpp.charger.connected", {}, subject="evse/1"))
    assert body["time"] == body["recordedtime"]
    assert body["subject"] == "evse/1"
    assert "ocppaction" not in body
    assert "raw" not in body["data"]


def test_violations_stand_beside_the_data() -> None:
    found = {"code": "schema", "path": "/x", "message": "odd"}
    event = Event("ocpp.meter.values", {"violations": [{"code": "first"}]})
    assert stamped(event, origin("{}", violations=[found]))["data"]["violations"] == [{"code": "first"}, found]
    assert event.data == {"violations": [{"code": "first"}]}


def test_a_keyed_event_has_the_same_id_at_every_retransmission() -> None:
    event = Event("ocpp.transaction.ended", {}, key="stop|1")
    first = stamp(event, charger=CHARGER, epoch=1, sequence=1, recorded=1.0)
    again = stamp(event, charger=CHARGER, epoch=9, sequence=77, recorded=RECORDED)
    assert first.id == again.id == stable_id(CHARGER, "stop|1")
    assert stable_id(ChargerId("CP 2"), "stop|1") != first.id


def test_stable_ids_do_not_move_with_a_new_version() -> None:
    """Stored data depends on them."""
    assert stable_id(ChargerId("CP1"), "stop|1") == "6fc04249eee386fe4e4347b8b784f249"


@pytest.mark.parametrize(
    ("raw", "held"),
    [
        ('{"big":123456789012345678901234567890}', b'"raw":{"big":123456789012345678901234567890}'),
        ('{"n": 1.10}', b'"raw":{"n": 1.10}'),
        ("not json", b'"raw":"not json"'),
        ('{"cut":', b'"raw":"{\\"cut\\":"'),
        ('"\ud800"', b'"raw":"\\"?\\""'),
    ],
)
def test_the_raw_payload_is_held_to_the_letter_or_as_text(raw: str, held: bytes) -> None:
    done = stamp(Event("t", {}), charger=CHARGER, epoch=1, sequence=1, recorded=RECORDED, origin=origin(raw))
    assert held in done.body


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=10,
)


@given(ANYTHING)
def test_anything_that_a_charger_sends_can_be_stored(value: Any) -> None:
    orjson.loads(to_json(value))
    orjson.loads(stamp(Event("t", {"v": value}), charger=CHARGER, epoch=1, sequence=1, recorded=1.0).body)


def test_big_integers_are_stored_unharmed() -> None:
    assert to_json({"n": 2**80, "bad": "\ud800"}) == b'{"n":1208925819614629174706176,"bad":"?"}'


def test_json_that_waits_holds_no_more_memory_than_it_takes() -> None:
    value = {"payload": "x" * 3000}
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        waiting = [to_json(value) for _ in range(100)]
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held < 1.2 * sum(map(sys.getsizeof, waiting))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_790_000_000.0, "2026-09-21T14:13:20.000Z"),
        (1_790_000_000.001, "2026-09-21T14:13:20.001Z"),
        (1_790_000_000.9999, "2026-09-21T14:13:20.999Z"),
        (1_790_000_000.99999999, "2026-09-21T14:13:21.000Z"),
    ],
)
def test_times_are_utc_with_milliseconds(seconds: float, text: str) -> None:
    assert rfc3339(seconds) == text

"""Valid payloads with something broken in them: whatever it is, each action is translated, taken and answered.

The tables' functions must not raise themselves: what a connection would catch as a bug is a failure here.
"""

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.events import Origin, stamp
from gateway.core.identity import ChargerId
from gateway.core.reports import Boot, BootDecision, TokenDecision, Verdict
from gateway.core.twin import Change, Twin
from gateway.ocpp.profile import STANDARD, Inbound, Notes, Quirks
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.quirks.tables import ProfileTable
from gateway.ocpp.schemas import SchemaSet
from tests.ocpp.payloads import INBOUND

NOW = 1_790_000_000.0
CHARGER = ChargerId("CP-1")
ACTIONS = [(name, action) for name, profile in PROFILES.items() for action in sorted(profile.inbound)]

ODD_ZONE = ProfileTable.model_validate({"name": "z", "match": {"vendor": "*"}, "time_zone": "Europe/Berlin"}).time_zone
CORRECTING = Quirks(
    name="odd", time_zone=ODD_ZONE, ignore_zone=True, units={("Energy.Active.Import.Register", "Wh"): ("Wh", 3)}
)

Place = tuple[str | int, ...]


def nested(depth: int) -> Any:
    """Lists and objects in one another."""
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**70), 10**30, 1.5, -0.0, 1e308, 1e-300]),
    st.sampled_from(["", " ", "\x00", "x" * 3000, "NaN", "-", "1e999", "0x10", "\u0661", "é", "\ud800", "null", "Wh"]),
    st.sampled_from(["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-00-00", "2026-02-30T00:00:00", "2026"]),
    st.sampled_from([[], {}, [None], [[]], [{}], {"": None}, [[[[1]]]], [1, "a", None, {}], nested(50)]),
    st.text(st.characters(), max_size=10),
).map(copy.deepcopy)


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place within a payload."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*at, name)
        yield from places(item, (*at, name))


@st.composite
def mutated(draw: st.DrawFn, payload: dict[str, Any]) -> dict[str, Any]:
    """A payload with one to four places broken."""
    payload = copy.deepcopy(payload)
    for _ in range(draw(st.integers(1, 4))):
        known = list(places(payload))
        if not known:
            payload[draw(st.text(max_size=5))] = draw(JUNK)
            continue
        *above, name = draw(st.sampled_from(known))
        holder: Any = payload
        for step in above:
            holder = holder[step]
        match draw(st.sampled_from(["junk", "junk", "junk", "drop", "wrap", "swap", "double"])):
            case "junk":
                holder[name] = draw(JUNK)
            case "drop":
                del holder[name]
            case "wrap":
                holder[name] = [holder[name]]
            case "swap":
                holder[name] = str(holder[name]) if isinstance(holder[name], int | float) else [*str(holder[name])][:9]
            case "double" if isinstance(holder, list):
                holder.extend(copy.deepcopy([holder[name]] * 3))
    return payload


@cache
def schemas(name: str) -> SchemaSet:
    return SchemaSet.load(PROFILES[name].schema_package)


def taken(twin: Twin, row: Inbound, payload: dict[str, Any], version: str, action: str, quirks: Quirks) -> Change:
    """What a connection does with a message, up to the answer."""
    notes = Notes(quirks=quirks)
    report = row.translate(payload, notes)
    token, boot = TokenDecision("accepted"), BootDecision("accepted", 300) if isinstance(report, Boot) else None
    codes = [violation["code"] for violation in notes.violations]
    change = twin.handle(report, now=NOW, redis_now=NOW, token=token, boot=boot, payload="h", violations=codes)
    raw = orjson.dumps(payload, default=str, option=orjson.OPT_NON_STR_KEYS).decode() if _fit(payload) else "odd"
    origin = Origin(version, action, "m", raw, notes.violations)
    for place, event in enumerate(change.events):
        body = stamp(event, charger=CHARGER, epoch=1, sequence=place, recorded=NOW, origin=origin).body
        assert orjson.loads(body)["data"] is not None
    for field in (*change.fields.values(), *change.transactions.values()):
        assert not field or orjson.loads(field) is not None
    if row.answered:
        verdict = Verdict("2026-09-21T14:13:20.000Z", token, boot, change.transaction_id, None, payload)
        answer = orjson.loads(orjson.dumps(row.reply(verdict)))
        assert schemas(_subprotocol(version)).check_result(action, answer) == []
    twin.adopt(change)
    return change


def _fit(payload: Any) -> bool:
    try:
        orjson.dumps(payload)
    except TypeError:
        return False
    return True


def _subprotocol(version: str) -> str:
    return f"ocpp{version}"


@pytest.mark.parametrize(("name", "action"), ACTIONS, ids=lambda part: str(part).removeprefix("ocpp"))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_broken_payload_is_understood_taken_and_answered(name: str, action: str, data: st.DataObject) -> None:
    profile, quirks = PROFILES[name], data.draw(st.sampled_from([STANDARD, CORRECTING]))
    row, valid = profile.inbound[action], INBOUND[profile.version].get(action, {})
    twin = Twin(CHARGER)
    twin.adopt(twin.connected(NOW, version=profile.version, remote_address="r", node="n"))
    taken(twin, row, copy.deepcopy(valid), profile.version, action, quirks)
    for _ in range(2):
        taken(twin, row, data.draw(mutated(valid)), profile.version, action, quirks)
    everything = twin.everything()
    Twin.restore(CHARGER, everything.fields, everything.transactions)

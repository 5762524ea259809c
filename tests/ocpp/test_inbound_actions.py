"""Whatever a charger may validly say, in any version: understood, told in full, and answered validly."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from adapters.mqtt.event_schemas import EVENTS
from gateway.core.answers import ANSWERS, AuthorizeAnswer
from gateway.core.events import stamp
from gateway.core.identity import ChargerId
from gateway.core.reports import BootDecision, Notice, Report, TokenDecision, Untranslated, Verdict
from gateway.core.twin import Twin
from gateway.ocpp.profile import Inbound, Notes
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.schemas import SchemaSet
from tests.ocpp.generated import payloads
from tests.ocpp.payloads import INBOUND
from tests.ocpp.schema_folder import request_schema

NOW = 1_790_000_000.0
NOW_TEXT = "2026-11-21T08:00:00.000Z"
CHARGER = ChargerId("CP-1")

ACTIONS = [(name, action) for name, profile in PROFILES.items() for action in sorted(profile.inbound)]
QUESTIONS = [(name, action) for name, action in ACTIONS if PROFILES[name].inbound[action].asks is not None]

ALTERNATIVES = {
    # event of the row → what the twin may make of it otherwise
    "ocpp.connector.status": {"ocpp.charger.status"},
    "ocpp.transaction.started": {"ocpp.transaction.updated", "ocpp.meter.values"},
    "ocpp.transaction.updated": {"ocpp.transaction.started", "ocpp.transaction.ended"},
    "ocpp.transaction.ended": {"ocpp.transaction.updated", "ocpp.meter.values"},
}
NOT_OURS = {"raw", "signed", "data", "violations"}
"""Keys below which names are not the gateway's."""

TOLERATED = {"value_not_numeric"}
"""OCPP 1.6's schema takes any text for a meter value."""

relaxed = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@cache
def schemas(name: str) -> SchemaSet:
    return SchemaSet.load(PROFILES[name].schema_package)


@cache
def made_payloads(name: str, action: str) -> st.SearchStrategy[dict[str, Any]]:
    return payloads(request_schema(PROFILES[name].version, action))


@cache
def made_answers(question: str) -> st.SearchStrategy[Any]:
    model = ANSWERS[question]
    return payloads(model.model_json_schema()).map(model.model_validate)


@cache
def data_schema(event_type: str) -> jsonschema_rs.Validator:
    """What an event's data may hold, and nothing beside it."""
    return jsonschema_rs.validator_for(_closed(TypeAdapter(EVENTS[event_type]).json_schema()))


def _closed(node: Any) -> Any:
    if isinstance(node, dict):
        closed = {name: _closed(item) for name, item in node.items()}
        return {**closed, "additionalProperties": False} if isinstance(node.get("properties"), dict) else closed
    return [_closed(item) for item in node] if isinstance(node, list) else node


def test_no_action_passes_raw() -> None:
    for name, action in ACTIONS:
        assert PROFILES[name].inbound[action].event != "ocpp.message"


def test_an_action_means_the_same_event_in_every_version() -> None:
    for action in {action for _, action in ACTIONS}:
        events = {profile.inbound[action].event for profile in PROFILES.values() if action in profile.inbound}
        assert len(events) == 1, (action, events)


@pytest.mark.parametrize(("name", "action"), ACTIONS)
@given(data=st.data())
@relaxed
def test_what_a_charger_may_say_is_told_in_full(name: str, action: str, data: st.DataObject) -> None:
    payload = data.draw(made_payloads(name, action))
    assert schemas(name).check_call(action, payload) == []
    _assert_told(name, action, payload)


@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_what_a_charger_really_says_is_told_in_full(name: str, action: str) -> None:
    _assert_told(name, action, INBOUND[PROFILES[name].version][action])


def _assert_told(name: str, action: str, payload: dict[str, Any]) -> None:
    row, notes = PROFILES[name].inbound[action], Notes()
    report = row.translate(payload, notes)
    assert {violation["code"] for violation in notes.violations} <= TOLERATED
    assert not isinstance(report, Untranslated)
    event = _carrier(name, row, report)
    if event is None:
        return
    found = orjson.loads(event)
    data_schema(found["type"]).validate(found["data"])
    assert [key for key in _names(found["data"]) if not re.fullmatch(r"[a-z][a-z0-9_]*", key)] == []
    if isinstance(report, Notice):
        assert found["type"] == row.event
        told = orjson.dumps(found["data"]).decode()
        assert [leaf for leaf in _leaves(payload) if leaf not in told and leaf not in event.decode()] == []


def _carrier(name: str, row: Inbound, report: Report) -> bytes | None:
    """The CloudEvent that carries a report of a charger of which nothing else is known."""
    twin = Twin(CHARGER)
    twin.adopt(twin.connected(NOW, version=PROFILES[name].version, remote_address="192.0.2.1", node="n"))
    change = twin.handle(report, now=NOW, redis_now=NOW, token=TokenDecision("accepted"), payload="h")
    twin.adopt(change)
    Twin.restore(CHARGER, twin.everything().fields, {})
    if row.event is None:
        assert change.events == []
        return None
    carrier = change.events[0]
    assert carrier.type in {row.event} | ALTERNATIVES.get(row.event, set())
    return stamp(carrier, charger=CHARGER, epoch=1, sequence=1, recorded=NOW, origin=None).body


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, item in node.items():
            yield name
            if name not in NOT_OURS:
                yield from _names(item)
    elif isinstance(node, list):
        for item in node:
            yield from _names(item)


def _leaves(node: Any) -> Iterator[str]:
    """Texts and numbers of a payload that are peculiar enough to be looked for."""
    if isinstance(node, dict):
        if node.keys() != {"exponent", "value"}:
            for item in node.values():
                yield from _leaves(item)
    elif isinstance(node, list):
        for item in node:
            yield from _leaves(item)
    elif isinstance(node, str) and re.fullmatch(r"t\d{5}", node):
        yield node
    elif type(node) is int and node >= 1000:
        yield str(node)


@pytest.mark.parametrize(("name", "action"), ACTIONS)
@given(data=st.data())
@relaxed
def test_every_reply_is_valid_whatever_was_decided(name: str, action: str, data: st.DataObject) -> None:
    row = PROFILES[name].inbound[action]
    if not row.answered:
        return
    payload = data.draw(made_payloads(name, action))
    verdict = Verdict(NOW_TEXT, request=payload, transaction_id=data.draw(st.integers(1, 2**31 - 1)))
    match row.asks:
        case "authorize":
            verdict.token = _decision(data.draw(made_answers("authorize")))
        case "boot":
            verdict.boot = BootDecision(data.draw(st.sampled_from(["accepted", "pending", "rejected"])), 60)
        case str(question):
            verdict.answer = data.draw(made_answers(question))
    assert schemas(name).check_result(action, row.reply(verdict)) == []
    assert schemas(name).check_result(action, row.reply(Verdict(NOW_TEXT, request=payload))) == []


def _decision(answer: AuthorizeAnswer) -> TokenDecision:
    said = answer.model_dump()
    return TokenDecision(**{**said, "evse_ids": tuple(said["evse_ids"])})


JUNK = [None, True, 1e300, 10**400, "x" * 300, "\ud800", [], [[]], {}, {"a": 1}, [None, {"certificateHashData": 5}]]


@pytest.mark.parametrize(("name", "action"), QUESTIONS)
def test_a_reply_is_valid_whatever_the_request_was(name: str, action: str) -> None:
    row = PROFILES[name].inbound[action]
    sound = INBOUND[PROFILES[name].version][action]
    for field in sound:
        for junk in JUNK:
            reply = row.reply(Verdict(NOW_TEXT, request={**sound, field: junk}))
            assert schemas(name).check_result(action, orjson.loads(orjson.dumps(reply))) == []

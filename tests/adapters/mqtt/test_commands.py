"""What a payload says: arguments, idempotency key, time; and what it cannot say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mqtt.commands import RETAINED, Received, Request, StartTerms, read_request
from adapters.mqtt.topics import CommandTopic, SetTopic
from gateway.core.clock import rfc3339
from gateway.core.commands import COMMANDS, Outcome, Patience
from gateway.core.errors import CommandInvalid
from gateway.core.identity import ChargerId

NOW = 1_790_000_000.0
RESET = CommandTopic(ChargerId("CP-1"), "command", "reset")
CALL = CommandTopic(ChargerId("CP-1"), "call", "Reset")


def read(topic: CommandTopic, payload: object, *, retain: bool = False, message_expiry: float | None = None) -> Request:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    received = Received(raw, retain, NOW, message_expiry)
    return read_request(topic, received, usual_timeout=30, unnamed=lambda: ("unnamed", "also-unnamed"))


def test_arguments_stand_beside_the_terms() -> None:
    command = read(RESET, {"type": "immediate", "id": "r-1", "timeout": 5}).command()
    assert (command.id, command.charger, command.name, command.origin) == ("r-1", RESET.charger, "reset", "mqtt")
    assert (command.arguments, command.deadline) == ({"type": "immediate", "evse_id": None}, NOW + 5)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_argument_bears_the_name_of_a_term(name: str) -> None:
    assert not StartTerms.model_fields.keys() & COMMANDS[name].model_fields.keys()


def test_without_terms_the_id_is_made_and_the_default_timeout_holds() -> None:
    request = read(RESET, {})
    assert request.ids == ("unnamed", "also-unnamed")
    assert (request.deadline, request.expiry) == (NOW + 30, None)
    assert read(RESET, {"id": "r-1"}).ids == ("r-1",)


@pytest.mark.parametrize(
    ("body", "payload", "command_id"),
    [
        ({"type": "Hard"}, {"type": "Hard"}, None),
        ({}, {}, None),
        ({"id": 7, "timeout": 1}, {"id": 7, "timeout": 1}, None),
        ({"payload": {"type": "Hard"}}, {"type": "Hard"}, None),
        ({"payload": {"id": 7}, "id": "c-1"}, {"id": 7}, "c-1"),
        ({"payload": "text"}, {"payload": "text"}, None),
    ],
)
def test_the_payload_of_a_raw_call_is_the_whole_object_unless_one_stands_under_payload(
    body: dict[str, Any], payload: dict[str, Any], command_id: str | None
) -> None:
    command = read(CALL, body).command()
    assert (command.name, command.action, command.arguments) == ("call/Reset", "Reset", payload)
    assert command_id in (None, command.id)


@pytest.mark.parametrize(
    ("message_expiry", "timeout", "expires_in", "deadline"),
    [(None, 10, None, 10), (5, 10, None, 5), (20, 10, None, 10), (20, 10, 3, 3), (None, None, 40, 30)],
)
def test_the_deadline_is_the_earliest_of_all_that_was_said(
    message_expiry: float | None, timeout: float | None, expires_in: float | None, deadline: float
) -> None:
    body = {"timeout": timeout, "expires_at": None if expires_in is None else rfc3339(NOW + expires_in)}
    said = {key: value for key, value in body.items() if value is not None}
    assert read(RESET, said, message_expiry=message_expiry).deadline == NOW + deadline


@pytest.mark.parametrize(
    ("said", "until", "timeout"),
    [
        ({"queue_for": 60}, 60, 30),
        ({"queue_for": 60, "timeout": 5}, 60, 5),
        ({"queue_for": 60, "expires_at": rfc3339(NOW + 20)}, 20, 30),
        ({"queue_for": 10, "expires_at": rfc3339(NOW + 20)}, 10, 30),
    ],
)
def test_a_command_waits_for_its_charger_as_long_as_it_says_and_until_it_expires(
    said: dict[str, Any], until: float, timeout: float
) -> None:
    request = read(RESET, said)
    assert request.command().patience == Patience(NOW + until, timeout)
    assert request.refused(NOW + max(until, timeout) - 0.1) is None or said.get("expires_at")
    late = request.refused(NOW + max(until, timeout))
    assert late is not None
    assert late.outcome is Outcome.EXPIRED


def test_only_a_start_can_be_followed_to_its_transaction() -> None:
    start = CommandTopic(ChargerId("CP-1"), "command", "start")
    request = read(start, {"token": "A", "wait_for": "transaction"})
    assert (request.command().followed, request.deadline) == (True, NOW + 150)
    assert not read(start, {"token": "A"}).command().followed
    for topic, body in ((RESET, {}), (CALL, {"payload": {}})):
        assert "wait_for: " in str(read(topic, {"wait_for": "transaction", **body}).problem)
    assert "wait_for: " in str(read(start, {"token": "A", "wait_for": "godot"}).problem)


@pytest.mark.parametrize(
    ("said", "later", "outcome"),
    [
        ({}, 29, None),
        ({}, 31, "commands before it"),
        ({"expires_at": rfc3339(NOW + 5)}, 4, None),
        ({"expires_at": rfc3339(NOW + 5)}, 6, "had expired"),
        ({"expires_at": rfc3339(NOW - 1)}, 0, "had expired"),
    ],
)
def test_what_waited_too_long_is_expired(said: dict[str, Any], later: float, outcome: str | None) -> None:
    refusal = read(RESET, said).refused(NOW + later)
    assert (refusal is None) == (outcome is None)
    if refusal is not None and outcome is not None:
        assert refusal.outcome is Outcome.EXPIRED
        assert outcome in (refusal.reason or "")


@pytest.mark.parametrize(
    "moment", ["tomorrow", "2026-11-21", "2026-11-21T08:00:00", "2026-13-01T00:00:00Z", 1_790_000_000, True, ""]
)
def test_an_expires_at_that_is_no_moment_is_told(moment: object) -> None:
    problem = read(RESET, {"expires_at": moment, "id": "r-1"}).problem
    assert problem is not None
    assert problem.startswith("expires_at: ")


@pytest.mark.parametrize("moment", ["2026-09-21T14:13:20Z", "2026-09-21T16:13:20.000+02:00", "2026-09-21t14:13:20z"])
def test_rfc_3339_is_understood_in_its_spellings(moment: str) -> None:
    assert read(RESET, {"expires_at": moment}).expiry == NOW


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"id": ""}, "id: "),
        ({"id": "x" * 129}, "id: "),
        ({"id": 5}, "id: "),
        ({"id": "ä"}, "id: "),
        ({"timeout": 0}, "timeout: "),
        ({"timeout": "5"}, "timeout: "),
        ({"timeout": True}, "timeout: "),
        ({"timeout": 1e9}, "timeout: "),
        ({"queue_for": 0}, "queue_for: "),
        ({"queue_for": 8 * 86400}, "queue_for: "),
        ({"evse": 1}, "evse: "),
    ],
)
def test_terms_and_arguments_that_are_wrong_are_named(body: dict[str, Any], told: str) -> None:
    problem = read(RESET, body).problem
    assert problem is not None
    assert told in problem


@pytest.mark.parametrize(
    ("problem_at", "place"),
    [("charger", None), ("evse/1/connector/2", (1, 2)), ("evse/999999/connector/1", (999999, 1))],
)
def test_a_command_says_where_its_problem_is_told(problem_at: str, place: tuple[int, int] | None) -> None:
    assert read(RESET, {"problem_at": problem_at}).problem_at == SetTopic(RESET.charger, place)
    call = {"payload": {"type": "Hard"}, "problem_at": problem_at}
    assert read(CALL, call).problem_at == SetTopic(CALL.charger, place)
    wrong = read(RESET, {"problem_at": problem_at, "timeout": "soon"})
    assert wrong.problem_at == SetTopic(RESET.charger, place)


@pytest.mark.parametrize(
    "problem_at",
    [
        *(
            "",
            "Charger",
            "charger\n",
            "+",
            "#",
            "../CP-2",
            "evse/1",
            "evse/1/connector/1/",
            "evse/1/connector/1/../../..",
        ),
        *("evse/0/connector/1", "evse/01/connector/1", "evse/1000000/connector/1", "evse/+/connector/1"),
        *("evse/\u0661/connector/1", "evse/1/connector/1\x00", 5, True, ["charger"], {"charger": 1}),
    ],
)
def test_a_place_that_is_none_is_refused_and_nothing_is_told_there(problem_at: object) -> None:
    request = read(RESET, {"problem_at": problem_at, "id": "r-1"})
    assert (request.id, request.arguments, request.problem_at) == ("r-1", None, None)
    assert (request.problem or "").startswith("problem_at: ")


def test_the_id_of_a_wrong_command_is_echoed_where_it_can_be_read() -> None:
    for body in ({"id": "r-1", "timeout": -1}, {"id": "r-1", "type": "now"}):
        refusal = read(RESET, body).refused(NOW)
        assert refusal is not None
        assert (refusal.id, refusal.outcome) == ("r-1", Outcome.INVALID)
    assert read(RESET, {"id": 5, "timeout": -1}).id


def test_a_retained_command_is_refused_and_an_empty_retained_message_is_none() -> None:
    request = read(RESET, {"id": "r-1"}, retain=True)
    assert (request.id, request.problem) == ("r-1", RETAINED)
    assert read(RESET, b"{", retain=True).problem == RETAINED
    assert Received(b"", retain=True, now=NOW).clears
    assert not Received(b"{}", retain=True, now=NOW).clears


@given(st.binary(max_size=200), st.sampled_from([RESET, CALL]))
def test_nothing_that_is_sent_breaks_the_reading(payload: bytes, topic: CommandTopic) -> None:
    request = read(topic, payload)
    if request.problem is not None:
        with pytest.raises(CommandInvalid):
            request.command()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "timeout", "expires_at", "queue_for", "wait_for", "type", "evse_id", "payload"]), _JSON
    ),
    st.sampled_from([RESET, CALL]),
)
def test_no_json_object_breaks_the_reading(body: dict[str, Any], topic: CommandTopic) -> None:
    request = read(topic, body)
    assert (request.problem is None) == (request.arguments is not None)
    assert request.deadline <= NOW + 3600


def test_deep_nesting_is_no_command() -> None:
    assert "not JSON" in (read(RESET, b'{"a":' * 100_000).problem or "")

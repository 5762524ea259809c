"""Neutral commands: arguments are checked, and outcomes say whether to try again."""

from typing import Any

import pytest

from gateway.core.commands import COMMANDS, Command, CommandResult, Outcome, validated_arguments
from gateway.core.errors import CommandInvalid
from gateway.core.identity import ChargerId

CHARGER = ChargerId("CP1")


@pytest.mark.parametrize(
    ("name", "given", "filled"),
    [
        ("start", {"token": "A"},
         {"token": "A", "token_type": "Central", "evse_id": None, "remote_start_id": None, "group": None,
          "profile": None, "when_plugged": False, "if_needed": False}),
        ("stop", {}, {"transaction_id": None, "evse_id": None, "if_needed": False}),
        ("unlock", {}, {"evse_id": 1, "connector_id": 1}),
        ("reset", {}, {"type": "on_idle", "evse_id": None}),
        ("set_charging_limit", {"current_a": 6},
         {"current_a": 6.0, "power_w": None, "evse_id": 0, "phases": None, "until": None}),
        ("call/GetConfiguration", {"key": ["A"]}, {"key": ["A"]}),
    ],
)  # fmt: skip
def test_defaults_are_filled_in(name: str, given: dict[str, Any], filled: dict[str, Any]) -> None:
    assert validated_arguments(name, given) == filled


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("start", {}, "token"),
        ("start", {"token": ""}, "token"),
        ("start", {"token": "A", "colour": "red"}, "colour"),
        ("reset", {"type": "hard"}, "type"),
        ("set_charging_limit", {"current_a": -1}, "current_a"),
        ("set_charging_limit", {"phases": 4}, "phases"),
        ("stop", [], "arguments"),
        ("call/Reset", "x", "JSON object"),
        ("dance", {}, "set_availability"),
    ],
)
def test_wrong_arguments_are_named(name: str, given: Any, told: str) -> None:
    with pytest.raises(CommandInvalid, match=told):
        validated_arguments(name, given)


def test_every_argument_that_is_needed_is_told_at_once() -> None:
    with pytest.raises(CommandInvalid) as caught:
        validated_arguments("trigger", {"message": "", "evse_id": -1})
    assert [problem["location"] for problem in caught.value.problems] == ["message", "evse_id"]


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("stop", {"evse": 1}, "evse: unknown; known are transaction_id, evse_id"),
        ("clear_cache", {"now": True}, "now: unknown; nothing is wanted here"),
        (
            "get_variables",
            {"variables": [{"key": "A", "variable": "B"}]},
            "variables.0.key: unknown; known are variable",
        ),
        ("get_variables", {"variables": ["A"]}, "variables.0: must be an object"),
        ("get_variables", {"variables": 1}, "variables: must be a list"),
        ("get_log", {"location": "logs"}, "location: must be a URL such as https://files.example.com/a"),
        ("get_log", {}, "location: is required"),
        ("stop", [], "arguments: must be an object"),
        ("stop", {"evse_id": "a"}, "evse_id: must be a whole number"),
        ("stop", {"evse_id": -1}, "evse_id: must be at least 0"),
        ("reset", {"type": "hard"}, "type: must be 'immediate', 'on_idle' or "),
        ("set_charging_limit", {}, "arguments: give either current_a or power_w"),
        ("set_charging_limit", {"current_a": 6, "power_w": 1}, "arguments: give either current_a or power_w"),
        ("set_charging_limit", {"current_a": 6, "until": "2036-11-21T18:00:00"}, "until: must be an RFC 3339 time"),
        ("reserve", {"token": "A", "until": "soon"}, "until: must be an RFC 3339 time with a zone, such as"),
        ("start", {"token": ""}, r"token: must have at least 1 character"),
        ("set_variables", {"variables": []}, r"variables: must have at least 1 item"),
    ],
)
def test_what_is_wrong_is_told_in_plain_words(name: str, given: Any, told: str) -> None:
    with pytest.raises(CommandInvalid, match=rf"^{name}: {told}"):
        validated_arguments(name, given)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_what_it_does_not_know(name: str) -> None:
    with pytest.raises(CommandInvalid, match="unheard_of"):
        validated_arguments(name, {"unheard_of": 1})


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_the_charger_may_have_acted_on_is_unsafe_to_retry(outcome: Outcome) -> None:
    result = CommandResult("1", CHARGER, "reset", outcome)
    assert result.safe_to_retry == (outcome not in (Outcome.TIMEOUT, Outcome.ACCEPTED))
    perhaps = CommandResult("1", CHARGER, "reset", outcome, acted=True)
    assert not perhaps.safe_to_retry
    assert not CommandResult.from_dict(perhaps.as_dict(), CHARGER).safe_to_retry
    assert CommandResult.from_dict(result.as_dict(), CHARGER) == result


def test_a_result_is_the_same_after_its_public_shape() -> None:
    result = CommandResult("1", CHARGER, "stop", Outcome.REJECTED, "Rejected", {"a": 1}, {"id": "t"})
    assert CommandResult.from_dict(result.as_dict(), CHARGER) == result
    assert result.as_dict()["outcome"] == "rejected"


def test_only_a_raw_call_has_an_action() -> None:
    assert Command("1", CHARGER, "call/GetLog", {}, 0).action == "GetLog"
    assert Command("1", CHARGER, "start", {}, 0).action is None

"""Which command may take the place of another: a declared few, and only of their own kind."""

from typing import Any

import pytest

from gateway.core.arguments.examples import ARGUMENTS
from gateway.core.commands import COMMANDS, validated_arguments
from gateway.core.superseding import SUPERSEDED_BY_NEWER, kind_of


def kind(name: str, **arguments: Any) -> str | None:
    return kind_of(name, validated_arguments(name, arguments))


def test_the_table_names_commands_and_arguments_that_there_are() -> None:
    for name, about in SUPERSEDED_BY_NEWER.items():
        assert set(about) <= COMMANDS[name].model_fields.keys()


@pytest.mark.parametrize("name", ["start", "stop", "reset", "unlock", "reserve", "pause", "resume", "call/Reset"])
def test_an_act_of_its_own_is_never_superseded(name: str) -> None:
    assert kind_of(name, ARGUMENTS.get(name, {})) is None


def test_the_latest_word_on_the_same_thing_counts() -> None:
    assert kind("set_charging_limit", current_a=6, evse_id=1) == kind("set_charging_limit", power_w=9, evse_id=1)
    assert kind("set_availability", available=True) == kind("set_availability", available=False)
    one, other = {"variable": "A"}, {"variable": "B", "component": "C"}
    before = [{**one, "value": "1"}, {**other, "value": "2"}]
    after = [{**other, "value": "3"}, {**one, "value": "4"}]
    assert kind("set_variables", variables=before) == kind("set_variables", variables=after)


def test_what_is_about_something_else_stays() -> None:
    kinds = [
        kind("set_charging_limit", current_a=6, evse_id=1),
        kind("set_charging_limit", current_a=6, evse_id=2),
        kind("clear_charging_limit", evse_id=1),
        kind("set_availability", available=True, evse_id=1),
        kind("set_availability", available=True, evse_id=1, connector_id=1),
        kind("set_variables", variables=[{"variable": "A", "value": "1"}]),
        kind("set_variables", variables=[{"variable": "A", "value": "1", "attribute": "Target"}]),
        kind("set_variables", variables=[{"variable": "A", "value": "1"}, {"variable": "B", "value": "1"}]),
    ]
    assert None not in kinds
    assert len(set(kinds)) == len(kinds)

"""Charging limits lifted, charging paused and resumed, the same on every version."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid
from gateway.core.reports import ActiveTransaction, Carrier, Limit
from gateway.ocpp.profile import Station
from tests.ocpp.limit_charger import RUNNING, VERSIONS, Charger, Profile, station, told


@pytest.fixture(params=sorted(VERSIONS))
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ---------------------------------------------------------------- lifted


@pytest.mark.parametrize("clears_ids", [True, False])
@pytest.mark.parametrize("evse_id", [0, 1])
def test_a_limit_is_lifted(version: str, evse_id: int, clears_ids: bool) -> None:
    charger = Charger(version, clears_ids=clears_ids)
    charger.give("set_charging_limit", station(RUNNING), current_a=10, evse_id=evse_id)
    set_ = station(RUNNING, **{f"e{evse_id}": Limit(10)})
    ending = charger.give("clear_charging_limit", set_, evse_id=evse_id)
    assert (ending.outcome, ending.reason, charger.holds) == (Outcome.ACCEPTED, None, {})
    assert told(ending, "evse_id", "paused") == (evse_id, False)


def test_a_limit_is_lifted_as_what_it_was_set_as(version: str) -> None:
    charger = Charger(version, lambda offered: offered.purpose == "tx", clears_ids=False, max_level="3")
    charger.give("set_charging_limit", station(RUNNING), current_a=10, evse_id=1)
    known = Limit(10, carrier=Carrier("A", charger.holds[1001].stack_level, "tx"))
    charger.give("clear_charging_limit", station(RUNNING, e1=known), evse_id=1)
    assert charger.holds == {}


def test_lifting_what_was_not_set_is_accepted_and_touches_nothing_else(version: str) -> None:
    charger = Charger(version)
    other = Profile(1, 7, "tx_default", "Relative", 0, "A", 6, None, None, None)
    charger.holds[7] = other
    ending = charger.give("clear_charging_limit", station(), evse_id=1)
    assert (ending.outcome, charger.holds) == (Outcome.ACCEPTED, {7: other})
    assert "Unknown" in (ending.reason or "")


# ---------------------------------------------------------------- paused


def test_a_pause_is_the_same_profile_with_nothing_and_a_resume_lifts_it(version: str) -> None:
    charger = Charger(version)
    ending = charger.give("pause", station(RUNNING))
    assert told(ending, "evse_id", "paused", "limit") == (1, True, 0)
    assert charger.holds == {1001: Profile(1, 1001, "tx_default", "Relative", 0, "A", 0.0, None, None, None)}
    ending = charger.give("resume", station(RUNNING, e1=Limit(paused=True)))
    assert (ending.outcome, charger.holds) == (Outcome.ACCEPTED, {})
    assert told(ending, "evse_id", "paused") == (1, False)


def test_a_resume_sets_the_limit_again_that_was_there(version: str) -> None:
    charger = Charger(version)
    until = "2026-12-01T00:00:00.000Z"
    known = Limit(power_w=3000, phases=1, until=until)
    charger.give("pause", station(RUNNING, e1=known))
    assert [(held.unit, held.limit, held.valid_to) for held in charger.offered] == [("W", 0, None)]
    charger.give("resume", station(RUNNING, e1=Limit(power_w=3000, phases=1, until=until, paused=True)))
    assert charger.holds == {1001: Profile(1, 1001, "tx_default", "Relative", 0, "W", 3000.0, 1, None, until)}


@pytest.mark.parametrize(
    ("command", "arguments"), [("set_charging_limit", {"current_a": 10}), ("clear_charging_limit", {})]
)
def test_while_paused_a_limit_is_noted_and_nothing_sent(version: str, command: str, arguments: dict[str, Any]) -> None:
    charger = Charger(version, takes=lambda offered: pytest.fail("charging would start"))
    ending = charger.give(command, station(RUNNING, e1=Limit(16, paused=True)), evse_id=1, **arguments)
    assert (ending.outcome, told(ending, "evse_id", "paused")) == (Outcome.ACCEPTED, (1, True))
    assert "paused" in (ending.reason or "")


def test_the_limit_of_the_whole_charger_is_set_while_an_evse_is_paused(version: str) -> None:
    charger = Charger(version)
    ending = charger.give("set_charging_limit", station(RUNNING, e1=Limit(paused=True)), current_a=10)
    assert told(ending, "evse_id", "paused", "limit") == (0, False, 10)


def test_a_refused_resume_says_so(version: str) -> None:
    charger = Charger(version, lambda offered: False)
    ending = charger.give("resume", station(RUNNING, e1=Limit(10, paused=True)))
    assert ending.outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    ("arguments", "where", "evse_id"),
    [
        ({}, station(RUNNING, evses=2), 1),
        ({"transaction_id": "tx-1"}, station(RUNNING, ActiveTransaction("tx-2", "43", 2, 1), evses=2), 1),
        ({"evse_id": 2}, station(RUNNING, evses=2), 2),
        ({}, station(evses=1), 1),
        ({}, station(ActiveTransaction("tx-1", "42", 0, 0)), 1),
    ],
)
def test_the_evse_to_pause_is_found(version: str, arguments: dict[str, Any], where: Station, evse_id: int) -> None:
    assert told(Charger(version).give("pause", where, **arguments), "evse_id") == (evse_id,)


@pytest.mark.parametrize(
    ("arguments", "where", "said"),
    [
        ({}, station(RUNNING, ActiveTransaction("tx-2", "43", 2, 1), evses=2), "more than one"),
        ({}, station(evses=2), "EVSEs: 1, 2"),
        ({}, station(evses=0), "none has reported"),
        ({"transaction_id": "tx-9"}, station(RUNNING), "no such transaction"),
        ({"evse_id": 0}, station(RUNNING), "evse_id"),
    ],
)
def test_where_it_is_not_clear_what_to_pause_nothing_is_sent(
    version: str, arguments: dict[str, Any], where: Station, said: str
) -> None:
    with pytest.raises(CommandInvalid, match=said):
        Charger(version).give("pause", where, **arguments)

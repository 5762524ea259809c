"""Charging limits: set as the charger can take them, the same on every version."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid
from gateway.core.reports import ActiveTransaction, Carrier, Limit
from gateway.ocpp.abilities import level_of, units_of
from gateway.ocpp.profile import Answered, Quirks
from tests.ocpp.dialogue import Answer
from tests.ocpp.limit_charger import NOT_SUPPORTED, REJECTED, RUNNING, VERSIONS, Charger, Profile, station, told


@pytest.fixture(params=sorted(VERSIONS))
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ---------------------------------------------------------------- set


def test_the_whole_charger_is_limited_by_its_maximum(version: str) -> None:
    charger = Charger(version)
    ending = charger.give("set_charging_limit", station(), current_a=16.19, until="2026-12-01T00:00:00+01:00")
    assert ending.outcome is Outcome.ACCEPTED
    assert charger.offered == [
        Profile(0, 1, "charger_max", "Absolute", 0, "A", 16.1, None, None, "2026-11-30T23:00:00.000Z")
    ]
    assert ending.result == {
        "status": "accepted",
        "evse_id": 0,
        "purpose": "charger_max",
        "unit": "A",
        "limit": 16.1,
        "stack_level": 0,
        "phases": None,
        "until": "2026-11-30T23:00:00.000Z",
        "paused": False,
        "converted": None,
        "refused": [],
    }
    assert charger.asked == 0


def test_an_evse_is_limited_by_a_default_for_its_transactions(version: str) -> None:
    charger = Charger(version)
    charger.give("set_charging_limit", station(evses=2), power_w=3680, evse_id=2, phases=1)
    assert charger.offered == [Profile(2, 1002, "tx_default", "Relative", 0, "W", 3680.0, 1, None, None)]


def test_a_new_limit_replaces_the_old_one_and_no_other(version: str) -> None:
    charger = Charger(version)
    for evse_id in range(3):
        for current in (6, 16):
            charger.give("set_charging_limit", station(evses=2), current_a=current, evse_id=evse_id)
    assert [held.limit for held in charger.holds.values()] == [16, 16, 16]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"current_a": 1, "power_w": 1},
        {"current_a": 1, "until": "soon"},
        {"current_a": 1, "until": "2026-01-01T00:00:00"},
        {"power_w": 1e300},
        {"current_a": -1},
    ],
)
def test_a_limit_that_makes_no_sense_is_invalid(version: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(CommandInvalid):
        Charger(version).give("set_charging_limit", station(), **arguments)


@pytest.mark.parametrize(
    ("arguments", "quirks", "unit", "limit"),
    [
        ({"current_a": 10}, Quirks(rate_unit="W"), "W", 6900.0),
        ({"current_a": 10, "phases": 1}, Quirks(rate_unit="W"), "W", 2300.0),
        ({"current_a": 10}, Quirks(rate_unit="W", phases=1), "W", 2300.0),
        ({"current_a": 10.1}, Quirks(rate_unit="W", voltage_v=230.9), "W", 6996.0),
        ({"power_w": 11000}, Quirks(rate_unit="A"), "A", 15.9),
        ({"power_w": 3680}, Quirks(rate_unit="A", phases=1), "A", 16.0),
        ({"power_w": 3680, "phases": 3}, Quirks(rate_unit="A", phases=1), "A", 5.3),
        ({"power_w": 3680.55}, Quirks(rate_unit="W"), "W", 3680.5),
        ({"current_a": 0}, Quirks(rate_unit="W"), "W", 0.0),
    ],
)
def test_a_unit_that_the_charger_is_known_to_want_is_converted_to(
    version: str, arguments: dict[str, Any], quirks: Quirks, unit: str, limit: float
) -> None:
    charger = Charger(version)
    ending = charger.give("set_charging_limit", station(quirks=quirks), **arguments)
    assert told(ending, "unit", "limit") == (unit, limit)
    assert [(held.unit, held.limit) for held in charger.offered] == [(unit, limit)]
    converted = ("current_a" in arguments) != (unit == "A")
    assert (ending.result or {})["converted"] == (
        {
            "from": "A" if "current_a" in arguments else "W",
            "phases": arguments.get("phases") or quirks.phases or 3,
            "voltage_v": quirks.voltage_v or 230.0,
        }
        if converted
        else None
    )


@given(st.floats(0, 1e6, allow_nan=False), st.sampled_from(["current_a", "power_w"]), st.integers(1, 3))
def test_a_limit_is_never_exceeded_by_its_conversion(rate: float, name: str, phases: int) -> None:
    unit: Any = "W" if name == "current_a" else "A"
    ending = Charger("1.6").give(
        "set_charging_limit", station(quirks=Quirks(rate_unit=unit)), **{name: rate, "phases": phases}
    )
    (limit,) = told(ending, "limit")
    back = limit / (phases * 230) if unit == "W" else limit * phases * 230
    assert back <= rate * (1 + 1e-12)
    assert limit * 10 == pytest.approx(round(limit * 10), abs=1e-4)


def test_a_stack_level_that_is_known_is_used_so_that_ours_wins(version: str) -> None:
    charger = Charger(version)
    charger.give("set_charging_limit", station(quirks=Quirks(max_stack_level=7)), current_a=6)
    assert [held.stack_level for held in charger.offered] == [7]


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize("refusal", [REJECTED, Answered({"status": "NotSupported"}), NOT_SUPPORTED])
def test_a_refused_unit_is_asked_for_and_the_other_tried(version: str, refusal: Answer) -> None:
    charger = Charger(version, lambda offered: offered.unit == "W", units="Power", max_level="3", refusal=refusal)
    ending = charger.give("set_charging_limit", station(), current_a=10)
    assert (ending.outcome, charger.asked) == (Outcome.ACCEPTED, 1)
    assert [(held.unit, held.limit, held.stack_level) for held in charger.offered] == [("A", 10, 0), ("W", 6900, 0)]
    assert told(ending, "unit", "limit", "converted") == ("W", 6900, {"from": "A", "phases": 3, "voltage_v": 230.0})
    assert len(told(ending, "refused")[0]) == 1


def test_a_refused_stack_level_is_raised_to_the_highest_or_lowered_to_it(version: str) -> None:
    charger = Charger(version, lambda offered: offered.stack_level == 5, units="A,W", max_level="5")
    assert told(charger.give("set_charging_limit", station(), current_a=10), "stack_level") == (5,)
    known = station(quirks=Quirks(max_stack_level=9))
    assert told(charger.give("set_charging_limit", known, current_a=10), "stack_level", "unit") == (5, "A")
    assert [held.stack_level for held in charger.offered] == [0, 5, 9, 5]


def test_unit_and_stack_level_are_tried_one_after_the_other(version: str) -> None:
    charger = Charger(
        version, lambda offered: (offered.unit, offered.stack_level) == ("W", 2), units="Power", max_level="2"
    )
    charger.give("set_charging_limit", station(), current_a=10)
    assert [(held.unit, held.stack_level) for held in charger.offered] == [("A", 0), ("W", 0), ("W", 2)]


def test_a_default_that_is_refused_becomes_a_profile_of_the_running_transaction(version: str) -> None:
    charger = Charger(version, lambda offered: offered.purpose == "tx", units="Current,Power")
    ending = charger.give("set_charging_limit", station(RUNNING), current_a=10, evse_id=1)
    assert told(ending, "purpose", "unit") == ("tx", "A")
    assert charger.holds == {1001: Profile(1, 1001, "tx", "Relative", 0, "A", 10.0, None, "42", None)}


def test_a_transaction_elsewhere_or_without_a_number_is_no_way_out() -> None:
    for running in (ActiveTransaction("tx-1", "42", 2, 1), ActiveTransaction("tx-1", "abc", 1, 1)):
        charger = Charger("1.6", lambda offered: offered.purpose == "tx")
        assert charger.give("set_charging_limit", station(running), current_a=10, evse_id=1).outcome is Outcome.REJECTED


def test_a_charger_of_one_evse_may_be_limited_by_a_default_instead_of_its_maximum(version: str) -> None:
    charger = Charger(version, lambda offered: offered.purpose == "tx_default")
    ending = charger.give("set_charging_limit", station(), current_a=10)
    assert told(ending, "purpose", "evse_id") == ("tx_default", 0)
    several = charger.give("set_charging_limit", station(evses=2), current_a=10)
    assert several.outcome is Outcome.REJECTED
    assert "evse_id" in (several.reason or "")


@pytest.mark.parametrize(
    ("refusal", "outcome"), [(REJECTED, Outcome.REJECTED), (NOT_SUPPORTED, Outcome.ERROR)], ids=["rejected", "error"]
)
def test_where_all_is_refused_every_attempt_is_told(version: str, refusal: Answer, outcome: Outcome) -> None:
    charger = Charger(version, lambda offered: False, units="Power", max_level="8", refusal=refusal)
    ending = charger.give("set_charging_limit", station(RUNNING), current_a=10, evse_id=1)
    assert (ending.outcome, ending.acted, charger.asked) == (outcome, False, 1)
    assert [(held.purpose, held.unit, held.stack_level) for held in charger.offered] == [
        ("tx_default", "A", 0),
        ("tx_default", "W", 0),
        ("tx_default", "W", 8),
        ("tx", "W", 0),
    ]
    assert (ending.reason or "").count(";") == 3
    assert "tx_default of 10 A on stack level 0: " in (ending.reason or "")


def test_a_charger_that_tells_nothing_is_not_pestered(version: str) -> None:
    charger = Charger(version, lambda offered: False, tells=False)
    assert charger.give("set_charging_limit", station(), current_a=10, evse_id=1).outcome is Outcome.REJECTED
    assert (len(charger.offered), charger.asked) == (1, 1)


def test_what_was_accepted_once_is_tried_first(version: str) -> None:
    charger = Charger(version, lambda offered: (offered.unit, offered.purpose) == ("W", "tx"))
    known = Limit(16, carrier=Carrier("W", 4, "tx"))
    charger.give("set_charging_limit", station(RUNNING, e1=known), current_a=10, evse_id=1)
    assert [(held.unit, held.purpose, held.stack_level) for held in charger.offered] == [("W", "tx", 4)]
    idle = Charger(version)
    idle.give("set_charging_limit", station(e1=known), current_a=10, evse_id=1)
    assert [held.purpose for held in idle.offered] == ["tx_default"]


def test_a_unit_that_was_merely_asked_for_is_not_kept(version: str) -> None:
    charger = Charger(version)
    charger.give("set_charging_limit", station(e1=Limit(power_w=3000, carrier=Carrier(None, 0, "tx_default"))),
                 current_a=10, evse_id=1)  # fmt: skip
    assert [(held.unit, held.limit) for held in charger.offered] == [("A", 10)]


def test_an_answer_that_says_nothing_may_have_been_a_yes(version: str) -> None:
    charger = Charger(version, lambda offered: False, refusal=Answered({}))
    ending = charger.give("set_charging_limit", station(), current_a=10)
    assert (ending.outcome, ending.acted, len(charger.offered)) == (Outcome.ERROR, True, 1)


# ---------------------------------------------------------------- what chargers write


@pytest.mark.parametrize(
    ("written", "units"),
    [
        ("Current,Power", {"A", "W"}),
        ("Current", {"A"}),
        ("power", {"W"}),
        ("A, W", {"A", "W"}),
        ("Amps", {"A"}),
        ("Watts;Current", {"A", "W"}),
        ("", set()),
        (None, set()),
        (7, set()),
        ({}, set()),
    ],
)
def test_units_are_read_as_chargers_write_them(written: Any, units: set[str]) -> None:
    assert units_of(written) == units


@pytest.mark.parametrize(
    ("written", "level"), [("3", 3), (3, 3), ("3.0", 3), ("-1", None), ("many", None), (None, None)]
)
def test_a_stack_level_is_read_as_chargers_write_it(written: Any, level: int | None) -> None:
    assert level_of(written) == level

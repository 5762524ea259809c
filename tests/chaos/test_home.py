"""A day of a home, once in short, and the whole of it where there is time (`make home`)."""

from pathlib import Path

import pytest

from gateway.simulator import SimulatorEvent
from tests.chaos.home.books import Calls, flaws_of_energy, flaws_of_pace, flaws_of_wishes
from tests.chaos.home.hub import EnergySensor, Place
from tests.chaos.home.mishaps import Mishap
from tests.chaos.home.run import Day, Plan, new_seed
from tests.chaos.home.summary import told
from tests.chaos.home.wishes import Wanted, Wish, wanted
from tests.support.servers import Mosquitto, Valkey


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan("home", hours=0.7, speed=600, hour=10), id="in short"),
        pytest.param(Plan("", hours=24, speed=300), id="a day", marks=[pytest.mark.soak, pytest.mark.timeout(1200)]),
    ],
)
async def test_a_home_gets_what_it_asks_for_and_no_charger_is_flooded(
    plan: Plan, tmp_path: Path, valkey: Valkey, mosquitto: Mosquitto
) -> None:
    plan = Plan(plan.seed or new_seed(), hours=plan.hours, speed=plan.speed, hour=plan.hour)
    print(f"seed {plan.seed}")
    outcome = await Day(plan, tmp_path / "gateway", valkey, mosquitto).go(print)
    summary = told(outcome)
    print(summary)
    assert outcome.good, summary
    assert sum(outcome.mishaps.values()) == 4
    assert outcome.looks >= 1
    for charger, outcomes in outcome.outcomes.items():
        assert outcome.energy[charger][0] >= 1, f"{charger} never charged: {summary}"
        # Much gave its place to something newer, and the rest was carried out.
        assert outcomes["accepted"] >= 5, summary
        assert outcomes["superseded"] >= 5, summary


# ---------------------------------------------------------------- the books themselves


def wish(attribute: str = "limit_a", value: str = "10", *outcomes: str, excused: bool = False) -> Wish:
    return Wish("1", "garage", attribute, value, 0.0, excused, 100.0, 100.5, list(outcomes), [None] * len(outcomes))


def test_what_is_wanted_follows_from_what_was_accepted_in_the_order_of_asking() -> None:
    asked = [wish("limit_a", "16", "accepted"), wish("paused", "ON", "accepted"), wish("limit_a", "8", "offline")]
    assert wanted(asked) == Wanted(16.0, True)
    assert wanted(asked).allowed_w == 0
    assert wanted([*asked, wish("charging", "ON", "accepted")]).allowed_w == 16 * 230 * 3
    assert wanted([*asked, wish("paused", "OFF", "accepted"), wish("limit_a", "none", "accepted")]).allowed_w is None


def test_outcomes_that_are_missing_doubled_or_unexplained_are_flaws() -> None:
    broker, line = Mishap("broker", None, 99.0, 101.0), Mishap("line", "garage", 99.0, 101.0)
    fine = [wish("limit_a", "10", "accepted"), wish(excused=True), wish("paused", "ON", "superseded")]
    assert list(flaws_of_wishes(fine, [])) == []
    assert len(list(flaws_of_wishes([wish()], []))) == 1
    assert len(list(flaws_of_wishes([wish("limit_a", "10", "accepted", "accepted")], []))) == 1
    assert len(list(flaws_of_wishes([wish("limit_a", "10", "accepted", "offline")], [broker]))) == 1
    assert list(flaws_of_wishes([wish("limit_a", "10", "accepted", "accepted")], [broker])) == []
    assert len(list(flaws_of_wishes([wish("limit_a", "10", "offline")], [Mishap("line", "carport", 99.0, 101.0)]))) == 1
    assert list(flaws_of_wishes([wish("limit_a", "10", "offline")], [line])) == []


def test_a_flood_of_limits_is_a_flaw() -> None:
    calls = Calls(lambda: 30.0)
    for _ in range(26):
        calls.hear(SimulatorEvent("garage", "command", "SetChargingProfile"))
    assert list(flaws_of_pace(calls, [], "garage", 5.0)) == []
    calls.hear(SimulatorEvent("garage", "command", "SetChargingProfile"))
    assert len(list(flaws_of_pace(calls, [], "garage", 5.0))) == 1


def test_energy_that_differs_by_a_watt_hour_is_a_flaw() -> None:
    place = Place("garage", energy=EnergySensor(), last_transactions={"a": 100, "b": 50})
    for value in (1000, 1100, None, 1100, 1150):
        place.energy.shows(value)
    records = [
        {"id": "a", "energy_wh": 100, "suspect": [], "status": "ended", "started_at": "1", "ended_at": "2"},
        {"id": "b", "energy_wh": 50, "suspect": [], "status": "ended", "started_at": "2", "ended_at": "3"},
    ]
    assert list(flaws_of_energy(place, records, 2)) == []
    assert len(list(flaws_of_energy(place, records, 3))) == 1
    assert len(list(flaws_of_energy(place, [records[0], {**records[1], "started_at": "1"}], 2))) == 1
    assert len(list(flaws_of_energy(place, [records[0], {**records[1], "suspect": ["gap"]}], 2))) == 1
    place.energy.shows(1151)
    assert len(list(flaws_of_energy(place, records, 2))) == 1

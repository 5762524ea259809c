"""What a connector's state keeps of its meter and of the transaction that ended last."""

from typing import Any

import orjson
import pytest

from gateway.core.reports import Meter, Sample
from gateway.core.twin import Twin
from tests.core.driver import Driver, at, sample, start, stop


def measured(*samples: Sample) -> dict[str, Any]:
    driver = Driver()
    driver.say(Meter(1, 1, list(samples), at()))
    return driver.state()


def test_power_is_kept_by_phase_and_idle_phases_that_were_never_measured_stay_unknown() -> None:
    driver = Driver()
    first = driver.say(start())
    power = [sample("Power.Active.Import", 1000 * phase, 10, phase=f"L{phase}") for phase in (1, 2)]
    driver.say(Meter(1, 1, power, at(10), str(first.transaction_id)))
    assert driver.state()["power_by_phase_w"] == {"l1": 1000, "l2": 2000, "l3": None}
    assert driver.state()["power_w"] == 3000
    driver.say(stop(first.transaction_id))
    assert driver.state()["power_by_phase_w"] == {"l1": 0, "l2": 0, "l3": None}


@pytest.mark.parametrize(
    ("value", "unit", "celsius"), [(31.5, "Celsius", 31.5), (90, "Fahrenheit", 32.22), (300, "K", 26.85)]
)
def test_a_temperature_is_told_in_celsius(value: float, unit: str, celsius: float) -> None:
    assert measured({**sample("Temperature", value), "unit": unit})["temperature_c"] == celsius


def test_the_highest_current_offered_is_kept() -> None:
    assert measured(sample("Current.Offered", 16, 0), sample("Current.Offered", 10, 5))["max_offered_a"] == 16


def test_what_was_measured_is_told_from_what_is_assumed() -> None:
    assert measured(sample("Current.Import", 0, phase="L1"), sample("SoC", 40))["measurands"] == [
        "current_a.l1",
        "soc_percent",
    ]
    assert measured(sample("Power.Active.Import", 0))["measurands"] == ["power_w"]


def test_the_last_transaction_stays_shown_and_follows_its_correction() -> None:
    driver = Driver()
    first = driver.say(start())
    assert driver.state()["last_transaction"] is None
    second = driver.say(start(600))
    assert driver.state()["last_transaction"]["suspect"] == ["missing_stop"]
    driver.say(stop(first.transaction_id, 500, meter=1800))
    assert driver.state()["last_transaction"] == {
        "id": first.data["transaction_id"],
        "token": {"id": "TAG", "type": None},
        "started_at": at(0),
        "ended_at": at(500),
        "energy_wh": 800,
        "stop_reason": "local",
        "cost": None,
        "currency": None,
        "suspect": [],
    }
    driver.say(stop(second.transaction_id, 900, meter=3000))
    assert driver.state()["last_transaction"]["id"] == second.data["transaction_id"]


def test_a_transaction_that_an_older_gateway_stored_without_a_cost_is_shown_on() -> None:
    driver = Driver()
    driver.say(start())
    stored = driver.state()
    for name in ("cost", "currency"):
        del stored["transaction"][name]
    restored = Twin.restore(driver.charger, {**driver.fields, "connector/1/1": orjson.dumps(stored)}, driver.records)
    kept = orjson.loads(restored.everything().fields["connector/1/1"])["transaction"]
    assert (kept["started_at"], kept["cost"]) == (at(0), None)

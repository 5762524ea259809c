"""What a transaction took, where its readings contradict each other: start and stop count before what lies between."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.reports import Meter, Sample, Transaction
from tests.core.driver import REGISTER, Driver, at, event, sample, start, stop


def energy_of(begin: float | None, samples: list[float], end: float | None, *, minutes: float = 10) -> tuple[Any, ...]:
    """A transaction of OCPP 1.6 with a sample every so many minutes."""
    driver = Driver()
    number = driver.say(start(meter=begin)).transaction_id
    for place, wh in enumerate(samples, start=1):
        driver.say(Meter(1, 1, [sample(REGISTER, wh, 60 * minutes * place)], at(60 * minutes * place), str(number)))
        driver.restart()
    ended = driver.say(stop(number, 60 * minutes * (len(samples) + 1), meter=end)).data
    return ended["energy_wh"], ended["energy_method"], ended["suspect"]


@pytest.mark.parametrize(
    ("begin", "samples", "end", "energy", "suspect"),
    [
        (910_000, [910_200, 0, 910_500], 910_700, 700, ["meter_reset"]),
        (910_000, [910_200, 0, 0, 910_500], 910_700, 700, ["meter_reset"]),
        (910_000, [0, 910_500], 910_700, 700, ["session_relative_register"]),
        (910_000, [910_200, 909_000, 910_500], 910_700, 700, ["meter_regression"]),
        (910_000, [910_200, 99_999_999, 910_500], 910_700, 700, ["meter_reset"]),
        (910_000, [910_200, 910_900, 910_500], 910_700, 700, ["meter_regression"]),
        (910_000, [910_200, 0], 910_700, 700, ["meter_reset"]),
        (910_000, [910_200, 911_000], 910_700, 700, ["meter_regression"]),
    ],
)
def test_one_odd_sample_between_a_clean_start_and_stop_is_flagged_and_not_summed(
    begin: float, samples: list[float], end: float, energy: float, suspect: list[str]
) -> None:
    """Quirk 28."""
    assert energy_of(begin, samples, end) == (energy, "register", suspect)


def test_a_register_that_was_reset_and_counted_on_is_summed() -> None:
    """Quirk 28."""
    assert energy_of(50_000, [52_000, 300, 1300], 2000) == (4000 - 300, "samples", ["meter_reset", "meter_regression"])
    assert energy_of(1000, [2000, 10, 700, 1500], 2600) == (1000 + 2590, "samples", ["meter_reset"])


@pytest.mark.parametrize(
    ("begin", "samples", "end"),
    [(1049, [1000, 1100, 2000], 2049), (1000, [1500, 2001], 2000), (1000, [1500, 1420, 2000], 2000), (90, [0], 1090)],
)
def test_the_rounding_of_samples_is_no_fall(begin: float, samples: list[float], end: float) -> None:
    """Many meters report kWh with one decimal."""
    assert energy_of(begin, samples, end) == (1000, "register", [])


@pytest.mark.parametrize(
    ("samples", "energy", "method"),
    [
        ([], 910_700, "register"),
        ([910_200, 910_500], 500, "samples"),
        ([0, 910_500], 200, "samples"),
        ([100, 600], 600, "samples"),
    ],
)
def test_a_start_of_zero_beside_a_lifetime_register_is_flagged(
    samples: list[float], energy: float, method: str
) -> None:
    """Quirk 28: an offline Begin of 0 billed 910 kWh."""
    assert energy_of(0, samples, 910_700) == (energy, method, ["meter_reset"])


@pytest.mark.parametrize(
    ("end", "minutes", "suspect"),
    [
        (60_000, 15, []),
        (400_000, 60, []),
        (600_000, 60, ["meter_reset"]),
        (900_000, 0, []),
        (1_100_000, 0, ["meter_reset"]),
    ],
)
def test_what_a_charger_can_deliver_from_zero_is_believed(end: float, minutes: float, suspect: list[str]) -> None:
    assert energy_of(0, [], end, minutes=minutes) == (end, "register", suspect)


@pytest.mark.parametrize("late_start", [False, True])
def test_an_offline_begin_of_zero_is_flagged_in_ocpp_2(late_start: bool) -> None:
    """Quirk 28."""
    driver = Driver("2.0.1")
    said = [
        event("started", 0, 0, wh=0, offline=True),
        event("updated", 1, 600, wh=910_200, offline=True),
        event("ended", 2, 1200, wh=910_700, offline=True),
    ]
    for report in [said[1], said[0], said[2]] if late_start else said:
        ended = driver.say(report)
    assert ended.types == ["transaction.ended"]
    assert (ended.data["energy_wh"], ended.data["energy_method"]) == (500, "samples")
    assert ended.data["suspect"] == ["meter_reset"]


@pytest.mark.parametrize(
    ("begin", "samples", "end", "energy", "method", "suspect"),
    [
        (910_000, [100, 300], 700, 700, "session_register", ["session_relative_register", "meter_regression"]),
        (910_000, [100, 300], 0, 300, "session_register", ["session_relative_register", "meter_regression"]),
        (910_000, [100, 300], 910_700, 700, "register", []),
        (1000, [0, 500, 800], 1800, 800, "register", []),
        (1000, [600, 900], 1900, 900, "register", ["meter_regression"]),
        (1000, [200, 5000], 5400, 5400, "session_register", ["session_relative_register"]),
    ],
)
def test_a_session_register_is_told_from_a_lifetime_one(
    begin: float, samples: list[float], end: float, energy: float, method: str, suspect: list[str]
) -> None:
    """Quirk 28."""
    assert energy_of(begin, samples, end) == (energy, method, suspect)


# ---------------------------------------------------------------- whose register it is


def at_location(wh: float, seconds: float, location: str | None) -> Sample:
    return {**sample(REGISTER, wh, seconds), "location": location}


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("outlet", [None, "Outlet"])
def test_readings_of_the_inlet_do_not_move_the_register_of_the_outlet(apart: bool, outlet: str | None) -> None:
    driver = Driver()
    number = driver.say(start(meter=1000)).transaction_id
    for minute in (10, 20, 30):
        both = [
            at_location(1000 + 10 * minute, 60 * minute, outlet),
            at_location(50_000 + minute, 60 * minute, "Inlet"),
        ]
        for samples in [both[:1], both[1:]] if apart else [both]:
            updated = driver.say(Meter(1, 1, samples, at(60 * minute), str(number)))
            driver.restart()
        assert updated.data["energy_wh"] == 10 * minute
    ended = driver.say(stop(number, 3600, meter=1500)).data
    assert (ended["energy_wh"], ended["suspect"]) == (500, [])


def test_a_charger_that_measures_at_its_inlet_alone_is_believed() -> None:
    driver = Driver("2.0.1")
    for place, (kind, wh) in enumerate((("started", 1000), ("updated", 1500), ("ended", 3000))):
        report = event(kind, place, 600 * place)
        ended = driver.say(replace(report, samples=[at_location(wh, 600 * place, "Inlet")]))
    assert (ended.data["energy_wh"], ended.data["energy_method"], ended.data["suspect"]) == (2000, "register", [])


def test_the_main_meter_does_not_move_a_transactions_register() -> None:
    driver = Driver()
    number = driver.say(start(meter=1000)).transaction_id
    main = driver.say(Meter(0, None, [sample(REGISTER, 910_000, 300)], at(300), str(number)))
    assert (main.types, main.data["energy_wh"]) == (["transaction.updated"], 0)
    assert main.data["samples"][0]["value"] == 910_000
    assert driver.state()["energy_register_wh"] == 1000
    ended = driver.say(stop(number, 3600, meter=1500)).data
    assert (ended["energy_wh"], ended["energy_method"], ended["suspect"]) == (500, "register", [])


# ---------------------------------------------------------------- clocks (quirk 21)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_sample_of_the_far_future_does_not_freeze_the_energy(version: str) -> None:
    driver = Driver(version)
    far = 86400 * 365 * 70
    readings = [(600, 2000), (far, 3000), (1800, 4000), (2400, 9000)]
    if version == "1.6":
        number = str(driver.say(start()).transaction_id)
        updated = [driver.say(Meter(1, 1, [sample(REGISTER, wh, when)], at(when), number)) for when, wh in readings]
    else:
        driver.say(event("started", 0, wh=1000))
        updated = [driver.say(event("updated", place + 1, *one[:1], wh=one[1])) for place, one in enumerate(readings)]
    assert [one.data["energy_wh"] for one in updated] == [1000, 2000, 3000, 8000]
    assert updated[-1].data["suspect"] == ["clock_future"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_start_of_the_far_future_does_not_keep_its_connector(restart: bool) -> None:
    driver = Driver()
    old = driver.say(start(86400 * 365 * 24, token="A"))
    if restart:
        driver.restart()
    driver.now += 3600
    new = driver.say(start(3600, token="B", meter=2000))
    assert new.types == ["transaction.started", "transaction.ended"]
    assert new.events[1].data["transaction_id"] == old.data["transaction_id"]
    assert new.events[1].data["suspect"] == ["clock_future", "missing_stop"]
    assert new.data["suspect"] == []
    assert driver.say(stop(-1, 7200, meter=3000)).data["transaction_id"] == new.data["transaction_id"]


def test_a_start_of_the_far_future_does_not_keep_its_evse_in_ocpp_2() -> None:
    driver = Driver("2.0.1")
    driver.say(event("started", 0, 86400 * 365 * 24, wh=1000))
    driver.now += 3600
    new = driver.say(Transaction("started", at(3600), 1, 1, "tx-2", seq_no=0, samples=[sample(REGISTER, 3000, 3600)]))
    assert new.types == ["transaction.started", "transaction.ended"]


# ---------------------------------------------------------------- stops of somebody else (quirk 24)


@pytest.mark.parametrize("number", ["-1", "4711", None])
def test_a_stop_of_another_token_and_register_ends_nobody_else(number: str | None) -> None:
    driver = Driver()
    running = driver.say(start(token="A"))
    for meter in (910_000, 10):
        other = driver.say(stop(number, 3600, meter=meter, token="B"))
        assert (other.types, other.data["suspect"]) == (["transaction.ended"], ["missing_start"])
        assert other.data["transaction_id"] != running.data["transaction_id"]
    assert [one.id for one in driver.twin.active_transactions()] == [running.data["transaction_id"]]
    ended = driver.say(stop(running.transaction_id, 7200, meter=3000, token="A")).data
    assert (ended["energy_wh"], ended["suspect"]) == (2000, [])


@pytest.mark.parametrize(("token", "meter"), [("B", 3000), (None, 910_000), ("a", 910_000)])
@pytest.mark.parametrize("restart", [False, True])
def test_a_doubtful_stop_is_flagged_and_corrected_by_the_one_that_names_it(
    token: str | None, meter: float, restart: bool
) -> None:
    """The token may be one of the same group."""
    driver = Driver()
    running = driver.say(start(token="A"))
    doubtful = stop(-1, 3600, meter=meter, token=token)
    ended = driver.say(doubtful)
    assert (ended.types, ended.data["suspect"]) == (["transaction.ended"], ["missing_stop"])
    assert ended.data["transaction_id"] == running.data["transaction_id"]
    if restart:
        driver.restart()
    assert driver.say(doubtful).repeated
    real = driver.say(stop(running.transaction_id, 7200, meter=4000, token="A"))
    assert (real.types, real.data["energy_wh"]) == (["transaction.corrected"], 3000)
    assert real.data["suspect"] == ["duplicate_with_differences"]
    assert [(one["time"], one["meter_wh"]) for one in real.data["alternatives"]] == [(at(3600), meter)]
    assert driver.say(doubtful).repeated


def test_a_register_in_a_unit_that_nobody_knows_is_no_energy() -> None:
    """It is sent as it came; what it means would be a guess."""
    driver = Driver("2.0.1")
    for seq_no, kind in enumerate(("started", "updated", "ended")):
        one = event(kind, seq_no, 60 * seq_no)
        one.samples = [{**sample(REGISTER, 10 + seq_no, 60 * seq_no, context="Sample.Clock"), "unit": "parsec"}]  # type: ignore[typeddict-item]
        outcome = driver.say(one)
        assert outcome.data["samples"] == one.samples
    assert (outcome.data["energy_wh"], outcome.data["energy_method"]) == (None, "unknown")
    assert (outcome.data["meter_start_wh"], outcome.data["meter_stop_wh"], outcome.data["readings"]) == (None, None, [])
    assert driver.state()["energy_register_wh"] is None


def test_samples_in_an_unknown_unit_leave_the_bill_to_start_and_stop() -> None:
    driver = Driver()
    number = driver.say(start(meter=1000)).transaction_id
    odd = {**sample(REGISTER, 1.5, 60), "unit": "parsec"}
    driver.say(Meter(1, 1, [odd], at(60), str(number)))  # type: ignore[list-item]
    ended = driver.say(stop(number, meter=3000)).data
    assert (ended["energy_wh"], ended["energy_method"], ended["suspect"]) == (2000, "register", [])


def test_a_stop_with_the_end_s_sample_alone_and_no_start_says_nothing_of_the_energy() -> None:
    end = [sample(REGISTER, 3000, 600, context="Transaction.End")]
    ended = Driver().say(stop(-1, meter=3000, samples=end)).data
    assert (ended["energy_wh"], ended["energy_method"], ended["suspect"]) == (None, "unknown", ["missing_start"])

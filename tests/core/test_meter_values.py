"""Meter values: an update of the transaction that they belong to, or samples of none (quirk 27)."""

import pytest

from tests.core.driver import Driver, meter, started, stop


def test_meter_values_after_the_stop_resurrect_nothing() -> None:
    driver = Driver()
    public, number = started(driver)
    driver.say(stop(number))
    driver.restart()
    late = driver.say(meter(number, 700, 3100))
    assert late.types == ["meter.values"]
    assert late.data["transaction_id"] == public
    assert driver.twin.active_transactions() == []
    assert driver.say(meter(number, 700, 3100)).repeated


@pytest.mark.parametrize("number", [None, "0", "-1"])
def test_meter_values_without_a_number_belong_to_the_connectors_transaction(number: str | None) -> None:
    driver = Driver()
    public, _ = started(driver)
    outcome = driver.say(meter(number, 60, 1100))
    assert (outcome.types, outcome.data["transaction_id"]) == (["transaction.updated"], public)
    assert driver.say(meter(number, -60, 900)).types == ["meter.values"]
    assert driver.say(meter(number, 60, 1100, evse=2)).types == ["meter.values"]


def test_meter_values_outside_transactions_have_no_key() -> None:
    outcome = Driver().say(meter(None, 0, 1000))
    assert (outcome.change.key, outcome.types) == (None, ["meter.values"])
    assert outcome.events[0].subject == "evse/1/connector/1"
    assert not outcome.change.transactions


def test_meter_values_of_an_unknown_transaction_are_money_all_the_same() -> None:
    driver = Driver()
    assert driver.say(meter(99, 0, 1000)).types == ["meter.values"]
    assert driver.say(meter(99, 0, 1000)).repeated

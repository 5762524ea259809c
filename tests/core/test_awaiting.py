"""Starts that wait for their EV: when they are given again, and what ends the waiting."""

from typing import Any

import pytest

from gateway.core import awaiting
from gateway.core.awaiting import AGAIN_AFTER, BEGINS_WITHIN, ECHO, GONE_AFTER, HELD_FOR, MOST_TRIES
from gateway.core.draft import Draft
from gateway.core.reports import Boot, Report, Status, Token, Transaction
from gateway.core.twin import Twin
from tests.core.driver import NOW, Driver, at, start


def garage(version: str = "1.6", status: str = "available") -> Driver:
    driver = Driver(version=version)
    driver.say(Status(1, 1, status, None))
    return driver


def asked(driver: Driver, command_id: str = "c-1", *, held: bool, seconds: float = 0) -> None:
    """A start was given to the charger, which took it, or refused it for want of an EV."""
    twin = driver.twin
    driver.commit(twin.start_expected(NOW + seconds, command_id, token="HOME", evse_id=1, remote_start_id=7))
    if not held:
        driver.commit(twin.start_unexpected(NOW + seconds, command_id))
    waits(driver, command_id, held=held, seconds=seconds)


def waits(driver: Driver, command_id: str = "c-1", *, held: bool, seconds: float = 0) -> None:
    def put(draft: Draft) -> None:
        awaiting.put(draft, command_id, 1, {"token": "HOME", "evse_id": 1}, held=held)

    driver.commit(driver.twin.written(NOW + seconds, put))


def due(driver: Driver, seconds: float) -> bool:
    return driver.twin.due_start(NOW + seconds) is not None


def hear(driver: Driver, report: Report, seconds: float) -> None:
    driver.now = NOW + seconds
    driver.say(report)


def command_ids(driver: Driver) -> list[tuple[str, Any]]:
    """Each transaction, and the command that caused it."""
    return [(known, driver.record(known)["command_id"]) for known in driver.records]


def plug(driver: Driver, seconds: float, status: str = "preparing") -> None:
    hear(driver, Status(1, 1, status, None), seconds)


def test_without_an_ev_nothing_is_due_and_the_state_shows_that_a_start_waits() -> None:
    driver = garage()
    assert driver.state(1)["start_requested"] is False
    asked(driver, held=True)
    assert driver.state(1)["start_requested"] is True
    assert not due(driver, 86_400)


def test_what_the_charger_refused_for_want_of_an_ev_is_given_as_soon_as_one_is_plugged_in() -> None:
    driver = garage()
    asked(driver, held=False)
    plug(driver, 1000)
    assert due(driver, 1000)


@pytest.mark.parametrize("status", ["charging", "suspended_ev", "suspended_evse"])
def test_an_evse_that_charges_is_given_no_start_whether_or_not_its_transaction_is_known(status: str) -> None:
    driver = garage()
    asked(driver, held=False)
    plug(driver, 1000, status)
    assert driver.state(1)["plugged"] is True
    assert not due(driver, 2000)
    plug(driver, 2000, "finishing")
    assert due(driver, 2000)


def test_a_start_that_the_charger_holds_has_time_to_begin_by_itself() -> None:
    driver = garage()
    asked(driver, held=True)
    plug(driver, 60)
    assert not due(driver, 60 + BEGINS_WITHIN - 0.1)
    hear(driver, start(61, token="HOME"), 61)
    assert (driver.state(1)["start_requested"], due(driver, 1000)) == (False, False)
    assert [command for _, command in command_ids(driver)] == ["c-1"]


def test_a_start_that_lapsed_unseen_is_given_again_once_that_is_plain() -> None:
    driver = garage()
    asked(driver, held=True)
    plug(driver, 60)
    assert due(driver, 60 + BEGINS_WITHIN)


def test_a_start_that_has_certainly_lapsed_is_given_at_once() -> None:
    driver = garage()
    asked(driver, held=True)
    plug(driver, HELD_FOR + 1)
    assert due(driver, HELD_FOR + 1)


def test_what_ocpp_1_6_says_to_the_start_itself_is_no_ev() -> None:
    driver = garage()
    asked(driver, held=True)
    plug(driver, ECHO - 1)
    assert not due(driver, HELD_FOR - 0.1)
    plug(driver, 60, "available")
    assert not due(driver, 500)
    plug(driver, 61)
    assert due(driver, 61)


def test_an_ev_that_is_there_gets_a_few_tries_and_the_next_one_as_many() -> None:
    driver = garage()
    asked(driver, held=False)
    plug(driver, 10)
    now = 10.0
    for _ in range(MOST_TRIES):
        assert due(driver, now)
        driver.commit(driver.twin.written(NOW + now, lambda draft: awaiting.tried(draft, "c-1", 1, held=False)))
        assert not due(driver, now + AGAIN_AFTER - 0.1)
        now += AGAIN_AFTER
    assert not due(driver, now + 86_400)
    plug(driver, now, "available")
    plug(driver, now + 1)
    assert due(driver, now + 1)
    assert driver.state(1)["start_requested"] is True


def test_after_a_reboot_the_charger_holds_nothing_any_more() -> None:
    driver = garage()
    asked(driver, held=True)
    plug(driver, 20)
    hear(driver, Boot("Vendor", "Model", None, None), 21)
    assert due(driver, 21)


def test_a_start_is_kept_with_the_charger_and_outlives_its_node() -> None:
    driver = garage()
    asked(driver, held=False)
    driver.restart()
    plug(driver, 10)
    assert due(driver, 10)


@pytest.mark.parametrize("token", ["HOME", "OTHER"])
def test_any_transaction_there_ends_the_waiting(token: str) -> None:
    driver = garage()
    asked(driver, held=False)
    hear(driver, start(5, token=token), 5)
    assert (driver.state(1)["start_requested"], due(driver, 100)) == (False, False)


def test_one_that_the_charger_had_kept_while_it_was_offline_does_not() -> None:
    driver = garage()
    asked(driver, held=False)
    hear(driver, start(-3600, token="OTHER"), 5)
    assert driver.state(1)["start_requested"] is True


def test_one_of_a_charger_with_a_wrong_clock_does() -> None:
    driver = garage()
    asked(driver, held=False, seconds=600)
    hear(driver, start(-3600, token="OTHER"), 700)
    assert driver.state(1)["start_requested"] is False


def test_a_transaction_that_nobody_has_authorized_wants_the_start() -> None:
    driver = garage("2.0.1")
    asked(driver, held=False)
    plug(driver, 10, "occupied")
    of: dict[str, Any] = {"evse_id": 1, "connector_id": 1, "ocpp_transaction_id": "T1"}
    plugged = Transaction("started", at(10), **of, seq_no=0, charging_state="EVConnected")
    hear(driver, plugged, 10)
    assert (driver.state(1)["start_requested"], due(driver, 10)) == (True, True)
    assert driver.twin.charges(1) is None
    authorized = Transaction("updated", at(11), **of, seq_no=1, token=Token("HOME"))
    hear(driver, authorized, 11)
    assert (driver.state(1)["start_requested"], due(driver, 1000)) == (False, False)
    assert driver.twin.charges(1) is not None


def test_a_start_whose_transaction_has_begun_by_the_time_that_it_is_noted_waits_for_nothing() -> None:
    driver = garage()
    driver.commit(driver.twin.start_expected(NOW, "c-1", token="HOME", evse_id=1, remote_start_id=None))
    number = driver.say(start(0, token="HOME")).transaction_id
    waits(driver, held=True)
    assert driver.state(1)["start_requested"] is False
    assert number is not None


def withdraw(driver: Driver, seconds: float) -> None:
    driver.commit(driver.twin.written(NOW + seconds, lambda draft: awaiting.withdraw(draft, [1])))


def test_what_was_withdrawn_is_not_given_again_and_what_the_charger_held_of_it_is_unwanted() -> None:
    driver = garage()
    asked(driver, held=True)
    withdraw(driver, 10)
    assert driver.state(1)["start_requested"] is False
    plug(driver, 20)
    assert (due(driver, 1000), awaiting.unwanted(driver.twin.awaited)) == (False, None)
    hear(driver, start(21, token="HOME"), 21)
    ((known, command),) = command_ids(driver)
    assert command == "c-1"
    assert awaiting.unwanted(driver.twin.awaited) == (1, known)
    driver.restart()
    assert awaiting.unwanted(driver.twin.awaited) == (1, known)


def test_a_withdrawn_start_makes_no_other_transaction_unwanted() -> None:
    driver = garage()
    asked(driver, held=True)
    withdraw(driver, 10)
    hear(driver, start(21, token="A-DRIVER"), 21)
    assert awaiting.unwanted(driver.twin.awaited) is None
    assert driver.twin.awaited == {}


def test_what_no_charger_holds_is_withdrawn_without_a_trace() -> None:
    driver = garage()
    asked(driver, held=False)
    withdraw(driver, 10)
    assert driver.twin.awaited == {}


def test_a_charger_that_holds_a_start_for_long_begins_nothing_wanted_once_it_was_withdrawn() -> None:
    driver = garage()
    asked(driver, held=True)
    withdraw(driver, HELD_FOR + 50)
    hear(driver, start(HELD_FOR + 60, token="HOME"), HELD_FOR + 60)
    ((known, _),) = command_ids(driver)
    assert awaiting.unwanted(driver.twin.awaited) == (1, known)


def test_what_was_withdrawn_is_forgotten_a_day_later() -> None:
    driver = garage()
    asked(driver, held=True)
    withdraw(driver, 10)
    driver.commit(driver.twin.written(NOW + GONE_AFTER - 1, awaiting.let_go))
    assert [*driver.twin.awaited] == ["1"]
    driver.commit(driver.twin.written(NOW + GONE_AFTER, awaiting.let_go))
    assert driver.twin.awaited == {}


def test_a_start_that_waits_is_never_let_go() -> None:
    driver = garage()
    asked(driver, held=True)
    driver.commit(driver.twin.written(NOW + 10 * GONE_AFTER, awaiting.let_go))
    assert driver.state(1)["start_requested"] is True


def test_memory_that_was_stored_before_there_were_such_starts_is_read() -> None:
    driver = garage()
    fields = {**driver.twin.everything().fields, "memory": b'{"active": [], "wire_id": 3}'}
    twin = Twin.restore(driver.twin._id, fields, {})
    assert twin.awaited == {}

"""Transactions that are long over: the twin has forgotten them, or Redis has, and the charger says it all again."""

import pytest

from tests.core.driver import Driver, event, meter, start, started, stop


def many(driver: Driver, count: int = 40) -> None:
    """So many more transactions come and go."""
    driver.now += 86400
    for place in range(count):
        seconds = 80000 + 60 * place
        number = driver.say(start(seconds, evse=2, token="M")).transaction_id
        driver.say(stop(number, seconds + 30))


@pytest.mark.parametrize("restart", [False, True])
def test_a_stop_said_again_after_many_more_transactions_makes_no_event(restart: bool) -> None:
    """Quirk 26."""
    driver = Driver()
    public, number = started(driver)
    driver.say(stop(number))
    many(driver)
    if restart:
        driver.restart()
    assert driver.say(stop(number)).repeated
    other = driver.say(stop(number, 900, meter=9000))
    assert (other.types, other.data["transaction_id"]) == (["transaction.corrected"], public)
    assert (other.data["energy_wh"], other.data["suspect"]) == (2000, ["duplicate_with_differences"])
    assert driver.count("ended", public) == 1


@pytest.mark.parametrize("restart", [False, True])
def test_a_start_said_again_after_the_log_forgot_it_and_many_more_transactions_begins_nothing(restart: bool) -> None:
    """Quirk 26: the log keeps answers for days, and transactions for longer."""
    driver = Driver()
    public, number = started(driver)
    driver.say(stop(number))
    bill = driver.record(public)
    many(driver)
    driver.answers.clear()
    if restart:
        driver.restart()
    again = driver.say(start())
    assert (again.types, again.transaction_id) == (["transaction.started"], number)
    assert again.events[0].key == next(event.key for event in driver.log if event.type == "ocpp.transaction.started")
    assert driver.twin.active_ids() == []
    assert driver.record(public) == bill
    started(driver, seconds=900_000)
    assert driver.count("ended", public) == 1


@pytest.mark.parametrize("number", ["its own", "0"])
@pytest.mark.parametrize("later", [0, 40])
def test_a_stop_said_again_after_the_log_lost_its_data_tells_the_whole_bill_again(number: str, later: int) -> None:
    driver = Driver()
    _, own = started(driver)
    said = stop(own if number == "its own" else number)
    first = driver.say(said)
    if later:
        many(driver)
    driver.answers.clear()
    again = driver.say(said)
    assert (again.types, again.events[0].key, again.data) == (first.types, first.events[0].key, first.data)


@pytest.mark.parametrize("number", ["0", "-1", None, "4711", "junk"])
@pytest.mark.parametrize("ran", [False, True])
def test_a_stop_with_a_wrong_number_said_again_after_many_more_makes_no_event(number: str | None, ran: bool) -> None:
    """Quirk 24."""
    driver = Driver()
    if ran:
        started(driver)
    driver.say(stop(number))
    many(driver)
    # And not even while another runs.
    started(driver, seconds=900_000)
    assert driver.say(stop(number)).repeated


def test_late_stops_correct_however_many_were_missing() -> None:
    driver = Driver()
    numbers = [driver.say(start(3600 * place, meter=1000 * place)).transaction_id for place in range(12)]
    many(driver)
    for place, number in enumerate(numbers[:-1]):
        late = driver.say(stop(number, 3600 * place + 600, meter=1000 * place + 700))
        assert (late.types, late.data["revision"], late.data["suspect"]) == (["transaction.corrected"], 2, [])
        assert (late.data["energy_wh"], late.data["duration_s"]) == (700, 600.0)
        assert driver.say(stop(number, 3600 * place + 600, meter=1000 * place + 700)).repeated


def test_meter_values_long_after_the_end_still_tell_their_transaction() -> None:
    """Quirk 27."""
    driver = Driver()
    public, number = started(driver)
    driver.say(stop(number))
    many(driver)
    late = driver.say(meter(number, 700, 3100))
    assert (late.types, late.data["transaction_id"]) == (["meter.values"], public)
    assert driver.twin.active_transactions() == []


def test_a_running_transaction_that_the_twin_lost_is_ended_by_its_stop() -> None:
    driver = Driver()
    public, number = started(driver)
    driver.fields.pop("memory")
    driver.restart()
    ended = driver.say(stop(number))
    assert (ended.types, ended.data["transaction_id"]) == (["transaction.ended"], public)
    assert (ended.data["energy_wh"], ended.data["suspect"]) == (2000, [])


def test_what_is_known_is_not_looked_up() -> None:
    driver = Driver()
    _, number = started(driver)
    driver.say(meter(number, 60, 1500))
    driver.say(meter(None, 120, 1600))
    assert driver.recalls == 1, "a start that is not known may be one of long ago"
    driver.say(start())
    driver.say(stop(number))
    driver.say(stop(number))
    driver.say(start())
    assert driver.recalls == 1


def test_a_stop_of_another_transaction_with_the_same_unknown_number_is_another() -> None:
    driver = Driver()
    first, second = driver.say(stop(1)), driver.say(stop(1, 7200, meter=9000))
    assert (first.types, second.types) == (["transaction.ended"], ["transaction.ended"])
    assert first.data["transaction_id"] != second.data["transaction_id"]


def test_what_is_stored_again_after_redis_lost_its_data_can_be_recalled() -> None:
    driver = Driver()
    public, number = started(driver)
    driver.names.clear()
    driver.commit(driver.twin.everything())
    assert driver.names == {f"number|{number}": public}
    driver.names.clear()
    driver.say(stop(number))
    many(driver)
    assert driver.say(stop(number)).repeated


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_the_bill_of_a_transaction_that_just_ended_is_stored_again_after_redis_lost_it(version: str) -> None:
    driver = Driver(version)
    if version == "1.6":
        public, number = started(driver)
        driver.say(stop(number))
    else:
        public = driver.say(event("started", 0)).data["transaction_id"]
        driver.say(event("ended", 1, 600))
    bill, names = driver.records.pop(public), driver.names.copy()
    driver.names.clear()
    driver.commit(driver.twin.everything())
    assert (driver.records[public], driver.names) == (bill, names)

"""The limits that were set by command: noted one by one, shown as they hold, and void after their time."""

import pytest

from gateway.core.clock import rfc3339
from gateway.core.reports import Boot, Carrier, Limit, Status
from tests.core.driver import NOW, Driver

SET = Limit(16, phases=1, until=rfc3339(NOW + 60), carrier=Carrier("W", 3, "tx"), paused=True)


def two_connectors() -> Driver:
    driver = Driver()
    for evse_id in (1, 2):
        driver.say(Status(evse_id, 1, "charging", None))
    return driver


def put(driver: Driver, evse_id: int, limit: Limit, seconds: float = 0) -> None:
    driver.commit(driver.twin.limited(NOW + seconds, evse_id, limit))


@pytest.mark.parametrize(
    ("own", "whole", "shown"),
    [
        (Limit(10), Limit(16), (10, None)),
        (Limit(16), Limit(10), (10, None)),
        (Limit(power_w=9000), Limit(power_w=4000), (None, 4000)),
        (Limit(power_w=9000), Limit(10), (None, 9000)),
        (Limit(), Limit(10), (10, None)),
        (Limit(10), Limit(), (10, None)),
    ],
)
def test_a_connector_shows_its_own_limit_or_the_charger_s_where_lower(
    own: Limit, whole: Limit, shown: tuple[float | None, float | None]
) -> None:
    for order in ((1, 0), (0, 1)):
        driver = two_connectors()
        for evse_id in order:
            put(driver, evse_id, whole if evse_id == 0 else own)
        assert (driver.state(1)["limit_a"], driver.state(1)["limit_w"]) == shown
        assert (driver.state(2)["limit_a"], driver.state(2)["limit_w"]) == (whole.current_a, whole.power_w)


def test_lifting_the_charger_s_limit_leaves_that_of_an_evse() -> None:
    driver = two_connectors()
    put(driver, 1, Limit(10))
    put(driver, 0, Limit(6))
    put(driver, 0, Limit())
    assert (driver.state(1)["limit_a"], driver.state(2)["limit_a"], driver.snapshot()["limit_a"]) == (10, None, None)
    assert driver.twin.limits(NOW) == {1: Limit(10), 0: Limit()}


def test_a_pause_shows_beside_the_limit_and_leaves_it() -> None:
    driver = two_connectors()
    put(driver, 1, Limit(16))
    put(driver, 1, Limit(16, paused=True))
    state = driver.state(1)
    assert (state["paused"], state["paused_by"], state["limit_a"]) == (True, "command", 16)
    put(driver, 1, Limit(16))
    assert (driver.state(1)["paused"], driver.state(1)["paused_by"]) == (False, None)


def test_a_limit_is_void_after_its_time_and_then_shown_no_more() -> None:
    driver = two_connectors()
    put(driver, 1, SET)
    assert driver.twin.limits(NOW + 59)[1] == SET
    over = driver.twin.limits(NOW + 60)[1]
    assert (over.current_a, over.until, over.paused, over.carrier) == (None, None, True, SET.carrier)
    driver.commit(driver.twin.seen(NOW + 61))
    assert (driver.state(1)["limit_a"], driver.state(1)["paused"]) == (None, True)
    assert driver.twin.limits(NOW)[1].current_a is None


def test_a_pause_that_must_be_told_again_must_be_so_also_after_the_limit_s_time() -> None:
    driver = two_connectors()
    put(driver, 1, SET)
    driver.say(Boot("Vendor", "Model"))
    driver.commit(driver.twin.seen(NOW + 61))
    assert driver.twin.owed_limits(NOW + 61) == {1: Limit(carrier=SET.carrier, paused=True)}
    driver.restart()
    assert [*driver.twin.owed_limits(NOW + 61)] == [1]
    put(driver, 1, Limit(paused=True), seconds=62)
    assert driver.twin.owed_limits(NOW + 62) == {}


def test_a_limit_whose_time_is_over_is_not_told_again() -> None:
    driver = two_connectors()
    put(driver, 1, Limit(16, until=rfc3339(NOW + 60)))
    driver.say(Boot("Vendor", "Model"))
    assert [*driver.twin.owed_limits(NOW + 59)] == [1]
    assert driver.twin.owed_limits(NOW + 60) == {}
    driver.commit(driver.twin.seen(NOW + 61))
    assert driver.twin.owed_limits(NOW + 61) == {}


def test_limits_outlive_the_node() -> None:
    driver = two_connectors()
    put(driver, 1, SET)
    driver.restart()
    assert driver.twin.limits(NOW) == {1: SET}


def test_a_limit_of_an_evse_that_has_not_reported_yet_is_shown() -> None:
    driver = Driver()
    put(driver, 3, Limit(6))
    assert driver.state(3)["limit_a"] == 6


def test_the_limits_noted_are_bounded() -> None:
    driver = Driver()
    for evse_id in range(1, 400):
        put(driver, evse_id, Limit(6))
    assert len(driver.twin.limits(NOW)) <= 257
    assert 399 in driver.twin.limits(NOW)

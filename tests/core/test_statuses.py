"""Statuses and problems that a 2.x charger reports as events of variables."""

from typing import Any

import pytest

from gateway.core.reports import Notice, Problem, Status
from tests.core.driver import Driver, at


def say(driver: Driver, *said: Status | Problem) -> list[str]:
    notice = Notice(
        "ocpp.variables.event",
        {"events": []},
        statuses=[one for one in said if isinstance(one, Status)],
        problems=[one for one in said if isinstance(one, Problem)],
    )
    return driver.say(notice).types


def status(evse_id: int, connector_id: int, word: str) -> Status:
    return Status(evse_id, connector_id, word, at())


def error(code: str | None, info: str | None = None) -> dict[str, Any]:
    return {"code": code, "vendor_code": None, "info": info}


def test_a_status_goes_into_the_state_without_an_event_of_its_own() -> None:
    driver = Driver("2.1")
    assert say(driver, status(1, 2, "occupied"), status(0, 0, "unavailable")) == ["variables.event"]
    assert (driver.state(1, 2)["status"], driver.state(1, 2)["plugged"]) == ("occupied", True)
    assert (driver.snapshot()["status"], driver.snapshot()["enabled"]) == ("unavailable", False)


def test_a_problem_is_shown_and_leaves_the_status() -> None:
    driver = Driver("2.1")
    say(driver, status(1, 1, "available"), Problem(1, 1, True, "E7", "hot"))
    assert (driver.state()["status"], driver.state()["error"]) == ("available", error("E7", "hot"))
    say(driver, Problem(1, 1, False))
    assert (driver.state()["status"], driver.state()["error"]) == ("available", None)


@pytest.mark.parametrize("problem_first", [True, False])
def test_a_problem_and_its_fault_may_come_in_any_order(problem_first: bool) -> None:
    driver = Driver("2.0.1")
    problem, fault = Problem(1, 1, True, "E7"), status(1, 1, "faulted")
    for said in (problem, fault) if problem_first else (fault, problem):
        say(driver, said)
    assert (driver.state()["status"], driver.state()["error"]) == ("faulted", error("E7"))
    assert driver.say(fault).data["error"] == error("E7")
    say(driver, Problem(1, 1, False))
    assert driver.state()["error"] == error(None)
    say(driver, status(1, 1, "available"))
    assert driver.state()["error"] is None


def test_a_problem_of_the_charger_is_the_charger_s() -> None:
    driver = Driver("2.0.1")
    say(driver, Problem(0, 0, True, "E1"))
    assert driver.snapshot()["error"] == error("E1")
    driver.say(status(0, 0, "faulted"))
    assert driver.snapshot()["error"] == error("E1")
    say(driver, Problem(0, 0, False))
    assert driver.snapshot()["error"] == error(None)
    driver.say(status(0, 0, "available"))
    assert driver.snapshot()["error"] is None


def test_an_evse_stands_for_its_only_connector() -> None:
    driver = Driver("2.1")
    say(driver, status(3, 0, "occupied"))
    assert driver.state(3, 1)["status"] == "occupied"
    say(driver, status(2, 2, "available"))
    say(driver, status(2, 0, "reserved"))
    assert driver.state(2, 2)["status"] == "reserved"


def test_of_an_evse_s_connectors_only_a_fault_or_an_outage_is_said_of_all() -> None:
    driver = Driver("2.1")
    say(driver, status(1, 1, "available"), status(1, 2, "available"))
    say(driver, status(1, 0, "occupied"))
    assert [driver.state(1, n)["status"] for n in (1, 2)] == ["available", "available"]
    say(driver, status(1, 0, "unavailable"), Problem(1, 0, True, "E2"))
    assert [driver.state(1, n)["status"] for n in (1, 2)] == ["unavailable", "unavailable"]
    assert [driver.state(1, n)["error"] for n in (1, 2)] == [error("E2"), error("E2")]


def test_1_6_names_its_error_with_every_status() -> None:
    driver = Driver("1.6")
    driver.say(Status(1, 1, "faulted", at(), error_code="GroundFailure"))
    driver.say(Status(1, 1, "faulted", at(), error_code="OverVoltage", vendor_error_code="V9"))
    assert driver.state()["error"] == {"code": "OverVoltage", "vendor_code": "V9", "info": None}
    driver.say(Status(1, 1, "charging", at()))
    assert driver.state()["error"] is None

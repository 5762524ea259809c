"""Reports that come in parts: put together whatever the order, kept over a change of nodes, given up in the end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import assembly
from gateway.core.reports import Notice, Part
from tests.core.driver import Driver

TYPE = "ocpp.variables.reported"


def part(items: list[Any], number: int | None, *, last: bool = False, request_id: int | None = 7) -> Notice:
    data = {"request_id": request_id, "variables": items, "sequence_number": number, "to_be_continued": not last}
    return Notice(TYPE, data, part=Part("variables", request_id, last, number))


def told(driver: Driver, notice: Notice) -> tuple[list[Any], bool]:
    data = driver.say(notice).data
    return data["variables"], data["complete"]


def parts_stored(driver: Driver) -> set[str]:
    return {name for name, value in driver.fields.items() if name.startswith("part/") and value}


@pytest.mark.parametrize("number", [0, None])
def test_a_report_in_one_part_is_whole_at_once(number: int | None) -> None:
    driver = Driver("2.0.1")
    assert told(driver, part(["a"], number, last=True)) == (["a"], True)
    assert driver.twin.unfinished_reports() == []
    assert parts_stored(driver) == set()


@pytest.mark.parametrize("first", [0, None])
def test_the_last_part_brings_the_whole(first: int | None) -> None:
    driver = Driver("2.0.1")
    numbers = [None if first is None else first + place for place in range(3)]
    assert told(driver, part(["a", "b"], numbers[0])) == (["a", "b"], False)
    assert told(driver, part(["c"], numbers[1])) == (["c"], False)
    assert driver.twin.unfinished_reports() == [f"{TYPE}/7"]
    assert told(driver, part(["d"], numbers[2], last=True)) == (["a", "b", "c", "d"], True)
    assert driver.twin.unfinished_reports() == []
    assert parts_stored(driver) == set()


@given(order=st.permutations(range(5)), repeats=st.lists(st.integers(0, 4)))
def test_parts_may_come_in_any_order_and_more_than_once(order: list[int], repeats: list[int]) -> None:
    driver = Driver("2.0.1")
    outcomes = []
    for place, number in enumerate(order):
        outcomes.append(told(driver, part([number], number, last=number == 4)))
        for again in repeats:
            if again in order[: place + 1] and place < 4:
                assert told(driver, part([again], again, last=again == 4)) == ([again], False)
    assert outcomes[:-1] == [([number], False) for number in order[:-1]]
    assert outcomes[-1] == ([0, 1, 2, 3, 4], True)


@pytest.mark.parametrize("count", [1, 3])
def test_without_its_first_part_a_report_is_not_whole_until_that_comes(count: int) -> None:
    driver = Driver("2.0.1")
    for number in range(1, count + 1):
        assert told(driver, part([number], number, last=number == count)) == ([number], False)
    assert told(driver, part([0], 0)) == ([*range(count + 1)], True)
    assert driver.twin.unfinished_reports() == []


@pytest.mark.parametrize("count", [1, 3])
def test_parts_that_are_counted_from_one_are_whole_where_no_part_0_comes(count: int) -> None:
    driver = Driver("2.0.1")
    for number in range(1, count + 1):
        assert driver.twin.reports_from_one() == []
        told(driver, part([number], number, last=number == count))
    assert driver.twin.reports_from_one() == [f"{TYPE}/7"]
    driver.restart()
    outcome = driver.commit(driver.twin.end_report(driver.now, f"{TYPE}/7"))
    whole = {"request_id": 7, "variables": [*range(1, count + 1)], "to_be_continued": False, "complete": True}
    assert [(event.type, event.data) for event in outcome.events] == [(TYPE, whole)]
    assert (driver.twin.unfinished_reports(), parts_stored(driver)) == ([], set())
    assert driver.twin.end_report(driver.now, f"{TYPE}/7").events == []


@pytest.mark.parametrize("numbers", [[0, 2], [1, 3], [2, 3], [0, 1], [-1, 1]])
def test_a_report_with_a_hole_is_not_counted_from_one(numbers: list[int]) -> None:
    driver = Driver("2.0.1")
    for number in numbers:
        told(driver, part([number], number, last=number == 3))
    assert driver.twin.reports_from_one() == []
    assert driver.twin.end_report(driver.now, f"{TYPE}/7").events == []
    assert driver.twin.unfinished_reports() == [f"{TYPE}/7"]


def test_reports_of_other_requests_and_types_are_kept_apart() -> None:
    driver = Driver("2.0.1")
    told(driver, part(["a"], 0))
    told(driver, part(["x"], 0, request_id=8))
    other = Notice("ocpp.charging.profiles", {"profiles": ["p"]}, part=Part("profiles", 7, last=True, sequence=0))
    driver.say(other)
    assert told(driver, part(["b"], 1, last=True)) == (["a", "b"], True)
    assert told(driver, part(["y"], 1, last=True, request_id=8)) == (["x", "y"], True)


def test_another_report_under_the_same_id_begins_anew() -> None:
    driver = Driver("2.0.1")
    told(driver, part(["old"], 0))
    told(driver, part(["older"], 1))
    assert told(driver, part(["new"], 0)) == (["new"], False)
    assert told(driver, part(["end"], 1, last=True)) == (["new", "end"], True)


def test_another_node_goes_on_with_what_came_before() -> None:
    driver = Driver("2.0.1")
    told(driver, part(["a"], 0))
    told(driver, part(["b"], 1))
    driver.restart()
    assert driver.twin.unfinished_reports() == [f"{TYPE}/7"]
    assert told(driver, part(["c"], 2, last=True)) == (["a", "b", "c"], True)
    driver.restart()
    assert driver.twin.unfinished_reports() == []


def test_a_change_that_was_not_stored_leaves_nothing_behind() -> None:
    driver = Driver("2.0.1")
    driver.twin.handle(part(["a"], 0), now=driver.now, redis_now=driver.now)
    assert driver.twin.unfinished_reports() == []


def test_a_report_that_stays_incomplete_is_told_as_far_as_it_came() -> None:
    driver = Driver("2.0.1")
    told(driver, part(["a"], 0))
    told(driver, part(["c"], 2, last=True))
    outcome = driver.commit(driver.twin.give_up_report(driver.now, f"{TYPE}/7"))
    assert [event.type for event in outcome.events] == [TYPE]
    assert outcome.data == {
        "request_id": 7,
        "variables": ["a", "c"],
        "to_be_continued": False,
        "complete": False,
    }
    assert driver.twin.unfinished_reports() == []
    assert parts_stored(driver) == set()
    assert driver.twin.give_up_report(driver.now, f"{TYPE}/7").events == []


def test_a_report_without_a_request_is_given_up_without_one() -> None:
    driver = Driver("2.0.1")
    told(driver, part(["a"], 0, request_id=None))
    (name,) = driver.twin.unfinished_reports()
    assert driver.commit(driver.twin.give_up_report(driver.now, name)).data["request_id"] is None


@pytest.mark.parametrize("number", [-1, 2**62])
def test_a_number_that_no_part_has_costs_nothing(number: int) -> None:
    driver = Driver("2.0.1")
    assert told(driver, part(["a"], number, last=True)) == (["a"], False)
    assert told(driver, part(["b"], 0)) == (["b"], False)


def test_the_oldest_of_too_many_reports_is_forgotten() -> None:
    driver = Driver("2.0.1")
    for request_id in range(assembly.MAX_REPORTS + 2):
        told(driver, part(["a"], 0, request_id=request_id))
    names = [f"{TYPE}/{request_id}" for request_id in range(2, assembly.MAX_REPORTS + 2)]
    assert driver.twin.unfinished_reports() == names


def test_a_report_beyond_bounds_stays_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "MAX_BYTES", 20)
    driver = Driver("2.0.1")
    assert told(driver, part(["x" * 10], 0)) == (["x" * 10], False)
    assert told(driver, part(["y" * 10], 1)) == (["y" * 10], False)
    assert told(driver, part(["z"], 2, last=True)) == (["z"], False)


def test_a_report_of_too_many_parts_stays_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "MAX_PARTS", 3)
    driver = Driver("2.0.1")
    assert [told(driver, part([number], number))[1] for number in range(5)] == [False] * 5
    assert len(parts_stored(driver)) == 3
    assert told(driver, part([5], 5, last=True)) == ([5], False)


def test_pieces_of_a_text_are_joined() -> None:
    driver = Driver("2.0.1")

    def piece(text: str, number: int, last: bool) -> str | None:
        notice = Notice("ocpp.customer.information", {"pieces": [text], "data": None})
        notice.part = Part("pieces", 1, last, number, text="data")
        joined: str | None = driver.say(notice).data["data"]
        return joined

    assert piece("Jane ", 0, False) is None
    assert piece("Doe", 1, True) == "Jane Doe"
    assert piece("alone", 0, True) == "alone"

"""What the latest messages of a transaction said: kept short, and found again by their numbers."""

import pytest

from gateway.core.prints import MAX_PRINTS, Prints, known_print, no_prints, print_of, with_print
from gateway.core.reports import Sample, Transaction


def one(number: int) -> str:
    return f"{number % 2**32:08x}"


def of(*numbers: int) -> Prints:
    """The prints of messages that came in this order."""
    prints = no_prints()
    for number in numbers:
        prints = with_print(prints, number, one(number))
    return prints


def known(prints: Prints, *, up_to: int = 300) -> list[int]:
    """The numbers of the messages whose print is known, each its own."""
    found = [number for number in range(-2, up_to) if known_print(prints, number) is not None]
    assert [known_print(prints, number) for number in found] == [one(number) for number in found]
    return found


def test_no_message_is_known_before_the_first() -> None:
    assert known(no_prints()) == []


def test_messages_in_order_are_known_up_to_the_limit() -> None:
    assert known(of(*range(MAX_PRINTS))) == [*range(MAX_PRINTS)]
    assert known(of(*range(5, MAX_PRINTS + 8))) == [*range(8, MAX_PRINTS + 8)]


@pytest.mark.parametrize("order", [(3, 4, 7, 5), (7, 3, 5, 4), (5, 3, 4, 7), (4, 7, 3, 5)])
def test_messages_out_of_order_are_known_and_missing_ones_are_not(order: tuple[int, ...]) -> None:
    assert known(of(*order)) == [3, 4, 5, 7]


def test_a_gap_costs_no_more_than_the_limit() -> None:
    assert known(of(0, 1, 60, 80)) == [60, 80]
    far = of(0, 1, 2**62)
    assert far["said"] == one(2**62)
    assert known_print(far, 2**62) == one(2**62)


def test_one_that_comes_long_after_its_time_takes_no_other_ones_place() -> None:
    prints = of(*range(100, 100 + MAX_PRINTS))
    assert with_print(prints, 99, one(99)) == prints


def test_a_number_that_comes_again_is_known_by_what_was_said_last() -> None:
    assert known_print(with_print(of(1, 2, 3), 2, "cafecafe"), 2) == "cafecafe"


def sample(value: float | str) -> Sample:
    return {
        "measurand": "Voltage",
        "value": value,
        "unit": "V",
        "phase": None,
        "location": None,
        "context": None,
        "timestamp": None,
    }


def test_a_print_tells_messages_apart_by_what_they_say_and_not_by_how_they_were_kept() -> None:
    said = [
        Transaction("updated", "2026-01-01T00:00:00.000Z", samples=[sample(230)]),
        Transaction("updated", "2026-01-01T00:00:00.000Z", samples=[sample(231)]),
        Transaction("updated", "2026-01-01T00:00:00.000Z", samples=[sample("\ud800")]),
        Transaction("ended", "2026-01-01T00:00:00.000Z", samples=[sample(230)]),
        Transaction("updated", None, samples=[sample(230)]),
    ]
    assert len({print_of(report) for report in said}) == len(said)
    again = Transaction("updated", "2026-01-01T00:00:00.000Z", samples=[sample(230)], offline=True)
    assert print_of(again) == print_of(said[0])

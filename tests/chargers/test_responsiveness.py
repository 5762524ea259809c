"""A charger that speaks but does not answer."""

from gateway.chargers.responsiveness import UNANSWERED, Responsiveness


def test_the_third_unanswered_call_in_a_row_tells_once() -> None:
    known = Responsiveness()
    known.heard()
    assert [known.timed_out() for _ in range(UNANSWERED + 2)] == [False, False, True, False, False]
    assert (known.unresponsive, known.unanswered) == (True, UNANSWERED + 2)


def test_an_answer_begins_the_count_anew() -> None:
    known = Responsiveness()
    known.heard()
    known.timed_out()
    known.timed_out()
    assert not known.answered()
    known.heard()
    assert [known.timed_out() for _ in range(UNANSWERED)] == [False, False, True]
    assert known.answered()
    assert (known.unresponsive, known.unanswered) == (False, 0)


def test_one_that_is_silent_altogether_counts_once_it_speaks() -> None:
    known = Responsiveness()
    assert not any(known.timed_out() for _ in range(UNANSWERED + 1))
    known.heard()
    assert known.timed_out()

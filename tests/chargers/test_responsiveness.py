"""A charger that speaks but does not answer."""

from gateway.chargers.responsiveness import UNANSWERED, Responsiveness
from gateway.core.identity import ChargerId
from gateway.ocpp.session_events import CallAnswered, CallExpired, CallFailed, CallLost, CallTimedOut

ANSWERED = CallAnswered(None, {}, "{}", [])
REFUSED = CallFailed(None, "GenericError", "generic_error", "", {})
TIMED_OUT = CallTimedOut(None)


def new(*, heard: bool = True) -> Responsiveness:
    known = Responsiveness(ChargerId("CP-1"))
    if heard:
        known.heard()
    return known


def test_the_third_unanswered_call_in_a_row_tells_once() -> None:
    known = new()
    assert [known.ended(TIMED_OUT) for _ in range(UNANSWERED + 2)] == [False, False, True, False, False]
    assert (known.unresponsive, known.unanswered) == (True, UNANSWERED + 2)


def test_an_answer_begins_the_count_anew_even_if_it_is_an_error() -> None:
    known = new()
    known.ended(TIMED_OUT)
    known.ended(TIMED_OUT)
    assert not known.ended(REFUSED)
    known.heard()
    assert [known.ended(TIMED_OUT) for _ in range(UNANSWERED)] == [False, False, True]
    assert known.ended(ANSWERED)
    assert (known.unresponsive, known.unanswered) == (False, 0)


def test_what_was_not_sent_counts_for_nothing() -> None:
    known = new()
    assert not any(known.ended(end) for end in [CallExpired(None), CallLost(None, sent=False)] * UNANSWERED)
    assert known.unanswered == 0


def test_one_that_is_silent_altogether_counts_once_it_speaks() -> None:
    known = new(heard=False)
    assert not any(known.ended(TIMED_OUT) for _ in range(UNANSWERED + 1))
    known.heard()
    assert known.ended(TIMED_OUT)

"""The gateway's own answers."""

import pytest

from gateway.core.identity import ChargerId
from gateway.core.reports import Boot, Token
from gateway.core.responder import AuthorizeQuestion, LocalResponder, spread_interval


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (Token("ABC"), "accepted"),
        (Token(""), "invalid"),
        (Token("  "), "invalid"),
        (Token("", "NoAuthorization"), "accepted"),
    ],
)
async def test_a_fresh_install_accepts_any_token_that_there_is(token: Token, status: str) -> None:
    responder = LocalResponder(heartbeat_interval=60)
    answer = await responder.authorize(AuthorizeQuestion(ChargerId("CP1"), token, 1, "presented"))
    assert (answer.status, answer.decided_by) == (status, "local")


async def test_a_fresh_install_accepts_any_charger() -> None:
    answer = await LocalResponder(heartbeat_interval=60).boot(ChargerId("CP1"), Boot(None, None))
    assert (answer.status, answer.interval) == ("accepted", 60)


async def test_heartbeats_of_a_fleet_are_spread_and_each_chargers_own_stays_the_same() -> None:
    fleet = [ChargerId(f"CP-{number}") for number in range(2000)]
    intervals = [spread_interval(charger, 300, 0.1) for charger in fleet]
    assert set(intervals) == set(range(270, 301))
    assert max(intervals.count(seconds) for seconds in range(270, 301)) < 2000 / 31 * 2
    responder = LocalResponder(heartbeat_interval=300, spread=0.1)
    assert [(await responder.boot(charger, Boot(None, None))).interval for charger in fleet] == intervals


@pytest.mark.parametrize(("seconds", "spread"), [(1, 0.9), (300, 0.0), (2, 0.5), (86400, 0.1)])
def test_a_spread_interval_stays_in_its_band(seconds: int, spread: float) -> None:
    told = {spread_interval(ChargerId(f"CP-{number}"), seconds, spread) for number in range(500)}
    assert max(1, seconds - seconds * spread) <= min(told) <= max(told) <= seconds

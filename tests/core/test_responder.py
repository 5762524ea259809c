"""The gateway's own answers."""

import pytest

from gateway.core.identity import ChargerId
from gateway.core.reports import Boot, Token
from gateway.core.responder import AuthorizeQuestion, LocalResponder


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

"""What is said of tokens, in Authorize.conf and StartTransaction.conf; the list is the operator's (/v1/tokens)."""

from typing import Any

import pytest

from tests.compliance.ocpp16.charge_point import at
from tests.compliance.ocpp16.lab import Lab

CASES: dict[str, tuple[dict[str, Any] | None, str]] = {
    # case → (the list's entry, None: not on it; the status of OCPP 1.6)
    "TC_003 accepted": ({}, "Accepted"),
    "TC_023_1 invalid: not on the list": (None, "Invalid"),
    "TC_023_1 invalid": ({"status": "invalid"}, "Invalid"),
    "TC_023_2 expired": ({"status": "expired"}, "Expired"),
    "TC_023_2 expired: its time is over": ({"expires_at": "2026-01-01T00:00:00Z"}, "Expired"),
    "TC_023_3 blocked": ({"status": "blocked"}, "Blocked"),
    "TC_025 concurrent transaction": ({"status": "concurrent_tx"}, "ConcurrentTx"),
    "of another charge point": ({"chargers": ["ELSEWHERE-*"]}, "Invalid"),
    "a status of OCPP 2.x is Invalid in 1.6": ({"status": "no_credit"}, "Invalid"),
}


@pytest.mark.parametrize(("entry", "status"), CASES.values(), ids=CASES)
async def test_the_same_is_said_when_a_token_is_shown_and_when_it_starts(
    entry: dict[str, Any] | None, status: str, lab: Lab
) -> None:
    token = lab.name("N")[:20] if entry is None else await lab.token(**entry)
    async with lab.charge_point() as point:
        assert (await point.authorize(token))["status"] == status
        number, info = await point.start(token)
        # Section 4.8: the transaction is there, whatever is said of the token, and has a number.
        assert (number > 0, info["status"]) == (True, status)
        if status != "Accepted":
            assert await point.stop(number, reason="DeAuthorized") is None


async def test_tokens_compare_without_case(lab: Lab) -> None:
    """Section 3.10 (edition 2): an IdToken is a CiString."""
    token = await lab.token()
    async with lab.charge_point() as point:
        assert (await point.authorize(token.lower()))["status"] == "Accepted"


async def test_expiry_and_parent_are_told(lab: Lab) -> None:
    token = await lab.token(expires_at="2099-12-31T23:00:00Z", group="FLEET")
    async with lab.charge_point() as point:
        told = {"status": "Accepted", "expiryDate": "2099-12-31T23:00:00.000Z", "parentIdTag": "FLEET"}
        assert await point.authorize(token) == told
        number, info = await point.start(token)
        assert info == told
        assert await point.stop(number, token, reason="Local") == told


async def test_who_stops_with_a_bad_token_has_stopped_all_the_same(lab: Lab) -> None:
    """Section 4.10: the central system cannot prevent a transaction from stopping."""
    mine, blocked = await lab.token(), await lab.token(status="blocked")
    async with lab.charge_point() as point:
        number = await point.charging(mine)
        assert await point.stop(number, blocked, reason="Local", timestamp=at()) == {"status": "Blocked"}
        (record,) = await lab.transactions(point)
        assert record["status"] == "ended"

"""How OCPP 1.6 calls are answered; that replies are valid at all is shown in test_profiles."""

from typing import Any

import pytest

from gateway.core.reports import BootDecision, TokenDecision, Verdict
from gateway.ocpp.v16.profile import PROFILE

NOW = "2026-11-21T08:00:00.000Z"


def reply(action: str, **decided: Any) -> dict[str, Any]:
    return PROFILE.inbound[action].reply(Verdict(NOW, **decided))


def test_boot() -> None:
    assert reply("BootNotification", boot=BootDecision("pending", 30)) == {
        "status": "Pending",
        "currentTime": NOW,
        "interval": 30,
    }


def test_start_bears_the_transaction_id() -> None:
    token = TokenDecision("accepted", expires_at=NOW, group="fleet")
    assert reply("StartTransaction", token=token, transaction_id=77) == {
        "transactionId": 77,
        "idTagInfo": {"status": "Accepted", "expiryDate": NOW, "parentIdTag": "fleet"},
    }


def test_stop_speaks_of_the_token_only_where_one_was_decided() -> None:
    assert reply("StopTransaction") == {}
    assert reply("StopTransaction", token=TokenDecision("blocked")) == {"idTagInfo": {"status": "Blocked"}}


@pytest.mark.parametrize(
    ("decided", "told"),
    [
        ("accepted", "Accepted"),
        ("blocked", "Blocked"),
        ("expired", "Expired"),
        ("concurrent_tx", "ConcurrentTx"),
        ("invalid", "Invalid"),
        ("no_credit", "Invalid"),
        ("unknown", "Invalid"),
        ("not_at_this_time", "Invalid"),
    ],
)
def test_statuses_that_1_6_does_not_know_are_invalid(decided: str, told: str) -> None:
    assert reply("Authorize", token=TokenDecision(decided)) == {"idTagInfo": {"status": told}}


def test_nobody_decided_means_no() -> None:
    assert reply("Authorize") == {"idTagInfo": {"status": "Invalid"}}
    assert reply("BootNotification")["status"] == "Rejected"

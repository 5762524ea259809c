"""How OCPP 1.6 calls are answered; that replies are valid at all is shown in test_profiles."""

from typing import Any

import pytest

from gateway.core.answers import DataTransferAnswer, SignCertificateAnswer
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


@pytest.mark.parametrize(
    ("data", "told"), [("plain", "plain"), ({"a": [1, None]}, '{"a":[1,null]}'), (5, "5"), (False, "false"), ("", "")]
)
def test_data_that_are_no_text_go_as_json(data: object, told: str) -> None:
    answer = DataTransferAnswer(status="accepted", data=data)
    assert reply("DataTransfer", answer=answer) == {"status": "Accepted", "data": told}


def test_answers_that_business_systems_give() -> None:
    assert reply("DataTransfer") == {"status": "UnknownVendorId"}
    assert reply("DataTransfer", answer=DataTransferAnswer(status="rejected")) == {"status": "Rejected"}
    assert reply("SignCertificate") == {"status": "Rejected"}
    assert reply("SignCertificate", answer=SignCertificateAnswer(status="accepted")) == {"status": "Accepted"}


def test_an_expiry_that_is_no_time_and_a_group_that_is_too_long_are_left_out() -> None:
    token = TokenDecision("accepted", expires_at="soon", group="g" * 21)
    assert reply("Authorize", token=token) == {"idTagInfo": {"status": "Accepted"}}
    token = TokenDecision("accepted", expires_at="2026-11-21T09:00:00+01:00")
    assert reply("Authorize", token=token)["idTagInfo"]["expiryDate"] == NOW

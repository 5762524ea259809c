"""How OCPP 2.0.1 calls are answered; that replies are valid at all is shown in test_profiles."""

from typing import Any

from gateway.core.reports import BootDecision, TokenDecision, Verdict
from gateway.ocpp.v201.profile import PROFILE

NOW = "2026-11-21T08:00:00.000Z"


def reply(action: str, **decided: Any) -> dict[str, Any]:
    return PROFILE.inbound[action].reply(Verdict(NOW, **decided))


def test_boot() -> None:
    decided = BootDecision("accepted", 300)
    assert reply("BootNotification", boot=decided) == {"currentTime": NOW, "interval": 300, "status": "Accepted"}


def test_a_transaction_event_speaks_of_the_token_only_where_one_was_decided() -> None:
    assert reply("TransactionEvent") == {}
    assert reply("TransactionEvent", token=TokenDecision("not_allowed_type_evse")) == {
        "idTokenInfo": {"status": "NotAllowedTypeEVSE"}
    }


def test_group_and_expiry_are_told() -> None:
    assert reply("Authorize", token=TokenDecision("accepted", expires_at=NOW, group="fleet")) == {
        "idTokenInfo": {
            "status": "Accepted",
            "cacheExpiryDateTime": NOW,
            "groupIdToken": {"idToken": "fleet", "type": "Central"},
        }
    }


def test_nobody_decided_means_no() -> None:
    assert reply("Authorize") == {"idTokenInfo": {"status": "Invalid"}}
    assert reply("SignCertificate") == {"status": "Rejected"}
    assert reply("DataTransfer") == {"status": "UnknownVendorId"}

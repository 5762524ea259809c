"""How OCPP 2.0.1 calls are answered; that replies are valid at all is shown in test_profiles."""

from typing import Any

import pytest

from gateway.core.answers import (
    AcceptAnswer,
    Answer,
    CertificateStatusAnswer,
    ChargingNeedsAnswer,
    DataTransferAnswer,
    EvCertificateAnswer,
    SignCertificateAnswer,
)
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


def test_a_token_s_terms_are_told() -> None:
    decided = TokenDecision(
        "accepted",
        evse_ids=(2, 1, -1),
        charging_priority=0,
        personal_message="é" * 600,
        expires_at="soon",
        group="g" * 37,
    )
    assert reply("TransactionEvent", token=decided)["idTokenInfo"] == {
        "status": "Accepted",
        "evseId": [2, 1],
        "chargingPriority": 0,
        "personalMessage": {"format": "UTF8", "content": "é" * 512},
    }


@pytest.mark.parametrize(
    ("presented", "decided", "told"),
    [
        ({}, TokenDecision("accepted"), None),
        ({"certificate": "PEM"}, TokenDecision("accepted"), "Accepted"),
        ({"iso15118CertificateHashData": [{}]}, TokenDecision("accepted"), "Accepted"),
        ({"certificate": "PEM"}, TokenDecision("blocked"), "NoCertificateAvailable"),
        ({"certificate": "PEM"}, None, "NoCertificateAvailable"),
        (
            {"certificate": "PEM"},
            TokenDecision("invalid", certificate_status="certificate_revoked"),
            "CertificateRevoked",
        ),
    ],
)
def test_a_certificate_is_judged_where_one_was_presented(
    presented: dict[str, Any], decided: TokenDecision | None, told: str | None
) -> None:
    assert reply("Authorize", token=decided, request=presented).get("certificateStatus") == told


@pytest.mark.parametrize(
    ("action", "answer", "told"),
    [
        ("DataTransfer", DataTransferAnswer(status="accepted"), {"status": "Accepted"}),
        ("DataTransfer", DataTransferAnswer(status="unknown_message_id", data={"a": [1]}),
         {"status": "UnknownMessageId", "data": {"a": [1]}}),
        ("SignCertificate", SignCertificateAnswer(status="accepted", certificate_chain="PEM"), {"status": "Accepted"}),
        ("SignCertificate", SignCertificateAnswer(status="rejected"), {"status": "Rejected"}),
        ("Get15118EVCertificate", None, {"status": "Failed", "exiResponse": ""}),
        ("Get15118EVCertificate", EvCertificateAnswer(status="accepted", exi_response="EXI", remaining_contracts=1),
         {"status": "Accepted", "exiResponse": "EXI"}),
        ("Get15118EVCertificate", EvCertificateAnswer(status="failed", exi_response="EXI"),
         {"status": "Failed", "exiResponse": "EXI"}),
        ("Get15118EVCertificate", EvCertificateAnswer(status="accepted", exi_response="E" * 7501),
         {"status": "Failed", "exiResponse": ""}),
        ("GetCertificateStatus", None, {"status": "Failed"}),
        ("GetCertificateStatus", CertificateStatusAnswer(status="accepted", ocsp_result="OK"),
         {"status": "Accepted", "ocspResult": "OK"}),
        ("GetCertificateStatus", CertificateStatusAnswer(status="accepted", ocsp_result="O" * 5501),
         {"status": "Failed"}),
        ("NotifyEVChargingNeeds", None, {"status": "Rejected"}),
        ("NotifyEVChargingNeeds", ChargingNeedsAnswer(status="processing"), {"status": "Processing"}),
        ("NotifyEVChargingNeeds", ChargingNeedsAnswer(status="no_charging_profile"), {"status": "Rejected"}),
        ("NotifyEVChargingSchedule", None, {"status": "Accepted"}),
        ("NotifyEVChargingSchedule", AcceptAnswer(status="rejected"), {"status": "Rejected"}),
        ("NotifyEVChargingSchedule", DataTransferAnswer(status="accepted"), {"status": "Accepted"}),
    ],
)  # fmt: skip
def test_a_reply_follows_what_was_answered(action: str, answer: Answer | None, told: dict[str, Any]) -> None:
    assert reply(action, answer=answer) == told

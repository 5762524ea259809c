"""Replies that OCPP 2.1 has beyond 2.0.1's, or in which it has more room."""

from typing import Any

import pytest

from gateway.core.answers import (
    AcceptAnswer,
    Answer,
    CertificateChainStatusAnswer,
    CertificateInChain,
    ChargingNeedsAnswer,
    DynamicScheduleAnswer,
    EvCertificateAnswer,
    SettlementAnswer,
    VatAnswer,
)
from gateway.core.reports import TokenDecision, Verdict
from gateway.ocpp.v21.profile import PROFILE

NOW = "2026-11-21T08:00:00.000Z"
HASH = {"hashAlgorithm": "SHA512", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}
NO_HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "", "issuerKeyHash": "", "serialNumber": ""}
ADDRESS = {"name": "Example", "address1": "Street 1", "city": "Berlin", "country": "DE"}


def reply(action: str, **decided: Any) -> dict[str, Any]:
    return PROFILE.inbound[action].reply(Verdict(NOW, **decided))


def test_a_group_may_be_longer_than_in_2_0_1() -> None:
    told = reply("Authorize", token=TokenDecision("accepted", group="g" * 255))
    assert told["idTokenInfo"]["groupIdToken"]["idToken"] == "g" * 255
    assert "groupIdToken" not in reply("Authorize", token=TokenDecision("accepted", group="g" * 256))["idTokenInfo"]


@pytest.mark.parametrize(
    ("action", "answer", "told"),
    [
        ("Get15118EVCertificate", EvCertificateAnswer(status="accepted", exi_response="EXI", remaining_contracts=2),
         {"status": "Accepted", "exiResponse": "EXI", "remainingContracts": 2}),
        ("NotifyEVChargingNeeds", None, {"status": "NoChargingProfile"}),
        ("NotifyEVChargingNeeds", ChargingNeedsAnswer(status="rejected"), {"status": "Rejected"}),
        ("OpenPeriodicEventStream", None, {"status": "Accepted"}),
        ("OpenPeriodicEventStream", AcceptAnswer(status="rejected"), {"status": "Rejected"}),
        ("PullDynamicScheduleUpdate", None, {"status": "Rejected"}),
        ("PullDynamicScheduleUpdate", DynamicScheduleAnswer(status="accepted"), {"status": "Rejected"}),
        ("PullDynamicScheduleUpdate", DynamicScheduleAnswer(status="accepted", limit=0, discharge_limit=-10.5),
         {"status": "Accepted", "scheduleUpdate": {"limit": 0, "dischargeLimit": -10.5}}),
        ("NotifySettlement", None, {}),
        ("NotifySettlement", SettlementAnswer(receipt_id="R"), {"receiptId": "R"}),
    ],
)  # fmt: skip
def test_a_reply_follows_what_was_answered(action: str, answer: Answer | None, told: dict[str, Any]) -> None:
    assert reply(action, answer=answer) == told


def chain(answer: Answer | None, *asked: Any) -> list[dict[str, Any]]:
    told = reply("GetCertificateChainStatus", answer=answer, request={"certificateStatusRequests": [*asked]})
    found: list[dict[str, Any]] = told["certificateStatus"]
    return found


def test_each_certificate_of_a_chain_gets_its_status() -> None:
    answer = CertificateChainStatusAnswer(
        certificates=[CertificateInChain(status="revoked", source="crl", next_update="2026-12-01T01:00:00+01:00")]
    )
    first = {"certificateHashData": HASH, "source": "CRL", "urls": ["u"]}
    second = {"certificateHashData": {**HASH, "serialNumber": "d"}, "source": "CRL", "urls": ["u"]}
    failed = {"source": "CRL", "status": "Failed", "nextUpdate": NOW}
    assert chain(answer, first, second) == [
        {
            "certificateHashData": HASH,
            "source": "CRL",
            "status": "Revoked",
            "nextUpdate": "2026-12-01T00:00:00.000Z",
        },
        {"certificateHashData": {**HASH, "serialNumber": "d"}, **failed},
    ]
    assert len(chain(None, *[first] * 5)) == 4


@pytest.mark.parametrize("asked", [[], ["junk"], [{}], [{"certificateHashData": [HASH]}]])
def test_who_asks_of_no_certificate_is_told_of_none(asked: list[Any]) -> None:
    failed = {"source": "OCSP", "status": "Failed", "nextUpdate": NOW}
    assert chain(None, *asked) == [{"certificateHashData": NO_HASH, **failed}]


@pytest.mark.parametrize(
    ("request_", "answer", "told"),
    [
        ({"vatNumber": "DE1", "evseId": 1}, None, {"vatNumber": "DE1", "evseId": 1, "status": "Rejected"}),
        ({"vatNumber": "D" * 30, "evseId": -1}, None, {"vatNumber": "D" * 20, "status": "Rejected"}),
        ({"vatNumber": 7, "evseId": "x"}, VatAnswer(status="accepted"), {"vatNumber": "7", "status": "Accepted"}),
        ({"vatNumber": "1"}, VatAnswer(status="accepted", name="Example"), {"vatNumber": "1", "status": "Accepted"}),
        (
            {"vatNumber": "DE1"},
            VatAnswer(status="accepted", **ADDRESS, postal_code="10115"),
            {"vatNumber": "DE1", "status": "Accepted", "company": {**ADDRESS, "postalCode": "10115"}},
        ),
        ({"vatNumber": ["DE1"]}, VatAnswer(status="rejected", **ADDRESS), {"vatNumber": "", "status": "Rejected"}),
    ],
)  # fmt: skip
def test_a_vat_number_is_repeated_with_its_company(
    request_: dict[str, Any], answer: Answer | None, told: dict[str, Any]
) -> None:
    assert reply("VatNumberValidation", answer=answer, request=request_) == told

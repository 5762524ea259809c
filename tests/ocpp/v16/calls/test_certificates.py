"""Certificates as calls of OCPP 1.6's security extension."""

from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandUnsupported
from gateway.ocpp.profile import Call, Station
from gateway.ocpp.v16.profile import PROFILE
from tests.ocpp.dialogue import Desk

DESK = Desk(PROFILE, Station([], next_id=lambda: 9))
HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "ab", "issuerKeyHash": "cd", "serialNumber": "1"}
NEUTRAL = {"hash_algorithm": "sha256", "issuer_name_hash": "ab", "issuer_key_hash": "cd", "serial_number": "1"}


def test_each_type_of_certificate_is_asked_for_and_what_is_found_is_one_list() -> None:
    assert [call.payload["certificateType"] for call in DESK.calls("list_certificates")] == [
        "CentralSystemRootCertificate",
        "ManufacturerRootCertificate",
    ]
    ending = DESK.ended(
        "list_certificates",
        {},
        {"status": "NotFound"},
        {"status": "Accepted", "certificateHashData": [HASH]},
    )
    assert ending.outcome is Outcome.ACCEPTED
    assert ending.result == {
        "status": "accepted",
        "certificates": [{"type": "manufacturer_root", **NEUTRAL, "children": []}],
    }
    nothing = DESK.ended("list_certificates", {"types": ["csms_root"]}, {"status": "NotFound"})
    assert (nothing.outcome, nothing.result) == (Outcome.ACCEPTED, {"status": "not_found", "certificates": []})


def test_what_was_listed_can_be_deleted() -> None:
    assert DESK.calls("delete_certificate", **NEUTRAL) == [Call("DeleteCertificate", {"certificateHashData": HASH})]
    ending = DESK.ended("delete_certificate", NEUTRAL, {"status": "NotFound"})
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "NotFound")


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        (
            "install_certificate",
            {"type": "csms_root", "certificate": "PEM"},
            Call(
                "InstallCertificate",
                {"certificateType": "CentralSystemRootCertificate", "certificate": "PEM"},
            ),
        ),
        (
            "send_certificate",
            {"certificate_chain": "PEM", "type": "charging_station", "request_id": 4},
            Call("CertificateSigned", {"certificateChain": "PEM"}),
        ),
    ],
)
def test_one_call(command: str, arguments: dict[str, Any], call: Call) -> None:
    assert DESK.calls(command, **arguments) == [call]


@pytest.mark.parametrize(
    ("command", "arguments", "told"),
    [
        ("install_certificate", {"type": "v2g_root", "certificate": "PEM"}, r"2\.0\.1, 2\.1"),
        ("list_certificates", {"types": ["oem_root"]}, r"2\.1"),
        ("send_certificate", {"certificate_chain": "PEM", "type": "v2g"}, r"2\.0\.1, 2\.1"),
    ],
)
def test_a_type_that_1_6_has_not_is_unsupported(command: str, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandUnsupported, match=told):
        DESK.calls(command, **arguments)

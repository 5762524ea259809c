"""Block M: the certificates in a station, and those of EVs."""

from typing import Any

import pytest

from tests.compliance.laboratory import ASKING, Laboratory
from tests.compliance.ocpp201.messages import VERSION
from tests.compliance.ocpp201.orders import Order, carry_out, cases
from tests.compliance.station import Payload, holds

ROOT = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
TYPES = {
    "csms_root": "CSMSRootCertificate",
    "manufacturer_root": "ManufacturerRootCertificate",
    "v2g_root": "V2GRootCertificate",
    "mo_root": "MORootCertificate",
}


def _install(case: str, kind: str, reply: str = "Accepted") -> Order:
    sent = {"certificateType": TYPES[kind], "certificate": ROOT}
    outcome = "accepted" if reply == "Accepted" else "rejected"
    arguments = {"type": kind, "certificate": ROOT}
    return Order(case, "install_certificate", arguments, "InstallCertificate", sent, {"status": reply}, outcome)


HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "d2f1", "issuerKeyHash": "a5c3", "serialNumber": "3e8"}
NAMED = {"hash_algorithm": "sha256", "issuer_name_hash": "d2f1", "issuer_key_hash": "a5c3", "serial_number": "3e8"}


def _list(case: str, kinds: list[str], *found: str) -> Order:
    words = {**TYPES, "v2g_chain": "V2GCertificateChain"}
    chains: list[Payload] = [
        {"certificateType": words[kind], "certificateHashData": HASH}
        | ({"childCertificateHashData": [HASH]} if kind == "v2g_chain" else {})
        for kind in found
    ]
    reply: Payload = {"status": "Accepted", "certificateHashDataChain": chains} if found else {"status": "NotFound"}
    sent = {"certificateType": [words[kind] for kind in kinds] or None}
    result: dict[str, Any] = {"certificates": [{"type": kind, **NAMED} for kind in found]}
    return Order(case, "list_certificates", {"types": kinds}, "GetInstalledCertificateIds", sent, reply, result=result)


def _delete(case: str, reply: str) -> Order:
    outcome = "accepted" if reply == "Accepted" else "rejected"
    sent = {"certificateHashData": HASH}
    return Order(case, "delete_certificate", NAMED, "DeleteCertificate", sent, {"status": reply}, outcome)


ORDERS = [
    _install("TC_M_01 install a root of the CSMS", "csms_root"),
    _install("TC_M_02 install a root of the manufacturer", "manufacturer_root"),
    _install("TC_M_03 install a V2G root", "v2g_root"),
    _install("TC_M_04 install a root of a mobility operator", "mo_root"),
    _install("TC_M_05 it fails", "csms_root", "Failed"),
    _install("TC_M_06 it is rejected", "csms_root", "Rejected"),
    _list("TC_M_12 roots of the CSMS", ["csms_root"], "csms_root"),
    _list("TC_M_13 roots of the manufacturer", ["manufacturer_root"], "manufacturer_root"),
    _list("TC_M_14 V2G roots", ["v2g_root"], "v2g_root"),
    _list("TC_M_15 the V2G chain", ["v2g_chain"], "v2g_chain"),
    _list("TC_M_16 roots of mobility operators", ["mo_root"], "mo_root"),
    _list("TC_M_17 two kinds", ["csms_root", "manufacturer_root"], "csms_root", "manufacturer_root"),
    _list("TC_M_18 all", [], "csms_root", "manufacturer_root", "v2g_root", "v2g_chain", "mo_root"),
    _list("TC_M_19 there is none", ["mo_root"]),
    _delete("TC_M_20 deleted", "Accepted"),
    _delete("TC_M_21 it fails", "Failed"),
    _delete("TC_M_22 it is not there", "NotFound"),
]


@cases(ORDERS)
async def test_certificates(order: Order, lab: Laboratory) -> None:
    """Use cases M03, M04 and M05."""
    await carry_out(order, lab, VERSION)


# ---------------------------------------------------------------- what stations ask for EVs

OCSP = HASH | {"responderURL": "http://ocsp.example.com"}
ASKED: dict[str, tuple[str, Payload, str, dict[str, Any], Payload]] = {
    # case → what the station asks, the question, its answer, what the station is told
    "TC_M_24 certificate status": (
        "GetCertificateStatus",
        {"ocspRequestData": OCSP},
        "certificate_status",
        {"status": "accepted", "ocsp_result": "MIIBUgoBAKCCAUs="},
        {"status": "Accepted", "ocspResult": "MIIBUgoBAKCCAUs="},
    ),
    "TC_M_25 certificate status fails": (
        "GetCertificateStatus",
        {"ocspRequestData": OCSP},
        "certificate_status",
        {"status": "failed"},
        {"status": "Failed"},
    ),
    "TC_M_26 certificate of an EV is installed": (
        "Get15118EVCertificate",
        {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "gJgB"},
        "ev_certificate",
        {"status": "accepted", "exi_response": "gJgC"},
        {"status": "Accepted", "exiResponse": "gJgC"},
    ),
    "TC_M_27 certificate of an EV fails": (
        "Get15118EVCertificate",
        {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "gJgB"},
        "ev_certificate",
        {"status": "failed", "exi_response": "gJgC"},
        {"status": "Failed", "exiResponse": "gJgC"},
    ),
    "TC_M_28 certificate of an EV is updated": (
        "Get15118EVCertificate",
        {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Update", "exiRequest": "gJgB"},
        "ev_certificate",
        {"status": "accepted", "exi_response": "gJgC"},
        {"status": "Accepted", "exiResponse": "gJgC"},
    ),
}


@pytest.mark.parametrize("case", ASKED, ids=[case.replace(" ", "-") for case in ASKED])
async def test_a_station_asks_for_an_ev(lab: Laboratory, case: str) -> None:
    """M01.FR.01, M02.FR.01, M06.FR.02 to FR.04: what the back-end of the certificates says is handed on as it is."""
    action, payload, question, answer, told = ASKED[case]
    name = lab.name(ASKING)
    async with lab.business(name, {question: answer}) as business, lab.booted(VERSION, identity=name) as (station, _):
        assert await station.call(action, payload) == told
        assert holds(business.asked, [{"question": question}])
        assert str(payload.get("exiRequest", OCSP["serialNumber"])) in str(business.asked)


@pytest.mark.parametrize("action", ["GetCertificateStatus", "Get15118EVCertificate"])
async def test_without_a_back_end_it_fails(lab: Laboratory, action: str) -> None:
    """M01.FR.02, M06.FR.06."""
    payload = next(asked[1] for asked in ASKED.values() if asked[0] == action)
    async with lab.booted(VERSION) as (station, _):
        assert (await station.call(action, payload))["status"] == "Failed"

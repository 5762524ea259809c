"""Certificates that a charger asks for or asks about (functional blocks A and M)."""

from collections.abc import Mapping
from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import At, integer, mapping, snake_case, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, each, one, read, texts

Payload = dict[str, Any]

CERTIFICATE_HASH: Shape = {
    "hashAlgorithm": ("hash_algorithm", word),
    "issuerNameHash": ("issuer_name_hash", text),
    "issuerKeyHash": ("issuer_key_hash", text),
    "serialNumber": ("serial_number", text),
}
"""CertificateHashDataType."""

_OCSP_REQUEST: Shape = {**CERTIFICATE_HASH, "responderURL": ("responder_url", text)}

read_certificate_hashes = each(_OCSP_REQUEST)
"""Reads a list of OCSPRequestDataType."""

_PURPOSES = {
    # CertificateSigningUseEnumType → its name in the command send_certificate
    "ChargingStationCertificate": "charging_station",
    "V2GCertificate": "v2g",
    "V2G20Certificate": "v2g20",
}


def _purpose(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> str | None:
    found = text(payload, name, notes, at)
    return None if found is None else _PURPOSES.get(found) or snake_case(found)


_SIGN: Shape = {
    "csr": ("csr", text),
    "certificateType": ("type", _purpose),
    "requestId": ("request_id", integer),
    "hashRootCertificate": ("root_certificate", one(CERTIFICATE_HASH)),
}

_EV_CERTIFICATE: Shape = {
    "action": ("action", word),
    "iso15118SchemaVersion": ("iso15118_schema_version", text),
    "exiRequest": ("exi_request", text),
    "maximumContractCertificateChains": ("maximum_contract_certificate_chains", integer),
    "prioritizedEMAIDs": ("prioritized_emaids", texts),
}


def sign_certificate(payload: Payload, notes: Notes) -> Report:
    """SignCertificate (use cases A02, A03). No type: one certificate for all purposes."""
    return Notice("ocpp.certificate.requested", read(payload, _SIGN, notes))


def ev_certificate(payload: Payload, notes: Notes) -> Report:
    """Get15118EVCertificate (use cases M01, M02): the EV's own request, still in EXI."""
    return Notice("ocpp.certificate.ev_requested", read(payload, _EV_CERTIFICATE, notes))


def certificate_status(payload: Payload, notes: Notes) -> Report:
    """GetCertificateStatus (use case M06): is the certificate revoked?"""
    asked = mapping(payload, "ocspRequestData", notes)
    return Notice("ocpp.certificate.status_requested", read(asked, _OCSP_REQUEST, notes, ("ocspRequestData",)))

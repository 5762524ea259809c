"""What certificates are for, and how they are named, between OCPP's shape and the neutral one."""

from collections.abc import Mapping
from typing import Any

from gateway.ocpp.fields import At, objects, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.spelling import Words, in_2x, in_21

Payload = Mapping[str, Any]

CERTIFICATE_TYPES: Words = {
    # InstallCertificateUseEnumType and GetCertificateIdUseEnumType; 1.6: CertificateUseEnumType
    "csms_root": {"1.6": "CentralSystemRootCertificate", **in_2x("CSMSRootCertificate")},
    "manufacturer_root": {"1.6": "ManufacturerRootCertificate", **in_2x("ManufacturerRootCertificate")},
    "v2g_root": in_2x("V2GRootCertificate"),
    "mo_root": in_2x("MORootCertificate"),
    "oem_root": in_21("OEMRootCertificate"),
    "v2g_chain": in_2x("V2GCertificateChain"),
}

_ALGORITHMS = {"sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512"}


def hash_data(named: Payload) -> dict[str, Any]:
    """CertificateHashDataType of a certificate that was named in neutral form."""
    return {
        "hashAlgorithm": _ALGORITHMS[named["hash_algorithm"]],
        "issuerNameHash": named["issuer_name_hash"],
        "issuerKeyHash": named["issuer_key_hash"],
        "serialNumber": named["serial_number"],
    }


def read_hash_data(payload: Payload, notes: Notes, at: At = ()) -> dict[str, Any]:
    """CertificateHashDataType in neutral form, as delete_certificate takes it."""
    return {
        "hash_algorithm": word(payload, "hashAlgorithm", notes, at),
        "issuer_name_hash": text(payload, "issuerNameHash", notes, at),
        "issuer_key_hash": text(payload, "issuerKeyHash", notes, at),
        "serial_number": text(payload, "serialNumber", notes, at),
    }


def read_installed(payload: Payload, kind: str | None, notes: Notes, at: At = ()) -> dict[str, Any]:
    """One installed certificate; `children` are those below it in its chain (2.x)."""
    found = objects(payload, "childCertificateHashData", notes, at)
    return {
        "type": kind,
        **read_hash_data(payload, notes, at),
        "children": [read_hash_data(child, notes, where) for where, child in found],
    }

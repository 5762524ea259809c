"""Certificates that a charger keeps, known by the hashes that OCPP names them by (CertificateHashDataType)."""

import binascii
import hashlib
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

MAX_KEPT = 40

SEQUENCE, INTEGER, BIT_STRING, VERSION = 0x30, 0x02, 0x03, 0xA0

CSR = """-----BEGIN CERTIFICATE REQUEST-----
MIHoMIGQAgEAMC4xEjAQBgNVBAoMCVNpbXVsYXRvcjEYMBYGA1UEAwwPVklSVFVB
TC1DSEFSR0VSMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZsSBS7Jr1JXBIXtb
8ziV/dz0JW7Q1fHUkuMkoCrpdbN1bYa+hhPhE5jz+3CNiu1nNu8zWqR9Qg//Nza+
qDCIraAAMAoGCCqGSM49BAMCA0cAMEQCICrHu17wn1Xus+99/Sjnk8V319yeL77x
pfW1SbtM2E32AiBTTB+5vp2I4SoAye2Z9aXpY9PzucbDhzbPU/lLif+TZA==
-----END CERTIFICATE REQUEST-----
"""
"""The request that every virtual charger sends; nobody has kept its private key."""


@dataclass(slots=True)
class Certificates:
    """The root certificates of one charger: (type, hashes), in the order in which they were installed."""

    kept: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def install(self, kind: str, pem: str) -> str:
        """Keep a certificate; returns the InstallCertificateStatus."""
        try:
            hashes = hash_data(pem)
        except ValueError:
            return "Rejected"
        if (kind, hashes) not in self.kept:
            if len(self.kept) >= MAX_KEPT:
                return "Failed"
            self.kept.append((kind, hashes))
        return "Accepted"

    def delete(self, hashes: dict[str, Any]) -> str:
        """Forget the certificate that is meant; returns the DeleteCertificateStatus."""
        wanted = _spelling(hashes)
        left = [(kind, own) for kind, own in self.kept if _spelling(own) != wanted]
        found = len(left) < len(self.kept)
        self.kept = left
        return "Accepted" if found else "NotFound"

    def of(self, kinds: list[str]) -> list[tuple[str, dict[str, Any]]]:
        """Those of the types, all where none is named."""
        return [(kind, hashes) for kind, hashes in self.kept if not kinds or kind in kinds]


def hash_data(pem: str) -> dict[str, Any]:
    """The hashes of the first certificate in a PEM text, taken for its own issuer. Raises ValueError."""
    certificate = _content(_der(pem), SEQUENCE)
    fields = list(_elements(_content(certificate, SEQUENCE)))
    if fields and fields[0][0] == VERSION:
        fields.pop(0)
    # RFC 5280, section 4.1: serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
    if len(fields) < 6 or fields[0][0] != INTEGER:
        raise ValueError("no X.509 certificate")
    serial, issuer, key_info = fields[0][2], fields[2][1], fields[5][2]
    key = next((content[1:] for tag, _, content in _elements(key_info) if tag == BIT_STRING), None)
    if key is None:
        raise ValueError("a certificate without a public key")
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": hashlib.sha256(issuer).hexdigest(),
        "issuerKeyHash": hashlib.sha256(key).hexdigest(),
        "serialNumber": f"{int.from_bytes(serial, 'big', signed=True):x}"[:40],
    }


def _spelling(hashes: dict[str, Any]) -> tuple[str, ...]:
    names = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
    return tuple(str(hashes[name]).lower() for name in names)


def _der(pem: str) -> bytes:
    _, begin, rest = pem.partition("-----BEGIN CERTIFICATE-----")
    text, end, _ = rest.partition("-----END CERTIFICATE-----")
    if not begin or not end:
        raise ValueError("no PEM certificate")
    try:
        return b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the certificate is no base64: {error}") from error


def _content(der: bytes, tag: int) -> bytes:
    for found, _, content in _elements(der):
        if found == tag:
            return content
        break
    raise ValueError("no X.509 certificate")


def _elements(der: bytes) -> list[tuple[int, bytes, bytes]]:
    """The elements of a DER content: (tag, all of it, its content). Raises ValueError where it is cut off."""
    elements, at = [], 0
    while at < len(der):
        head = der[at : at + 2]
        size, content = (head[1], at + 2) if len(head) == 2 else (-1, at)
        if size > 0x80:
            content = at + 2 + (size & 0x7F)
            size = int.from_bytes(der[at + 2 : content], "big")
        end = content + size
        if size < 0 or end > len(der):
            raise ValueError("cut off")
        elements.append((head[0], der[at:end], der[content:end]))
        at = end
    return elements

"""What recurs in payloads."""

from typing import Any

NOW = "2026-11-21T08:00:00.000Z"
LATER = "2026-11-21T18:00:00.000Z"

Payloads = dict[str, dict[str, Any]]

HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "issuerKeyHash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "serialNumber": "3F2A",
}
OCSP = {**HASH, "responderURL": "http://ocsp.example.com"}
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIBDTCBtAIBADAuMQ0\n-----END CERTIFICATE REQUEST-----"

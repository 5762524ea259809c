"""Replies that OCPP 2.1 added."""

from typing import Any

from gateway.core.reports import Verdict


def no_certificate_chain(verdict: Verdict) -> dict[str, Any]:
    """GetCertificateChainStatusResponse needs one status at least: that of no certificate."""
    nothing = {"hashAlgorithm": "SHA256", "issuerNameHash": "", "issuerKeyHash": "", "serialNumber": ""}
    return {
        "certificateStatus": [
            {"certificateHashData": nothing, "source": "OCSP", "status": "Failed", "nextUpdate": verdict.now}
        ]
    }


def vat_number_not_validated(verdict: Verdict) -> dict[str, Any]:
    return {"vatNumber": "", "status": "Rejected"}

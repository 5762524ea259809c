"""Certificates, by the security extension of OCPP 1.6."""

from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import text
from gateway.ocpp.profile import Notes


def sign_certificate(payload: dict[str, Any], notes: Notes) -> Report:
    """Use case A02: the charger wants a certificate of its own signed, for 1.6 knows no others."""
    return Notice(
        "ocpp.certificate.requested",
        {
            "csr": text(payload, "csr", notes),
            "type": "charging_station",
            "request_id": None,
            "root_certificate": None,
        },
    )

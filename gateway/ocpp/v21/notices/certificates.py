"""Certificates in OCPP 2.1 (functional block M)."""

from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import mapping, objects, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import read, texts
from gateway.ocpp.v201.notices.certificates import CERTIFICATE_HASH


def certificate_chain_status(payload: dict[str, Any], notes: Notes) -> Report:
    """GetCertificateChainStatus: is any certificate of the chain revoked?"""
    certificates = [
        {
            **read(
                mapping(item, "certificateHashData", notes, at), CERTIFICATE_HASH, notes, (*at, "certificateHashData")
            ),
            "source": word(item, "source", notes, at),
            "urls": texts(item, "urls", notes, at),
        }
        for at, item in objects(payload, "certificateStatusRequests", notes)
    ]
    return Notice("ocpp.certificate.chain_status_requested", {"certificates": certificates})

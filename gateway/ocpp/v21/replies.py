"""Replies that OCPP 2.1 added, or in which it has more room."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from gateway.core.answers import (
    AcceptAnswer,
    CertificateChainStatusAnswer,
    ChargingNeedsAnswer,
    DynamicScheduleAnswer,
    SettlementAnswer,
    VatAnswer,
)
from gateway.core.reports import Verdict
from gateway.ocpp.fields import as_list, to_integer, to_text
from gateway.ocpp.v201 import replies as v201

MAX_TOKEN = 255
MAX_EXI_RESPONSE = 17000
MAX_OCSP_RESULT = 18000
MAX_CHAIN = 4
"""Certificates of one GetCertificateChainStatus."""

MAX_VAT_NUMBER = 20

authorize = v201.authorizing(MAX_TOKEN)
transaction_event = v201.transaction_events(MAX_TOKEN)
ev_certificate = v201.ev_certificates(MAX_EXI_RESPONSE, tells_remaining=True)
certificate_status = v201.certificate_statuses(MAX_OCSP_RESULT)

_NEEDS_STATUS = {"accepted": "Accepted", "rejected": "Rejected", "processing": "Processing"}

_CHAIN_STATUS = {"good": "Good", "revoked": "Revoked", "unknown": "Unknown", "failed": "Failed"}

_SCHEDULE_UPDATE = {
    # field of the answer → of ChargingScheduleUpdateType
    "limit": "limit",
    "discharge_limit": "dischargeLimit",
    "setpoint": "setpoint",
    "setpoint_reactive": "setpointReactive",
}

_COMPANY = {
    # field of the answer → of AddressType
    "name": "name",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "postal_code": "postalCode",
    "country": "country",
}
_COMPANY_NEEDS = ("name", "address1", "city", "country")


def charging_needs(verdict: Verdict) -> dict[str, Any]:
    """Use case K15. Rejected refuses what the EV wants; without a decision there is merely no profile for it."""
    answer = verdict.answer
    found = _NEEDS_STATUS.get(answer.status) if isinstance(answer, ChargingNeedsAnswer) else None
    return {"status": found or "NoChargingProfile"}


def event_stream(verdict: Verdict) -> dict[str, Any]:
    """A stream belongs to a monitor that somebody set, so it is welcome unless somebody objects."""
    rejected = isinstance(verdict.answer, AcceptAnswer) and verdict.answer.status == "rejected"
    return {"status": "Rejected" if rejected else "Accepted"}


def dynamic_schedule(verdict: Verdict) -> dict[str, Any]:
    """Accepted needs something to update with."""
    answer = verdict.answer
    if not isinstance(answer, DynamicScheduleAnswer) or answer.status != "accepted":
        return {"status": "Rejected"}
    update = {name: getattr(answer, field) for field, name in _SCHEDULE_UPDATE.items()}
    update = {name: value for name, value in update.items() if value is not None and isfinite(value)}
    return {"status": "Accepted", "scheduleUpdate": update} if update else {"status": "Rejected"}


def certificate_chain_status(verdict: Verdict) -> dict[str, Any]:
    """A status for each certificate asked about, Failed where there is none.

    The reply needs one at least, so that one who asks of none gets that of no certificate.
    """
    answer = verdict.answer
    known = answer.certificates if isinstance(answer, CertificateChainStatusAnswer) else []
    asked = as_list(verdict.request.get("certificateStatusRequests"))[:MAX_CHAIN] or [None]
    statuses = []
    for place, request in enumerate(asked):
        request = request if isinstance(request, dict) else {}
        source = "CRL" if request.get("source") == "CRL" else "OCSP"
        status = {"source": source, "status": "Failed", "nextUpdate": verdict.now}
        if place < len(known):
            found = known[place]
            next_update = v201.moment(found.next_update) or verdict.now
            status = {
                "source": found.source.upper(),
                "status": _CHAIN_STATUS[found.status],
                "nextUpdate": next_update,
            }
        statuses.append({"certificateHashData": _hash_data(request.get("certificateHashData")), **status})
    return {"certificateStatus": statuses}


def settlement(verdict: Verdict) -> dict[str, Any]:
    """The receipt, if somebody made one."""
    answer = verdict.answer
    if not isinstance(answer, SettlementAnswer):
        return {}
    told = {"receiptUrl": answer.receipt_url, "receiptId": answer.receipt_id}
    return {name: value for name, value in told.items() if value is not None}


def vat_number(verdict: Verdict) -> dict[str, Any]:
    """Repeats the number and the EVSE; an address that is not whole is left out."""
    request, answer = verdict.request, verdict.answer
    told: dict[str, Any] = {"vatNumber": _cut(request.get("vatNumber"), MAX_VAT_NUMBER), "status": "Rejected"}
    evse_id = to_integer(request.get("evseId"))
    if evse_id is not None and evse_id >= 0:
        told["evseId"] = evse_id
    if isinstance(answer, VatAnswer) and answer.status == "accepted":
        told["status"] = "Accepted"
        if all(getattr(answer, field) is not None for field in _COMPANY_NEEDS):
            company = {name: getattr(answer, field) for field, name in _COMPANY.items()}
            told["company"] = {name: value for name, value in company.items() if value is not None}
    return told


def _hash_data(written: Any) -> dict[str, Any]:
    """CertificateHashDataType as it was sent, made valid."""
    asked: Mapping[str, Any] = written if isinstance(written, dict) else {}
    algorithm = asked.get("hashAlgorithm")
    return {
        "hashAlgorithm": algorithm if algorithm in ("SHA256", "SHA384", "SHA512") else "SHA256",
        "issuerNameHash": _cut(asked.get("issuerNameHash"), 128),
        "issuerKeyHash": _cut(asked.get("issuerKeyHash"), 128),
        "serialNumber": _cut(asked.get("serialNumber"), 40),
    }


def _cut(written: Any, length: int) -> str:
    """Text of at most this length, made of whatever a charger wrote."""
    return (to_text(written) or "").encode("utf-8", "replace").decode()[:length]

"""How the charger's calls are answered in OCPP 1.6: a verdict as the payload of the CALLRESULT."""

from typing import Any

from gateway.core.answers import DataTransferAnswer, SignCertificateAnswer
from gateway.core.events import to_json
from gateway.core.reports import TokenDecision, Verdict
from gateway.ocpp.profile import Notes, empty_reply
from gateway.ocpp.timestamps import read_timestamp

empty = empty_reply

AUTHORIZATION_STATUS = {
    # AuthorizationStatus, section 7.2; every other decision is Invalid
    "accepted": "Accepted",
    "blocked": "Blocked",
    "expired": "Expired",
    "concurrent_tx": "ConcurrentTx",
}

REGISTRATION_STATUS = {"accepted": "Accepted", "pending": "Pending", "rejected": "Rejected"}

DATA_TRANSFER_STATUS = {
    # DataTransferStatus, section 7.13
    "accepted": "Accepted",
    "rejected": "Rejected",
    "unknown_message_id": "UnknownMessageId",
    "unknown_vendor_id": "UnknownVendorId",
}

MAX_ID_TAG = 20
"""IdToken, section 7.28."""

RETRY_BOOT_AFTER = 60
"""Seconds after which a charger boots again where nobody decided on its boot."""


def boot_notification(verdict: Verdict) -> dict[str, Any]:
    boot = verdict.boot
    return {
        "status": REGISTRATION_STATUS[boot.status] if boot else "Rejected",
        "currentTime": verdict.now,
        "interval": boot.interval if boot else RETRY_BOOT_AFTER,
    }


def heartbeat(verdict: Verdict) -> dict[str, Any]:
    return {"currentTime": verdict.now}


def authorize(verdict: Verdict) -> dict[str, Any]:
    return {"idTagInfo": id_tag_info(verdict.token)}


def start_transaction(verdict: Verdict) -> dict[str, Any]:
    return {"transactionId": verdict.transaction_id or 0, "idTagInfo": id_tag_info(verdict.token)}


def stop_transaction(verdict: Verdict) -> dict[str, Any]:
    return {} if verdict.token is None else {"idTagInfo": id_tag_info(verdict.token)}


def data_transfer(verdict: Verdict) -> dict[str, Any]:
    """Where nobody answers, nobody here speaks for the vendor (section 4.3). Data that are no text go as JSON."""
    answer = verdict.answer
    if not isinstance(answer, DataTransferAnswer):
        return {"status": "UnknownVendorId"}
    told = {"status": DATA_TRANSFER_STATUS[answer.status]}
    if answer.data is not None:
        told["data"] = answer.data if isinstance(answer.data, str) else to_json(answer.data).decode()
    return told


def sign_certificate(verdict: Verdict) -> dict[str, Any]:
    """Security extension, use case A02; the certificate itself is sent by a CertificateSigned."""
    answer = verdict.answer
    accepted = isinstance(answer, SignCertificateAnswer) and answer.status == "accepted"
    return {"status": "Accepted" if accepted else "Rejected"}


def id_tag_info(token: TokenDecision | None) -> dict[str, Any]:
    """IdTagInfo, section 7.27. A group that is too long for 1.6, or an expiry that is no time, is left out."""
    if token is None:
        return {"status": "Invalid"}
    info: dict[str, Any] = {"status": AUTHORIZATION_STATUS.get(token.status, "Invalid")}
    expires_at = read_timestamp(token.expires_at, Notes(), ())
    if expires_at is not None:
        info["expiryDate"] = expires_at
    if token.group and len(token.group) <= MAX_ID_TAG:
        info["parentIdTag"] = token.group
    return info

"""How the charger's calls are answered in OCPP 2.0.1: a verdict as the payload of the CALLRESULT.

Where nobody decided, a reply approves of nothing and promises nothing. Whatever was decided, it is valid: what does
not fit is left out, or is a no.
"""

from collections.abc import Callable
from typing import Any

from gateway.core.answers import (
    AcceptAnswer,
    CertificateStatusAnswer,
    ChargingNeedsAnswer,
    DataTransferAnswer,
    EvCertificateAnswer,
    SignCertificateAnswer,
    TransactionCostAnswer,
)
from gateway.core.reports import TokenDecision, Verdict
from gateway.ocpp.profile import Notes, empty_reply
from gateway.ocpp.timestamps import read_timestamp

Reply = Callable[[Verdict], dict[str, Any]]

empty = empty_reply

AUTHORIZATION_STATUS = {
    # AuthorizationStatusEnumType, part 2, section 3.8
    "accepted": "Accepted",
    "blocked": "Blocked",
    "concurrent_tx": "ConcurrentTx",
    "expired": "Expired",
    "invalid": "Invalid",
    "no_credit": "NoCredit",
    "not_allowed_type_evse": "NotAllowedTypeEVSE",
    "not_at_this_location": "NotAtThisLocation",
    "not_at_this_time": "NotAtThisTime",
    "unknown": "Unknown",
}

CERTIFICATE_STATUS = {
    # AuthorizeCertificateStatusEnumType
    "accepted": "Accepted",
    "signature_error": "SignatureError",
    "certificate_expired": "CertificateExpired",
    "certificate_revoked": "CertificateRevoked",
    "no_certificate_available": "NoCertificateAvailable",
    "cert_chain_error": "CertChainError",
    "contract_cancelled": "ContractCancelled",
}

DATA_TRANSFER_STATUS = {
    "accepted": "Accepted",
    "rejected": "Rejected",
    "unknown_message_id": "UnknownMessageId",
    "unknown_vendor_id": "UnknownVendorId",
}

REGISTRATION_STATUS = {"accepted": "Accepted", "pending": "Pending", "rejected": "Rejected"}

RETRY_BOOT_AFTER = 60
"""Seconds after which a charger boots again where nobody decided on its boot."""

MAX_TOKEN = 36
"""IdTokenType.idToken; 2.1 allows more."""

MAX_PERSONAL_MESSAGE = 512
"""MessageContentType.content; 2.1 allows more."""

MAX_EXI_RESPONSE = 7500

MAX_OCSP_RESULT = 5500


def boot_notification(verdict: Verdict) -> dict[str, Any]:
    boot = verdict.boot
    return {
        "currentTime": verdict.now,
        "interval": boot.interval if boot else RETRY_BOOT_AFTER,
        "status": REGISTRATION_STATUS[boot.status] if boot else "Rejected",
    }


def heartbeat(verdict: Verdict) -> dict[str, Any]:
    return {"currentTime": verdict.now}


def authorizing(max_token: int) -> Reply:
    """Replies to Authorize, where a group may be so long."""

    def authorize(verdict: Verdict) -> dict[str, Any]:
        """Use cases C01, C07: the contract certificate is judged where one was presented."""
        told: dict[str, Any] = {"idTokenInfo": id_token_info(verdict.token, max_token)}
        if verdict.request.get("certificate") or verdict.request.get("iso15118CertificateHashData"):
            told["certificateStatus"] = _certificate_status(verdict.token)
        return told

    return authorize


def transaction_events(max_token: int) -> Reply:
    """Replies to TransactionEvent, where a group may be so long."""

    def transaction_event(verdict: Verdict) -> dict[str, Any]:
        """idTokenInfo is required where the request had an idToken (E01.FR.09 and others); the cost is that of now, or
        the final one (I02, I03)."""
        told: dict[str, Any] = {}
        if isinstance(verdict.answer, TransactionCostAnswer):
            told["totalCost"] = verdict.answer.total_cost
        return told if verdict.token is None else {**told, "idTokenInfo": id_token_info(verdict.token, max_token)}

    return transaction_event


def data_transfer(verdict: Verdict) -> dict[str, Any]:
    """Where nobody answers, nobody here speaks for the vendor (use case P02)."""
    answer = verdict.answer
    if not isinstance(answer, DataTransferAnswer):
        return {"status": "UnknownVendorId"}
    told = {"status": DATA_TRANSFER_STATUS[answer.status]}
    return told if answer.data is None else {**told, "data": answer.data}


def sign_certificate(verdict: Verdict) -> dict[str, Any]:
    """Use case A02; the certificate itself is sent by a CertificateSigned."""
    return _yes(isinstance(verdict.answer, SignCertificateAnswer) and verdict.answer.status == "accepted")


def charging_schedule(verdict: Verdict) -> dict[str, Any]:
    """Use case K15. Unless somebody objects, the EV may charge as it says."""
    return _yes(not isinstance(verdict.answer, AcceptAnswer) or verdict.answer.status == "accepted")


def charging_needs(verdict: Verdict) -> dict[str, Any]:
    """Use case K15. 2.0.1 has no other word than Rejected for "no profile will follow"."""
    answer = verdict.answer
    statuses = {"accepted": "Accepted", "processing": "Processing"}
    return {
        "status": statuses.get(answer.status, "Rejected") if isinstance(answer, ChargingNeedsAnswer) else "Rejected"
    }


def ev_certificates(max_length: int, *, tells_remaining: bool) -> Reply:
    """Replies to Get15118EVCertificate, where a response may be so long."""

    def ev_certificate(verdict: Verdict) -> dict[str, Any]:
        """Use cases M01, M02. A response that is too long cannot be cut: it fails."""
        answer = verdict.answer
        if not isinstance(answer, EvCertificateAnswer) or len(answer.exi_response) > max_length:
            return {"status": "Failed", "exiResponse": ""}
        status = "Accepted" if answer.status == "accepted" and answer.exi_response else "Failed"
        told: dict[str, Any] = {"status": status, "exiResponse": answer.exi_response}
        if tells_remaining and answer.remaining_contracts is not None:
            told["remainingContracts"] = answer.remaining_contracts
        return told

    return ev_certificate


def certificate_statuses(max_length: int) -> Reply:
    """Replies to GetCertificateStatus, where a result may be so long."""

    def certificate_status(verdict: Verdict) -> dict[str, Any]:
        """Use case M06. Accepted is nothing without its result."""
        answer = verdict.answer
        if not isinstance(answer, CertificateStatusAnswer) or answer.status != "accepted":
            return {"status": "Failed"}
        if not answer.ocsp_result or len(answer.ocsp_result) > max_length:
            return {"status": "Failed"}
        return {"status": "Accepted", "ocspResult": answer.ocsp_result}

    return certificate_status


def id_token_info(token: TokenDecision | None, max_token: int = MAX_TOKEN) -> dict[str, Any]:
    """IdTokenInfoType. What is too long, or no time, is left out; a message is cut."""
    if token is None:
        return {"status": "Invalid"}
    info: dict[str, Any] = {"status": AUTHORIZATION_STATUS.get(token.status, "Invalid")}
    expires_at = moment(token.expires_at)
    if expires_at is not None:
        info["cacheExpiryDateTime"] = expires_at
    if token.group and len(token.group) <= max_token:
        info["groupIdToken"] = {"idToken": token.group, "type": "Central"}
    evse_ids = [evse_id for evse_id in token.evse_ids if evse_id >= 0]
    if evse_ids:
        info["evseId"] = evse_ids
    if token.charging_priority is not None:
        info["chargingPriority"] = token.charging_priority
    if token.personal_message:
        info["personalMessage"] = {"format": "UTF8", "content": token.personal_message[:MAX_PERSONAL_MESSAGE]}
    return info


def moment(written: str | None) -> str | None:
    """A time that somebody outside wrote, as a charger can read it; None where it is none."""
    return read_timestamp(written, Notes(), ())


def _certificate_status(token: TokenDecision | None) -> str:
    """What is thought of a contract certificate; the token's status stands in where nobody judged it (C07)."""
    if token is not None and token.certificate_status is not None:
        return CERTIFICATE_STATUS.get(token.certificate_status, "NoCertificateAvailable")
    return "Accepted" if token is not None and token.status == "accepted" else "NoCertificateAvailable"


def _yes(accepted: bool) -> dict[str, Any]:
    return {"status": "Accepted" if accepted else "Rejected"}


authorize = authorizing(MAX_TOKEN)
transaction_event = transaction_events(MAX_TOKEN)
ev_certificate = ev_certificates(MAX_EXI_RESPONSE, tells_remaining=False)
certificate_status = certificate_statuses(MAX_OCSP_RESULT)

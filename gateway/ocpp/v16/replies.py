"""How the charger's calls are answered in OCPP 1.6: a verdict as the payload of the CALLRESULT."""

from typing import Any

from gateway.core.reports import TokenDecision, Verdict

AUTHORIZATION_STATUS = {
    # AuthorizationStatus, section 7.2; every other decision is Invalid
    "accepted": "Accepted",
    "blocked": "Blocked",
    "expired": "Expired",
    "concurrent_tx": "ConcurrentTx",
}

REGISTRATION_STATUS = {"accepted": "Accepted", "pending": "Pending", "rejected": "Rejected"}

RETRY_BOOT_AFTER = 60
"""Seconds after which a charger boots again where nobody decided on its boot."""


def empty(verdict: Verdict) -> dict[str, Any]:
    return {}


def rejected(verdict: Verdict) -> dict[str, Any]:
    return {"status": "Rejected"}


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
    """Nobody here speaks for the vendor (section 4.3)."""
    return {"status": "UnknownVendorId"}


def id_tag_info(token: TokenDecision | None) -> dict[str, Any]:
    """IdTagInfo, section 7.28. A group that is too long for 1.6 is left out."""
    if token is None:
        return {"status": "Invalid"}
    info: dict[str, Any] = {"status": AUTHORIZATION_STATUS.get(token.status, "Invalid")}
    if token.expires_at is not None:
        info["expiryDate"] = token.expires_at
    if token.group is not None and len(token.group) <= 20:
        info["parentIdTag"] = token.group
    return info

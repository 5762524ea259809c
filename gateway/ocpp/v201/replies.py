"""How the charger's calls are answered in OCPP 2.0.1: a verdict as the payload of the CALLRESULT."""

from typing import Any

from gateway.core.reports import TokenDecision, Verdict

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

REGISTRATION_STATUS = {"accepted": "Accepted", "pending": "Pending", "rejected": "Rejected"}

RETRY_BOOT_AFTER = 60
"""Seconds after which a charger boots again where nobody decided on its boot."""

MAX_GROUP_LENGTH = 36
"""IdTokenType.idToken of OCPP 2.0.1; 2.1 allows more, but a group that long is no group in use."""


def empty(verdict: Verdict) -> dict[str, Any]:
    return {}


def accepted(verdict: Verdict) -> dict[str, Any]:
    """Received; where this is the answer it approves of nothing."""
    return {"status": "Accepted"}


def rejected(verdict: Verdict) -> dict[str, Any]:
    return {"status": "Rejected"}


def failed(verdict: Verdict) -> dict[str, Any]:
    return {"status": "Failed"}


def no_ev_certificate(verdict: Verdict) -> dict[str, Any]:
    return {"status": "Failed", "exiResponse": ""}


def boot_notification(verdict: Verdict) -> dict[str, Any]:
    boot = verdict.boot
    return {
        "currentTime": verdict.now,
        "interval": boot.interval if boot else RETRY_BOOT_AFTER,
        "status": REGISTRATION_STATUS[boot.status] if boot else "Rejected",
    }


def heartbeat(verdict: Verdict) -> dict[str, Any]:
    return {"currentTime": verdict.now}


def authorize(verdict: Verdict) -> dict[str, Any]:
    return {"idTokenInfo": id_token_info(verdict.token)}


def transaction_event(verdict: Verdict) -> dict[str, Any]:
    """idTokenInfo is required where the request had an idToken (E01.FR.09 and others)."""
    return {} if verdict.token is None else {"idTokenInfo": id_token_info(verdict.token)}


def data_transfer(verdict: Verdict) -> dict[str, Any]:
    """Nobody here speaks for the vendor (P01.FR.05)."""
    return {"status": "UnknownVendorId"}


def id_token_info(token: TokenDecision | None) -> dict[str, Any]:
    """IdTokenInfoType. A group that is too long is left out."""
    if token is None:
        return {"status": "Invalid"}
    info: dict[str, Any] = {"status": AUTHORIZATION_STATUS.get(token.status, "Invalid")}
    if token.expires_at is not None:
        info["cacheExpiryDateTime"] = token.expires_at
    if token.group is not None and len(token.group) <= MAX_GROUP_LENGTH:
        info["groupIdToken"] = {"idToken": token.group, "type": "Central"}
    return info

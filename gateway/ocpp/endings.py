"""How a command ended, read from the charger's answers: rules that the versions share."""

from collections.abc import Mapping
from typing import Any

from gateway.core.commands import Outcome
from gateway.ocpp.fields import snake_case
from gateway.ocpp.profile import Answered, Call, Ending

DONE: Mapping[str, str | None] = {
    # status of an answer → reason to tell beside `accepted`
    "Accepted": None,
    "Unlocked": None,
    "Scheduled": "Scheduled",
    "RebootRequired": "RebootRequired",
    "Unpublished": None,
    # Accepted, and what ran before was cancelled for it: GetLog, UpdateFirmware.
    "AcceptedCanceled": "AcceptedCanceled",
}
"""The statuses that mean yes; every other means no, and is the reason."""


def by_status(calls: list[Call], answers: list[Answered]) -> Ending:
    """The ending of a command of one call, whose answer has a `status`."""
    payload = answers[-1].payload
    return ending(payload, status_result(payload))


def ending(payload: Mapping[str, Any], result: dict[str, Any], name: str = "status") -> Ending:
    """The ending that the answer's status (the field `name`) says, with the result given."""
    status = payload.get(name)
    if not isinstance(status, str):
        return Ending(Outcome.ERROR, "the answer has no status", result, acted=True)
    if status in DONE:
        return Ending(Outcome.ACCEPTED, DONE[status], result)
    return Ending(Outcome.REJECTED, _told(status, payload.get("statusInfo")), result)


def status_result(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The neutral result of an answer: its status, and statusInfo where the charger gave one (2.x)."""
    result: dict[str, Any] = {"status": neutral(payload.get("status"))}
    info = payload.get("statusInfo")
    if isinstance(info, dict):
        result["status_info"] = {
            "reason_code": info.get("reasonCode"),
            "additional_info": info.get("additionalInfo"),
        }
    return result


def neutral(status: Any) -> str | None:
    """A status in snake_case; None where the charger gave none."""
    return snake_case(status) if isinstance(status, str) else None


def worst(endings: list[Ending], names: list[str], result: dict[str, Any]) -> Ending:
    """The ending of a command of several parts: rejected where any part was, with each part's reason by name."""
    reasons = [
        f"{name}: {part.reason}" if len(endings) > 1 else part.reason
        for name, part in zip(names, endings, strict=False)
        if part.reason is not None
    ]
    outcomes = {part.outcome for part in endings}
    outcome = next((one for one in (Outcome.REJECTED, Outcome.ERROR) if one in outcomes), Outcome.ACCEPTED)
    acted = outcome is not Outcome.ACCEPTED and any(part.acted or part.outcome is Outcome.ACCEPTED for part in endings)
    return Ending(outcome, "; ".join(reasons) or None, result, acted=acted)


def _told(status: str, info: Any) -> str:
    if not isinstance(info, dict):
        return status
    more = " ".join(str(info[name]) for name in ("reasonCode", "additionalInfo") if info.get(name))
    return f"{status}: {more}" if more else status

"""How a command ended, read from the charger's answers: rules that the versions share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.core.commands import Outcome
from gateway.ocpp.fields import as_list, snake_case
from gateway.ocpp.profile import Answered, Call, Ending, Refused

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


def received(calls: list[Call], answers: list[Answered]) -> Ending:
    """The ending of a call whose answer says nothing but that it has arrived."""
    return Ending(Outcome.ACCEPTED, None, {})


def by_status_and(**names: str) -> Callable[[list[Call], list[Answered]], Ending]:
    """As `by_status`; the result also tells fields of the call: name in the result → name in its payload."""

    def read(calls: list[Call], answers: list[Answered]) -> Ending:
        payload, asked = answers[-1].payload, calls[-1].payload
        return ending(payload, {**status_result(payload), **{name: asked.get(field) for name, field in names.items()}})

    return read


def report_promised(name: str, nothing: str) -> Callable[[list[Call], list[Answered]], Ending]:
    """The ending of the request for a report: it comes later, or has no items, which the status `nothing` says."""

    def read(calls: list[Call], answers: list[Answered]) -> Ending:
        payload = answers[-1].payload
        result = {**status_result(payload), "request_id": calls[-1].payload.get("requestId")}
        if payload.get("status") == nothing:
            return Ending(Outcome.ACCEPTED, nothing, {**result, name: []}, final=True)
        return ending(payload, result)

    return read


def report_whole(name: str) -> Callable[[Ending, Sequence[Call], Mapping[str, Any]], Ending | None]:
    """The end of a request for a report: the event that carries its last part, and with it the whole."""

    def read(yes: Ending, calls: Sequence[Call], data: Mapping[str, Any]) -> Ending | None:
        if data.get("request_id") != calls[-1].payload.get("requestId") or not data.get("complete"):
            return None
        return replace(yes, result={**(yes.result or {}), name: data.get(name)})

    return read


def upload_over(yes: Ending, calls: Sequence[Call], data: Mapping[str, Any]) -> Ending | None:
    """The end of an upload, as the charger tells it. 1.6's DiagnosticsStatusNotification bears no request id, and some
    chargers leave it out of LogStatusNotification."""
    request_id, status = data.get("request_id"), data.get("status")
    if request_id not in (None, calls[-1].payload.get("requestId")) or status in (None, "idle", "uploading"):
        return None
    result = {**(yes.result or {}), "status": status}
    if status == "uploaded":
        return Ending(Outcome.ACCEPTED, None, result)
    return Ending(Outcome.REJECTED, str(status), result)


def refused(error: Refused, *, after: int = 0, acted: bool = False) -> Ending:
    """The ending where a CALL got a CALLERROR; `after` calls of the same command were answered before it."""
    told = f"{error.code}: {error.description}" if error.description else error.code
    told += f" ({after} call(s) of it were answered)" if after else ""
    return Ending(Outcome.ERROR, told, {"code": error.code, "details": error.details}, acted=acted or bool(after))


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


def items(answers: list[Answered], name: str) -> list[dict[str, Any]]:
    """The objects of the list `name` in all answers."""
    return [item for answer in answers for item in as_list(answer.payload.get(name)) if isinstance(item, dict)]


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

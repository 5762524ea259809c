"""What a charger tells beside statuses and transactions: that it has started, tokens, and notices of all kinds."""

from typing import Any

from gateway.core import awaiting, statuses
from gateway.core.assembly import take_part
from gateway.core.draft import Draft
from gateway.core.events import Event
from gateway.core.limits import owe
from gateway.core.reports import Authorization, Boot, BootDecision, Notice, TokenDecision
from gateway.core.transaction import token_facts


def booted(draft: Draft, report: Boot, decision: BootDecision | None) -> Event:
    """The charger has started: what it is, and how that was answered."""
    facts: dict[str, Any] = {
        "vendor": report.vendor,
        "model": report.model,
        "serial_number": report.serial_number,
        "firmware_version": report.firmware_version,
        "iccid": report.iccid,
        "imsi": report.imsi,
        "meter_type": report.meter_type,
        "meter_serial_number": report.meter_serial_number,
    }
    decided = decision or BootDecision("accepted", 0, decided_by="none")
    charger = draft.charger()
    charger.update(facts)  # type: ignore[typeddict-item]
    charger["last_seen_at"] = draft.now_text
    awaiting.rebooted(draft)
    owe(draft)
    charger["boot"] = {"reason": report.reason, "status": decided.status, "at": draft.now_text}
    answered = {"status": decided.status, "interval": decided.interval, "decided_by": decided.decided_by}
    return Event("ocpp.charger.booted", {**facts, "reason": report.reason, **answered})


def authorized(report: Authorization, decision: TokenDecision | None) -> Event:
    """A token was presented, and what was decided of it."""
    decided = decision or TokenDecision("unknown", decided_by="none")
    data = {
        "token": token_facts(report.token),
        "evse_id": report.evse_id,
        "status": decided.status,
        "expires_at": decided.expires_at,
        "group": decided.group,
        "decided_by": decided.decided_by,
        **report.details,
    }
    further = {
        "evse_ids": [*decided.evse_ids] or None,
        "charging_priority": decided.charging_priority,
        "personal_message": decided.personal_message,
        "certificate_status": decided.certificate_status,
    }
    data |= {name: value for name, value in further.items() if value is not None}
    return Event("ocpp.authorization.decided", data, None if report.evse_id is None else f"evse/{report.evse_id}")


def notice(draft: Draft, report: Notice) -> None:
    """Whatever has no meaning of its own here: its event, what it changes of the charger, and the part of a report."""
    if report.changes:
        draft.charger().update(report.changes)  # type: ignore[typeddict-item]
    if report.statuses or report.problems:
        statuses.take_over(draft, report)
    if report.part is not None:
        take_part(draft, report, report.part)
    draft.events.append(Event(report.type, report.data, report.subject, report.time))

"""What a charger says of itself and of its connectors: statuses and problems."""

from dataclasses import replace
from typing import Any

from gateway.core import awaiting
from gateway.core.connector_state import (
    ConnectorState,
    apply_problem,
    apply_status,
    error_after,
    error_of,
    make_idle,
    problem_error,
)
from gateway.core.draft import Draft, Place
from gateway.core.events import Event
from gateway.core.reports import Notice, Problem, Status

OF_ALL_CONNECTORS = frozenset(("unavailable", "faulted"))
"""Statuses of an EVSE that hold for each of its connectors; any other may come from one of them."""

DRAWING_NOTHING = frozenset(("suspended_ev", "suspended_evse", "finishing"))
"""Statuses in which no energy flows (1.6: ChargePointStatus): what was measured before does not hold any more, while a
sample that comes later is shown."""


def status(draft: Draft, report: Status) -> Event:
    """Take a status over; the event that tells of it."""
    if report.evse_id == 0:
        return _of_charger(draft, report)
    place = (report.evse_id, report.connector_id)
    state = draft.connector(place)
    data: dict[str, Any] = {"evse_id": report.evse_id, "connector_id": report.connector_id}
    if state is None:
        data |= {"status": report.status, "previous_status": None, "error": error_of(report)}
    else:
        previous, was_plugged = state["status"], state["plugged"]
        apply_status(state, report)
        if draft.known()["awaited"]:
            awaiting.plugged(draft, report.evse_id, before=was_plugged, now=state["plugged"])
            awaiting.show(draft, report.evse_id)
        if _ends_drawing(report, previous, state):
            make_idle(state)
        data |= {
            "status": state["status"],
            "previous_status": previous,
            "reported_status": report.status,
            "plugged": state["plugged"],
            "charging": state["charging"],
            "error": state["error"],
            "iec61851": state["iec61851"],
            "enabled": state["enabled"],
            "transaction_id": None if state["transaction"] is None else state["transaction"]["id"],
            "vendor_id": report.vendor_id,
        }
    subject = f"evse/{report.evse_id}/connector/{report.connector_id}"
    return Event("ocpp.connector.status", data, subject, report.time)


def _ends_drawing(report: Status, previous: str | None, state: ConnectorState) -> bool:
    if state["transaction"] is None and report.status in ("available", "unavailable", "faulted"):
        return True
    if report.status not in DRAWING_NOTHING or report.status == previous:
        return False
    measured_at = state["measured_at"]
    return report.time is None or measured_at is None or report.time > measured_at


def take_over(draft: Draft, notice: Notice) -> None:
    """Take over the statuses and problems that a notice speaks of; it has an event of its own."""
    for report in notice.statuses:
        for place in _connectors(draft, report.evse_id, report.connector_id, report.status in OF_ALL_CONNECTORS):
            status(draft, replace(report, connector_id=place[1]))
    for problem in notice.problems:
        _take_over_problem(draft, problem)


def _of_charger(draft: Draft, report: Status) -> Event:
    charger = draft.charger()
    error = error_after(charger["error"], report)
    previous = charger["status"]
    charger["status"], charger["error"] = report.status, error
    if report.status == "unavailable":
        charger["enabled"] = False
    elif charger["enabled"] is None or previous == "unavailable":
        charger["enabled"] = True
    said = {"status": report.status, "previous_status": previous, "error": error, "enabled": charger["enabled"]}
    return Event("ocpp.charger.status", {**said, "vendor_id": report.vendor_id}, None, report.time)


def _take_over_problem(draft: Draft, problem: Problem) -> None:
    if problem.evse_id == 0:
        charger = draft.charger()
        charger["error"] = problem_error(problem, charger["status"])
        return
    for place in _connectors(draft, problem.evse_id, problem.connector_id, True):
        state = draft.connector(place)
        if state is not None:
            apply_problem(state, problem)


def _connectors(draft: Draft, evse_id: int, connector_id: int, all_of_them: bool) -> list[Place]:
    """The connectors that are meant; connector 0 of an EVSE is its only one, or all where that can be said."""
    if connector_id or evse_id == 0:
        return [(evse_id, connector_id)]
    known = [place for place in draft.places() if place[0] == evse_id]
    if len(known) > 1 and not all_of_them:
        return []
    return known or [(evse_id, 1)]

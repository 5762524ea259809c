"""What OCPP 2.1 adds to smart charging (functional block K)."""

from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import boolean, identifier, integer
from gateway.ocpp.profile import Notes

Payload = dict[str, Any]


def priority_charging(payload: Payload, notes: Notes) -> Report:
    """NotifyPriorityCharging: priority charging began or ended at the charger."""
    data = {
        "ocpp_transaction_id": identifier(payload, "transactionId", notes),
        "activated": boolean(payload, "activated", notes),
    }
    return Notice("ocpp.charging.priority", data)


def dynamic_schedule_requested(payload: Payload, notes: Notes) -> Report:
    """PullDynamicScheduleUpdate: what are the values of a dynamic profile now?"""
    data = {"profile_id": integer(payload, "chargingProfileId", notes)}
    return Notice("ocpp.charging.dynamic_schedule_requested", data)

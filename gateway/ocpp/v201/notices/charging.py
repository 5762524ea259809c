"""What a charger tells of limits, schedules and profiles (functional block K)."""

from typing import Any

from gateway.core.reports import Notice, Part, Report
from gateway.ocpp.fields import boolean, integer, mapping, objects, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, each_given, given, read, read_given, time
from gateway.ocpp.v201.notices.needs import CHARGING_NEEDS
from gateway.ocpp.v201.notices.schedules import PROFILE, SCHEDULE

Payload = dict[str, Any]

_LIMIT: Shape = {
    "chargingLimitSource": ("source", word),
    "isLocalGeneration": ("is_local_generation", boolean),
    "isGridCritical": ("is_grid_critical", boolean),
}

_EV_SCHEDULE: Shape = {
    "evseId": ("evse_id", integer),
    "timeBase": ("starts_at", time),
    "chargingSchedule": ("schedule", given(SCHEDULE)),
    "selectedChargingScheduleId": ("selected_schedule_id", integer),
    "powerToleranceAcceptance": ("power_tolerance_accepted", boolean),
}

_NEEDS: Shape = {"evseId": ("evse_id", integer), "maxScheduleTuples": ("max_schedule_tuples", integer)}


def charging_limit(payload: Payload, notes: Notes) -> Report:
    """NotifyChargingLimit (use case K12): somebody else limits the charger, or an EVSE. No EVSE is the whole."""
    limit = read(mapping(payload, "chargingLimit", notes), _LIMIT, notes, ("chargingLimit",))
    schedules = each_given(SCHEDULE)(payload, "chargingSchedule", notes, ())
    held = {"evse_id": integer(payload, "evseId", notes) or 0, **limit, "schedules": schedules}
    return Notice("ocpp.charging.limit", {**held, "cleared": False}, changes={"external_limit": held})


def cleared_charging_limit(payload: Payload, notes: Notes) -> Report:
    """ClearedChargingLimit (use case K13): the limit is lifted."""
    data = {
        "evse_id": integer(payload, "evseId", notes) or 0,
        **read(payload, {"chargingLimitSource": _LIMIT["chargingLimitSource"]}, notes),
        "is_local_generation": None,
        "is_grid_critical": None,
        "schedules": [],
        "cleared": True,
    }
    return Notice("ocpp.charging.limit", data, changes={"external_limit": None})


def charging_needs(payload: Payload, notes: Notes) -> Report:
    """NotifyEVChargingNeeds (use cases K15, K16): what the EV wants, and what it can."""
    needs = read(mapping(payload, "chargingNeeds", notes), CHARGING_NEEDS, notes, ("chargingNeeds",))
    data = {**read(payload, _NEEDS, notes), **needs}
    return Notice("ocpp.charging.needs", data, _evse(data), time(payload, "timestamp", notes))


def ev_schedule(payload: Payload, notes: Notes) -> Report:
    """NotifyEVChargingSchedule (use case K15): how the EV will charge."""
    data = read(payload, _EV_SCHEDULE, notes)
    return Notice("ocpp.charging.schedule", data, _evse(data))


def charging_profiles(payload: Payload, notes: Notes) -> Report:
    """ReportChargingProfiles (use case K09): comes in parts, which are not numbered."""
    request_id = integer(payload, "requestId", notes)
    whose = {
        "evse_id": integer(payload, "evseId", notes) or 0,
        "source": word(payload, "chargingLimitSource", notes),
    }
    profiles = [
        {**whose, **read_given(profile, PROFILE, notes, at)}
        for at, profile in objects(payload, "chargingProfile", notes)
    ]
    more = boolean(payload, "tbc", notes) or False
    data = {"request_id": request_id, "profiles": profiles, "sequence_number": None, "to_be_continued": more}
    return Notice("ocpp.charging.profiles", data, part=Part("profiles", request_id, last=not more))


def _evse(data: dict[str, Any]) -> str | None:
    return None if data["evse_id"] is None else f"evse/{data['evse_id']}"

"""OCPP 2.x: charging profiles and what they come to (block K), and 2.1's ways to steer the energy (K, O, Q)."""

from typing import Any

from gateway.core.clock import rfc3339
from gateway.simulator.dialect import Answer
from gateway.simulator.limits import Profile, in_unit, read_profile, update_profile
from gateway.simulator.messages import Errand, Message, Pause, in_parts, say
from gateway.simulator.obey2x.answers import accepted, refused
from gateway.simulator.obey2x.transactions import runs
from gateway.simulator.station import Station

PROFILES_PER_PART = 2
MAX_SCHEDULE_S = 7 * 86_400
STATION_ONLY = ("ChargingStationMaxProfile", "LocalGeneration")


def set_charging_profile(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case K01; in 2.1 the values of a dynamic profile may have to be pulled."""
    evse_id = int(payload["evseId"])
    profile = read_profile(payload["chargingProfile"], id_key="id", now=station.now())
    connector = station.connector(evse_id)
    if evse_id != 0 and connector is None:
        return refused("UnknownEvse")
    if profile.purpose == "TxProfile" and not runs(connector, profile.transaction_id):
        return refused("TxNotFound")
    if profile.purpose == "ChargingStationExternalConstraints" or (evse_id and profile.purpose in STATION_ONLY):
        return refused("InvalidProfile")
    station.install(evse_id, profile)
    interval = profile.raw.get("dynUpdateInterval")
    if profile.raw["chargingProfileKind"] != "Dynamic" or not interval:
        return accepted()
    return accepted(_pull(station, evse_id, profile, float(interval)))


def _pull(station: Station, evse_id: int, profile: Profile, interval: float) -> Errand:
    while True:
        yield Pause(max(1.0, interval))
        # Objects are compared: another profile may bear the same id.
        if not any(profile is own for own in station.limits.profiles.get(evse_id, ())):
            return
        answer = yield Message("PullDynamicScheduleUpdate", {"chargingProfileId": profile.id})
        update = answer.get("scheduleUpdate") if answer is not None else None
        if isinstance(update, dict):
            update_profile(profile, update)
            station.limits_changed()


def clear_charging_profile(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case K10: an id alone says which; the criteria count where there is none."""
    criteria = payload.get("chargingProfileCriteria", {})
    if payload.get("chargingProfileId") is not None:
        found = station.limits.clear(profile_id=payload["chargingProfileId"])
    else:
        found = station.limits.clear(
            evse_id=criteria.get("evseId"),
            purpose=criteria.get("chargingProfilePurpose"),
            stack_level=criteria.get("stackLevel"),
        )
    station.limits_changed()
    return accepted() if found else Answer({"status": "Unknown"})


def get_charging_profiles(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case K09."""
    wanted = payload["chargingProfile"]
    sources = wanted.get("chargingLimitSource")
    found = station.limits.find(
        profile_ids=wanted.get("chargingProfileId"),
        evse_id=payload.get("evseId"),
        purpose=wanted.get("chargingProfilePurpose"),
        stack_level=wanted.get("stackLevel"),
    )
    # Whatever the CSMS has set is the CSO's.
    if not found or (sources is not None and "CSO" not in sources):
        return Answer({"status": "NoProfiles"})
    return accepted(_tell_profiles(int(payload["requestId"]), found))


def _tell_profiles(request_id: int, found: list[tuple[int, Profile]]) -> Errand:
    by_evse: dict[int, list[dict[str, Any]]] = {}
    for evse_id, profile in found:
        by_evse.setdefault(evse_id, []).append(profile.raw)
    parts = [(evse_id, part) for evse_id, own in by_evse.items() for _, _, part in in_parts(own, PROFILES_PER_PART)]
    for number, (evse_id, part) in enumerate(parts, 1):
        yield Message(
            "ReportChargingProfiles",
            {
                "requestId": request_id,
                "chargingLimitSource": "CSO",
                "evseId": evse_id,
                "chargingProfile": list(part),
                "tbc": number < len(parts),
            },
        )


def get_composite_schedule(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case K08."""
    evse_id = int(payload["evseId"])
    if evse_id != 0 and station.connector(evse_id) is None:
        return refused("UnknownEvse")
    unit = payload.get("chargingRateUnit") or "W"
    duration = min(max(int(payload["duration"]), 0), MAX_SCHEDULE_S)
    schedule = {
        "evseId": evse_id,
        "duration": duration,
        "scheduleStart": rfc3339(station.now()),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [
            {"startPeriod": second, "limit": in_unit(limit, unit)}
            for second, limit in station.schedule(evse_id, duration)
        ],
    }
    return accepted(schedule=schedule)


def update_dynamic_schedule(station: Station, payload: dict[str, Any]) -> Answer:
    """OCPP 2.1, use case K28."""
    found = station.limits.find(profile_ids=[payload["chargingProfileId"]])
    if not found or found[0][1].raw["chargingProfileKind"] != "Dynamic":
        return refused("NotFound")
    update_profile(found[0][1], payload["scheduleUpdate"])
    station.limits_changed()
    return accepted()


def use_priority_charging(station: Station, payload: dict[str, Any]) -> Answer:
    """OCPP 2.1, use case K22: it needs a profile that says what priority means."""
    connector = station.by_wire_id(payload["transactionId"])
    if connector is None or connector.transaction is None:
        return refused("TxNotFound")
    profiles = station.limits.find(evse_id=connector.evse_id, purpose="PriorityCharging")
    if not profiles and not station.limits.find(evse_id=0, purpose="PriorityCharging"):
        return Answer({"status": "NoProfile"})
    activated = bool(payload["activate"])
    connector.transaction.priority = activated
    station.limits_changed()
    told = {"transactionId": payload["transactionId"], "activated": activated}
    return accepted(say([Message("NotifyPriorityCharging", told)]))


def notify_allowed_energy_transfer(station: Station, payload: dict[str, Any]) -> Answer:
    """OCPP 2.1, use case Q01: the virtual car takes whatever is allowed."""
    return accepted() if station.by_wire_id(payload["transactionId"]) is not None else refused("TxNotFound")


def afrr_signal(station: Station, payload: dict[str, Any]) -> Answer:
    """OCPP 2.1, use case Q05."""
    return accepted()


def request_battery_swap(station: Station, payload: dict[str, Any]) -> Answer:
    """OCPP 2.1, use case S03: an empty battery comes in, a full one goes out."""
    return accepted(_swap(station, int(payload["requestId"]), payload["idToken"]))


def _swap(station: Station, request_id: int, token: dict[str, Any]) -> Errand:
    evse_id = station.connectors[0].evse_id
    for pause, kind, charge in ((2, "BatteryIn", 12.0), (5, "BatteryOut", 97.0)):
        yield Pause(pause)
        battery = {"evseId": evse_id, "serialNumber": f"BATTERY-{kind}", "soC": charge, "soH": 95.0}
        swap = {"eventType": kind, "requestId": request_id, "idToken": token, "batteryData": [battery]}
        yield Message("BatterySwap", swap)

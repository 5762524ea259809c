"""OCPP 1.6: transactions, connectors and charging profiles."""

from typing import Any

from gateway.core.clock import rfc3339
from gateway.simulator.connector import RemoteStart, Reservation
from gateway.simulator.dialect import Answer
from gateway.simulator.limits import in_unit, read_profile
from gateway.simulator.messages import ChangedStatuses, Errand, Until, say_changes
from gateway.simulator.station import Station
from gateway.simulator.times import unix_seconds

MAX_SCHEDULE_S = 7 * 86_400


def remote_start(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.11."""
    profile = payload.get("chargingProfile")
    limit = None if profile is None else read_profile(profile, id_key="chargingProfileId", now=station.now())
    connector = station.start(RemoteStart(str(payload["idTag"])), payload.get("connectorId"))
    if connector is not None and limit is not None:
        station.install(connector.evse_id, limit)
    return Answer({"status": "Rejected" if connector is None else "Accepted"})


def remote_stop(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.12."""
    connector = station.by_wire_id(payload["transactionId"])
    if connector is None:
        return Answer({"status": "Rejected"})
    connector.stop("remote")
    return Answer({"status": "Accepted"})


def unlock_connector(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.18."""
    connector = station.connector(payload["connectorId"])
    if connector is None:
        return Answer({"status": "NotSupported"})
    station.unlock(connector)
    return Answer({"status": "Unlocked"}, say_changes())


def reset(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.14."""
    hard = payload["type"] == "Hard"
    return Answer({"status": "Accepted"}, after=lambda: station.reset("hard" if hard else "soft"))


def change_availability(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.2."""
    result = station.set_operative(int(payload["connectorId"]), payload["type"] == "Operative")
    return Answer({"status": result.capitalize()}, say_changes())


def reserve_now(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.13."""
    reservation = Reservation(
        int(payload["reservationId"]),
        str(payload["idTag"]),
        payload.get("parentIdTag"),
        unix_seconds(payload["expiryDate"]),
    )
    status = station.reserve(reservation, int(payload["connectorId"]))
    return Answer({"status": status}, _keep(station, reservation) if status == "Accepted" else None)


def cancel_reservation(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.1."""
    found = station.release(payload["reservationId"])
    return Answer({"status": "Accepted" if found else "Rejected"}, say_changes())


def _keep(station: Station, reservation: Reservation) -> Errand:
    yield ChangedStatuses()
    yield Until(reservation.expires)
    if station.release(reservation.id, reservation):
        yield ChangedStatuses()


def set_charging_profile(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.16."""
    connector_id = int(payload["connectorId"])
    profile = read_profile(payload["csChargingProfiles"], id_key="chargingProfileId", now=station.now())
    connector = station.connector(connector_id)
    orphan = profile.purpose == "TxProfile" and (connector is None or connector.transaction is None)
    misplaced = profile.purpose == "ChargePointMaxProfile" and connector_id != 0
    if orphan or misplaced or (connector_id != 0 and connector is None):
        return Answer({"status": "Rejected"})
    station.install(connector_id, profile)
    return Answer({"status": "Accepted"})


def clear_charging_profile(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.5: an id alone says which; the other criteria count where there is none."""
    if payload.get("id") is not None:
        found = station.limits.clear(profile_id=payload["id"])
    else:
        found = station.limits.clear(
            evse_id=payload.get("connectorId"),
            purpose=payload.get("chargingProfilePurpose"),
            stack_level=payload.get("stackLevel"),
        )
    station.limits_changed()
    return Answer({"status": "Accepted" if found else "Unknown"})


def get_composite_schedule(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.7."""
    connector_id = int(payload["connectorId"])
    if connector_id != 0 and station.connector(connector_id) is None:
        return Answer({"status": "Rejected"})
    unit = payload.get("chargingRateUnit") or "W"
    duration = min(max(int(payload["duration"]), 0), MAX_SCHEDULE_S)
    begin = rfc3339(station.now())
    periods = [
        {"startPeriod": second, "limit": in_unit(limit, unit)}
        for second, limit in station.schedule(connector_id, duration)
    ]
    schedule = {
        "duration": duration,
        "startSchedule": begin,
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": periods,
    }
    return Answer(
        {"status": "Accepted", "connectorId": connector_id, "scheduleStart": begin, "chargingSchedule": schedule}
    )

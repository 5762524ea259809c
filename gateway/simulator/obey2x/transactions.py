"""OCPP 2.x: transactions, connectors, reservations, and vendors' own messages."""

from typing import Any

from gateway.simulator.connector import Connector, RemoteStart, Reservation
from gateway.simulator.dialect import Answer
from gateway.simulator.limits import read_profile
from gateway.simulator.messages import ChangedStatuses, Errand, Message, Until, say_changes
from gateway.simulator.obey2x.answers import accepted, refused
from gateway.simulator.station import Station
from gateway.simulator.times import unix_seconds


def request_start(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case F02."""
    profile = payload.get("chargingProfile")
    limit = None if profile is None else read_profile(profile, id_key="id", now=station.now())
    token, group = payload["idToken"], payload.get("groupIdToken", {}).get("idToken")
    remote = RemoteStart(str(token["idToken"]), int(payload["remoteStartId"]), str(token["type"]))
    connector = station.start(remote, payload.get("evseId"), group)
    if connector is None:
        return Answer({"status": "Rejected"})
    if limit is not None:
        station.install(connector.evse_id, limit)
    return accepted()


def request_stop(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case F03."""
    connector = station.by_wire_id(payload["transactionId"])
    if connector is None:
        return refused("TxNotFound")
    connector.stop("remote")
    return accepted()


def unlock_connector(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case F05."""
    connector = station.connector(payload["evseId"])
    if connector is None or payload["connectorId"] != 1:
        return Answer({"status": "UnknownConnector"})
    if connector.transaction is not None:
        return Answer({"status": "OngoingAuthorizedTransaction"})
    station.unlock(connector)
    return Answer({"status": "Unlocked"}, say_changes())


def reset(station: Station, payload: dict[str, Any]) -> Answer:
    """Use cases B11 and B12; an EVSE alone only ends its transaction. 2.1: ImmediateAndResume keeps transactions."""
    kind, evse_id = payload["type"], payload.get("evseId")
    if evse_id:
        return _reset_evse(station, int(evse_id), kind)
    if kind == "OnIdle":
        return Answer({"status": "Scheduled" if station.busy else "Accepted"}, after=lambda: station.reset("on_idle"))
    return Answer(
        {"status": "Accepted"}, after=lambda: station.reset("resume" if kind == "ImmediateAndResume" else "hard")
    )


def _reset_evse(station: Station, evse_id: int, kind: str) -> Answer:
    connector = station.connector(evse_id)
    if connector is None:
        return refused("UnknownEvse")
    if connector.transaction is None or kind == "ImmediateAndResume":
        return accepted()
    if kind == "OnIdle":
        return Answer({"status": "Scheduled"})
    connector.stop("hard_reset")
    return accepted()


def change_availability(station: Station, payload: dict[str, Any]) -> Answer:
    """Use cases G03 and G04; what is reserved on an EVSE out of service is no longer."""
    evse_id, operative = int(payload.get("evse", {}).get("id", 0)), payload["operationalStatus"] == "Operative"
    result = station.set_operative(evse_id, operative)
    removed = [c.reservation for c in station.of(evse_id) if c.reservation is not None and not operative]
    return Answer({"status": result.capitalize()}, _tell_removed(station, removed) if removed else say_changes())


def _tell_removed(station: Station, reservations: list[Reservation]) -> Errand:
    for reservation in reservations:
        if station.release(reservation.id, reservation):
            yield _reservation_status(reservation, "Removed")
    yield ChangedStatuses()


def get_transaction_status(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case E14."""
    transaction_id = payload.get("transactionId")
    queued = [s for s in station.outbox if transaction_id in (None, s.transaction.wire_id)]
    answer: dict[str, Any] = {"messagesInQueue": bool(queued)}
    if transaction_id is not None:
        answer["ongoingIndicator"] = station.by_wire_id(transaction_id) is not None
    return Answer(answer)


def cost_updated(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case I02: the driver sees it, who is not simulated."""
    return Answer({})


def data_transfer(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case P02: every vendor's message is accepted and its data sent back."""
    return accepted(**({"data": payload["data"]} if "data" in payload else {}))


def reserve_now(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case H01."""
    reservation = Reservation(
        int(payload["id"]),
        str(payload["idToken"]["idToken"]),
        payload.get("groupIdToken", {}).get("idToken"),
        unix_seconds(payload["expiryDateTime"]),
    )
    status = station.reserve(reservation, payload.get("evseId"))
    return Answer({"status": status}, _keep(station, reservation) if status == "Accepted" else None)


def cancel_reservation(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case H02."""
    return accepted(say_changes()) if station.release(payload["reservationId"]) else Answer({"status": "Rejected"})


def _keep(station: Station, reservation: Reservation) -> Errand:
    yield ChangedStatuses()
    yield Until(reservation.expires)
    if station.release(reservation.id, reservation):
        yield _reservation_status(reservation, "Expired")
        yield ChangedStatuses()


def _reservation_status(reservation: Reservation, status: str) -> Message:
    return Message("ReservationStatusUpdate", {"reservationId": reservation.id, "reservationUpdateStatus": status})


def runs(connector: Connector | None, transaction_id: str | int | None) -> bool:
    """Whether this transaction, or any where none is named, runs on the connector."""
    transaction = connector.transaction if connector is not None else None
    return transaction is not None and transaction_id in (None, transaction.wire_id)

"""The charger as a device: locks, restarts, availability, triggers, and a vendor's own messages."""

from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.arguments import at_most, one_connector
from gateway.ocpp.endings import ending, status_result, worst
from gateway.ocpp.profile import Answered, Call, Ending, Station
from gateway.ocpp.triggers import checked_trigger
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, evse


def unlock(arguments: Arguments, station: Station) -> list[Call]:
    """Use case F05."""
    evse_id, connector_id = one_connector(arguments, "unlock")
    return [Call("UnlockConnector", {"evseId": evse_id, "connectorId": connector_id})]


def reset(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use cases B11 and B12."""
    if arguments["type"] == "immediate_and_resume" and dialect is V201:
        raise CommandUnsupported("reset: OCPP 2.0.1 knows no immediate_and_resume; versions that do: 2.1")
    types = {"immediate": "Immediate", "on_idle": "OnIdle", "immediate_and_resume": "ImmediateAndResume"}
    payload: dict[str, Any] = {"type": types[arguments["type"]]}
    if arguments["evse_id"]:
        payload["evseId"] = arguments["evse_id"]
    return [Call("Reset", payload)]


def set_availability(arguments: Arguments, station: Station) -> list[Call]:
    """Use cases G03 (EVSE or connector) and G04 (charging station)."""
    payload: dict[str, Any] = {"operationalStatus": "Operative" if arguments["available"] else "Inoperative"}
    return [Call("ChangeAvailability", payload | evse(arguments))]


def trigger(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case F06. A StatusNotification is of a connector (F06.FR.13): connector 1 of an EVSE if none is named,
    and where no EVSE is, each that is known in turn."""
    message = checked_trigger(arguments["message"], dialect.version)
    payload: dict[str, Any] = {"requestedMessage": message} | evse(arguments)
    if message == "StatusNotification" and "evse" not in payload and station.places:
        places = [{"id": evse_id, "connectorId": connector_id} for evse_id, connector_id in station.places]
        return [Call("TriggerMessage", {**payload, "evse": place}) for place in places]
    if message == "StatusNotification" and "evse" in payload:
        payload["evse"].setdefault("connectorId", 1)
    if message == "CustomTrigger":
        if arguments["custom"] is None:
            raise CommandInvalid("trigger: a CustomTrigger needs the vendor's name of it in custom")
        payload["customTrigger"] = arguments["custom"]
    return [Call("TriggerMessage", payload)]


def triggered(calls: list[Call], answers: list[Answered]) -> Ending:
    """Rejected where the station said no of any of the places that were asked for."""
    parts = [ending(answer.payload, status_result(answer.payload)) for answer in answers]
    told = next((part for part in parts if part.outcome is not Outcome.ACCEPTED), parts[0])
    places = [call.payload.get("evse", {}) for call in calls]
    names = [f"evse {place.get('id')} connector {place.get('connectorId')}" for place in places]
    return worst(parts, names, told.result or {})


def data_transfer(arguments: Arguments, station: Station) -> list[Call]:
    """Use case P02."""
    payload: dict[str, Any] = {"vendorId": arguments["vendor_id"]}
    if arguments["message_id"] is not None:
        payload["messageId"] = at_most(arguments["message_id"], 50, "data_transfer: message_id")
    if arguments["data"] is not None:
        payload["data"] = arguments["data"]
    return [Call("DataTransfer", payload)]


def data_transferred(calls: list[Call], answers: list[Answered]) -> Ending:
    payload = answers[0].payload
    return ending(payload, {**status_result(payload), "data": payload.get("data")})

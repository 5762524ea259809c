"""The charger as a device: locks, restarts, availability, triggers, and a vendor's own messages."""

import json
from typing import Any

from gateway.core.errors import CommandUnsupported
from gateway.ocpp.arguments import at_most, one_connector
from gateway.ocpp.endings import ending, status_result
from gateway.ocpp.profile import Answered, Call, Ending, Station
from gateway.ocpp.triggers import checked_trigger

Arguments = dict[str, Any]

EXTENDED_TRIGGERS = {
    # message → as ExtendedTriggerMessage of the security extension names it, which alone can ask for it
    "LogStatusNotification": "LogStatusNotification",
    "SignChargePointCertificate": "SignChargePointCertificate",
    "SignedFirmwareStatusNotification": "FirmwareStatusNotification",
}


def unlock(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.18."""
    evse_id, connector_id = one_connector(arguments, "unlock")
    only_connector(connector_id)
    return [Call("UnlockConnector", {"connectorId": evse_id})]


def reset(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.14."""
    if arguments["evse_id"]:
        raise CommandUnsupported("OCPP 1.6 resets the whole charger; versions that reset an EVSE: 2.0.1, 2.1")
    if arguments["type"] == "immediate_and_resume":
        raise CommandUnsupported("reset: OCPP 1.6 knows no immediate_and_resume; versions that do: 2.1")
    return [Call("Reset", {"type": {"immediate": "Hard", "on_idle": "Soft"}[arguments["type"]]})]


def set_availability(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.2."""
    only_connector(arguments["connector_id"])
    kind = "Operative" if arguments["available"] else "Inoperative"
    return [Call("ChangeAvailability", {"connectorId": arguments["evse_id"], "type": kind})]


def trigger(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.17, and ExtendedTriggerMessage of the security extension. The connector is named only where > 0."""
    message = checked_trigger(arguments["message"], "1.6")
    only_connector(arguments["connector_id"])
    where = {"connectorId": arguments["evse_id"]} if arguments["evse_id"] else {}
    if message in EXTENDED_TRIGGERS:
        return [Call("ExtendedTriggerMessage", {"requestedMessage": EXTENDED_TRIGGERS[message], **where})]
    return [Call("TriggerMessage", {"requestedMessage": message, **where})]


def data_transfer(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.6. Data are text in 1.6; anything else is sent as its JSON."""
    data = arguments["data"]
    payload: dict[str, Any] = {"vendorId": arguments["vendor_id"]}
    if arguments["message_id"] is not None:
        payload["messageId"] = at_most(arguments["message_id"], 50, "data_transfer: message_id")
    if data is not None:
        payload["data"] = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return [Call("DataTransfer", payload)]


def data_transferred(calls: list[Call], answers: list[Answered]) -> Ending:
    payload = answers[0].payload
    return ending(payload, {**status_result(payload), "data": payload.get("data")})


def only_connector(connector_id: int | None) -> None:
    """Raises CommandUnsupported where a second connector of an EVSE is named."""
    if connector_id is not None and connector_id > 1:
        raise CommandUnsupported(
            "an OCPP 1.6 connector is an EVSE with the one connector 1: name it by evse_id; "
            "versions with several connectors per EVSE: 2.0.1, 2.1"
        )

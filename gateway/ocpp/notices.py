"""Translations that are the same in every version."""

from typing import Any

from gateway.core.reports import Heartbeat, Notice, Report
from gateway.ocpp.fields import integer, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, one, read, time

STATUS_INFO: Shape = {"reasonCode": ("reason_code", text), "additionalInfo": ("additional_info", text)}
"""StatusInfoType of OCPP 2.x."""

_PROGRESS: Shape = {
    "status": ("status", word),
    "requestId": ("request_id", integer),
    "statusInfo": ("status_info", one(STATUS_INFO)),
}


def heartbeat(payload: dict[str, Any], notes: Notes) -> Report:
    return Heartbeat()


def data_transfer(payload: dict[str, Any], notes: Notes) -> Report:
    """A vendor's own message; its data stay as they are, whatever their type."""
    return Notice(
        "ocpp.data.transfer",
        {
            "vendor_id": text(payload, "vendorId", notes),
            "message_id": text(payload, "messageId", notes),
            "data": payload.get("data"),
        },
    )


def firmware_status(payload: dict[str, Any], notes: Notes) -> Report:
    """FirmwareStatusNotification of every version, and 1.6's SignedFirmwareStatusNotification."""
    data = progress(payload, notes)
    return Notice("ocpp.firmware.status", data, changes=changed("firmware_status", data["status"]))


def log_status(payload: dict[str, Any], notes: Notes) -> Report:
    """LogStatusNotification of the security extension and of 2.x; which log it is, the request said."""
    data = {**progress(payload, notes), "log_type": None}
    return Notice("ocpp.log.status", data, changes=changed("log_status", data["status"]))


def security_event(payload: dict[str, Any], notes: Notes) -> Report:
    """SecurityEventNotification of the security extension and of 2.x (use case A04)."""
    data = {"type": word(payload, "type", notes), "tech_info": text(payload, "techInfo", notes)}
    return Notice("ocpp.charger.security", data, time=time(payload, "timestamp", notes))


def progress(payload: dict[str, Any], notes: Notes) -> dict[str, Any]:
    """How far a transfer has come, and the request that it belongs to."""
    return read(payload, _PROGRESS, notes)


def changed(field: str, value: Any) -> dict[str, Any]:
    """The field of the charger's snapshot, unless nothing is known of it."""
    return {} if value is None else {field: value}

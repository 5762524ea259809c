"""Translations that are the same in every version."""

from typing import Any

from gateway.core.reports import Heartbeat, Notice, Report, Untranslated
from gateway.ocpp.fields import integer, text, word
from gateway.ocpp.profile import Notes


def heartbeat(payload: dict[str, Any], notes: Notes) -> Report:
    return Heartbeat()


def untranslated(payload: dict[str, Any], notes: Notes) -> Report:
    """The message passes raw."""
    return Untranslated()


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
    status = word(payload, "status", notes)
    data = {"status": status, "request_id": integer(payload, "requestId", notes)}
    return Notice("ocpp.firmware.status", data, changes={"firmware_status": status} if status else {})

"""Firmware that a local controller publishes to the chargers behind it (use case L03)."""

from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.notices import changed, progress
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import texts


def published_firmware_status(payload: dict[str, Any], notes: Notes) -> Report:
    """PublishFirmwareStatusNotification; `locations` are where chargers find it once it is published."""
    data = {**progress(payload, notes), "locations": texts(payload, "location", notes)}
    return Notice("ocpp.firmware.published", data, changes=changed("published_firmware_status", data["status"]))

"""Battery swapping (functional block S)."""

from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import integer, number, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, each, one, time
from gateway.ocpp.v201.notices.tokens import ID_TOKEN

_BATTERY: Shape = {
    "evseId": ("evse_id", integer),
    "serialNumber": ("serial_number", text),
    "soC": ("soc_percent", number),
    "soH": ("state_of_health_percent", number),
    "productionDate": ("produced_at", time),
    "vendorInfo": ("vendor_info", text),
}


def battery_swap(payload: dict[str, Any], notes: Notes) -> Report:
    """BatterySwap: batteries were put in or taken out, or not taken out in time."""
    data = {
        "request_id": integer(payload, "requestId", notes),
        "event": word(payload, "eventType", notes),
        "token": one(ID_TOKEN)(payload, "idToken", notes, ()),
        "batteries": each(_BATTERY)(payload, "batteryData", notes, ()),
    }
    return Notice("ocpp.battery.swap", data)

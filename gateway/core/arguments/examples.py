"""One example of each command's arguments: shown in OpenAPI and AsyncAPI, checked and carried out by tests."""

from collections.abc import Mapping
from typing import Any

ARGUMENTS: Mapping[str, dict[str, Any]] = {
    "start": {"token": "04A2B3C4D5E6F7", "evse_id": 1},
    "stop": {"evse_id": 1},
    "unlock": {"evse_id": 1, "connector_id": 1},
    "reset": {"type": "on_idle"},
    "set_availability": {"available": False, "evse_id": 1},
    "trigger": {"message": "StatusNotification", "evse_id": 1},
    "get_variables": {"variables": [{"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}]},
    "set_variables": {"variables": [{"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "300"}]},
    "set_charging_limit": {"current_a": 10, "evse_id": 1, "until": "2026-11-21T18:00:00.000Z"},
    "data_transfer": {"vendor_id": "com.example", "message_id": "Ping", "data": "hello"},
}

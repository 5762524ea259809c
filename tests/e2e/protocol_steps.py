"""Every neutral command in an order in which each is accepted by a charger that can do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, dict[str, Any]]
"""The `result` of each step before, by the command's name."""

ROOT = """-----BEGIN CERTIFICATE-----
MIIBkzCCATmgAwIBAgIUOcyk9jkSDJjoG3ZaRrgs1EuVHmMwCgYIKoZIzj0EAwIw
HjENMAsGA1UECgwEUm9vdDENMAsGA1UEAwwEUm9vdDAgFw0yNjExMjYwNzEwMjZa
GA8yMTI2MTEwMjA3MTAyNlowHjENMAsGA1UECgwEUm9vdDENMAsGA1UEAwwEUm9v
dDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHym37pz6J/1PfUIawNm0S/BHV8Y
GoemLLULGJYUY2pxcXueIdJfYXhLUMwGgbX4fYeR1jXU/OSKA2mT4ZGw8yyjUzBR
MB0GA1UdDgQWBBQ2BmgXlActAkz0BlxQzTWhtiLU1DAfBgNVHSMEGDAWgBQ2BmgX
lActAkz0BlxQzTWhtiLU1DAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gA
MEUCIQDYtwRBB56TfuSrurgJK2qdqcZForYx5fiySkOa6a9pCwIgVF5zxouH+ad+
cuvEqyVlBLXqQ2O+T4K/OHhNXICNbDM=
-----END CERTIFICATE-----
"""
"""A root certificate that is valid for a hundred years; nobody has its key."""

HEARTBEAT = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}
STREAM = {
    **HEARTBEAT,
    "type": "periodic",
    "value": 60,
    "severity": 5,
    "event_stream": {"interval_s": 60, "values": 1},
}
TARIFF = {"tariff_id": "day", "currency": "EUR", "energy": {"prices": [{"price_per_kwh": 0.45}]}}
CHECKSUM = "9e107d9d372bb6826bd81d3542a419d6"


@dataclass(frozen=True, slots=True)
class Step:
    """One command; its arguments may depend on what came before, and `needs` is a state to wait for."""

    name: str
    arguments: dict[str, Any] | Callable[[Results], dict[str, Any]]
    needs: Callable[[dict[str, Any]], bool] | None = None
    only: str | None = None
    """The one version that can do it with these arguments, though others have the command."""
    until: Callable[[dict[str, Any]], bool] | None = None
    """Asked again until the answer is this: the charger does something meanwhile."""


def profile(number: int, purpose: str, *, kind: str = "absolute", limit: float = 16) -> dict[str, Any]:
    """A charging profile of one period."""
    begin = {"starts_at": "2026-01-01T00:00:00.000Z"} if kind == "absolute" else {}
    schedule = {"unit": "A", "periods": [{"start_s": 0, "limit": limit}], **begin}
    return {"id": number, "purpose": purpose, "kind": kind, "stack_level": 2, "schedules": [schedule]}


def available(state: dict[str, Any]) -> bool:
    return state["status"] == "available"


def accepted(answer: dict[str, Any]) -> bool:
    return answer["outcome"] == "accepted"


def charging(state: dict[str, Any]) -> bool:
    return state["status"] == "charging" and state["transaction"] is not None


STEPS: tuple[Step, ...] = (
    # Variables
    Step("set_variables", {"variables": [{**HEARTBEAT, "value": "600"}]}),
    Step("get_variables", {"variables": [HEARTBEAT, {**HEARTBEAT, "variable": "Nothing"}]}),
    Step("get_report", {"base": "full"}),
    Step("set_monitoring", {"monitors": [{**HEARTBEAT, "type": "upper_threshold", "value": 900, "severity": 4}]}),
    Step("get_monitoring_report", {"criteria": ["threshold"]}),
    Step("set_monitoring_level", {"severity": 7}),
    Step("clear_monitoring", lambda before: {"ids": [before["set_monitoring"]["monitors"][0]["id"]]}),
    Step("set_monitoring_base", {"base": "all"}),
    Step("set_monitoring", {"monitors": [STREAM]}, only="2.1"),
    Step("get_event_streams", {}, until=lambda answer: accepted(answer) and answer["result"]["streams"] != []),
    Step(
        "adjust_event_stream", lambda before: {"stream_id": before["set_monitoring"]["monitors"][0]["id"], "values": 2}
    ),
    # Firmware and logs
    Step("get_log", {"location": "https://logs.example.com/upload"}),
    Step("update_firmware", {"location": "https://firmware.example.com/charger.bin"}),
    Step("publish_firmware", {"location": "https://firmware.example.com/charger.bin", "checksum": CHECKSUM}),
    Step("unpublish_firmware", {"checksum": CHECKSUM}, until=accepted),
    # Who may charge where
    Step("reserve", {"token": "DRIVER", "evse_id": 1, "until": "2099-01-01T00:00:00.000Z"}, available),
    Step("cancel_reservation", lambda before: {"reservation_id": before["reserve"]["reservation_id"]}),
    Step("send_local_list", {"version": 1, "tokens": [{"token": "DRIVER"}]}),
    Step("get_local_list_version", {}),
    Step("clear_cache", {}),
    Step("customer_information", {"token": "DRIVER"}),
    # Certificates
    Step("install_certificate", {"type": "csms_root", "certificate": ROOT}),
    Step("list_certificates", {"types": ["csms_root"]}),
    Step("delete_certificate", lambda before: certificate_hash(before["list_certificates"])),
    Step("send_certificate", {"certificate_chain": ROOT}),
    # The display, and the way to the CSMS
    Step("display_message", {"text": "Closed"}),
    Step("get_display_messages", {}),
    Step("clear_display_message", lambda before: {"message_id": before["display_message"]["message_id"]}),
    Step(
        "set_network_profile",
        {"slot": 1, "url": "wss://csms.example.com/ocpp", "interface": "wired0", "security_profile": 1},
    ),
    # The charger as a device
    Step("data_transfer", {"vendor_id": "com.example", "message_id": "Ping", "data": "hello"}),
    Step("trigger", {"message": "StatusNotification", "evse_id": 1}),
    Step("unlock", {"evse_id": 1}),
    Step("set_availability", {"available": False, "evse_id": 1}),
    Step("set_availability", {"available": True, "evse_id": 1}),
    # Tariffs, DER, grid
    Step("set_default_tariff", {"tariff": TARIFF}),
    Step("get_tariffs", {}),
    Step("clear_tariffs", {"tariff_ids": ["day"]}),
    Step(
        "set_der_control",
        {
            "control_id": "volt-watt",
            "control_type": "volt_watt",
            "is_default": True,
            "curve": {"priority": 0, "y_unit": "pct_max_w", "points": [{"x": 106, "y": 100}, {"x": 110, "y": 0}]},
        },
    ),
    Step("get_der_control", {"is_default": True}),
    Step("clear_der_control", {"is_default": True, "control_id": "volt-watt"}),
    Step("send_afrr_signal", {"signal": 1}),
    Step("request_battery_swap", {"token": "DRIVER"}),
    Step("notify_web_payment_started", {"evse_id": 1}),
    # A transaction and what it may draw
    Step("set_charging_profile", {"evse_id": 1, "profile": profile(20, "tx_default")}),
    Step("get_charging_profiles", {"evse_id": 1}),
    Step("get_composite_schedule", {"evse_id": 1, "duration_s": 3600, "unit": "A"}),
    Step("clear_charging_profile", {"profile_id": 20}),
    Step("start", {"token": "DRIVER", "evse_id": 1}, available),
    Step("set_charging_limit", {"evse_id": 1, "current_a": 10}, charging),
    Step("pause", {"evse_id": 1}),
    Step("resume", {"evse_id": 1}),
    Step("clear_charging_limit", {"evse_id": 1}),
    Step("get_transaction_status", {}),
    Step("update_cost", {"evse_id": 1, "total_cost": 4.2}),
    Step("set_allowed_energy_transfer", {"evse_id": 1, "energy_transfers": ["ac_three_phase"]}),
    Step("change_transaction_tariff", {"evse_id": 1, "tariff": {**TARIFF, "tariff_id": "guest"}}),
    Step("set_charging_profile", {"evse_id": 1, "profile": profile(30, "tx_default", kind="dynamic")}, only="2.1"),
    Step("update_dynamic_schedule", {"profile_id": 30, "limit": 8}),
    Step("set_charging_profile", {"evse_id": 1, "profile": profile(31, "priority_charging", limit=32)}, only="2.1"),
    Step("use_priority_charging", {"evse_id": 1, "active": True}),
    Step("stop", {"evse_id": 1}),
    Step("reset", {"type": "on_idle"}),
)


def certificate_hash(listed: dict[str, Any]) -> dict[str, Any]:
    """What delete_certificate wants, out of what list_certificates told."""
    names = ("hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number")
    return {name: listed["certificates"][0][name] for name in names}

"""One example of each command's arguments: shown in OpenAPI and AsyncAPI, checked and carried out by tests."""

from collections.abc import Mapping
from typing import Any

_PEM = "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n"

ARGUMENTS: Mapping[str, dict[str, Any]] = {
    "start": {"token": "04A2B3C4D5E6F7", "evse_id": 1},
    "stop": {"evse_id": 1},
    "unlock": {"evse_id": 1, "connector_id": 1},
    "reset": {"type": "on_idle"},
    "set_availability": {"available": False, "evse_id": 1},
    "trigger": {"message": "StatusNotification", "evse_id": 1},
    "get_variables": {"variables": [{"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}]},
    "set_variables": {"variables": [{"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "300"}]},
    "set_charging_limit": {"current_a": 10, "evse_id": 1, "until": "2036-11-21T18:00:00.000Z"},
    "data_transfer": {"vendor_id": "com.example", "message_id": "Ping", "data": "hello"},
    "get_report": {"base": "full"},
    "set_monitoring": {
        "monitors": [
            {
                "component": "EVSE",
                "evse_id": 1,
                "variable": "Power",
                "type": "upper_threshold",
                "value": 11000,
                "severity": 4,
            }
        ]
    },
    "clear_monitoring": {"ids": [7]},
    "get_monitoring_report": {"criteria": ["threshold"]},
    "set_monitoring_base": {"base": "factory_default"},
    "set_monitoring_level": {"severity": 4},
    "update_firmware": {"location": "https://firmware.example.com/charger-2.1.bin", "retries": 3},
    "publish_firmware": {
        "location": "https://firmware.example.com/charger-2.1.bin",
        "checksum": "9e107d9d372bb6826bd81d3542a419d6",
    },
    "unpublish_firmware": {"checksum": "9e107d9d372bb6826bd81d3542a419d6"},
    "get_log": {"location": "https://logs.example.com/upload", "oldest": "2026-11-20T00:00:00.000Z"},
    "reserve": {"token": "04A2B3C4D5E6F7", "evse_id": 1, "until": "2036-11-21T18:00:00.000Z"},
    "cancel_reservation": {"reservation_id": 7},
    "send_local_list": {
        "version": 3,
        "tokens": [
            {"token": "04A2B3C4D5E6F7", "expires_at": "2036-12-31T23:00:00.000Z"},
            {"token": "04B2B3C4D5E6F7", "status": "blocked"},
        ],
    },
    "get_local_list_version": {},
    "clear_cache": {},
    "customer_information": {"token": "04A2B3C4D5E6F7", "clear": True},
    "install_certificate": {"type": "csms_root", "certificate": _PEM},
    "delete_certificate": {
        "hash_algorithm": "sha256",
        "issuer_name_hash": "5a0d9e1f7c3b2a48",
        "issuer_key_hash": "c94e6b8f20d1a735",
        "serial_number": "3e8",
    },
    "list_certificates": {"types": ["csms_root"]},
    "send_certificate": {"certificate_chain": _PEM, "type": "charging_station"},
    "display_message": {"text": "Closed from 22:00", "language": "en", "ends_at": "2036-11-21T22:00:00.000Z"},
    "get_display_messages": {},
    "clear_display_message": {"message_id": 7},
    "set_network_profile": {
        "slot": 1,
        "url": "wss://csms.example.com/ocpp",
        "interface": "wired0",
        "security_profile": 2,
    },
    "get_transaction_status": {"transaction_id": "0b1c7c3e-6a0e-4d0c-9c3f-3d1c5f0f8a11"},
    "update_cost": {"evse_id": 1, "total_cost": 4.2},
    "clear_charging_limit": {"evse_id": 1},
    "pause": {"evse_id": 1},
    "resume": {"evse_id": 1},
    "get_composite_schedule": {"evse_id": 1, "duration_s": 86400, "unit": "A"},
    "set_charging_profile": {
        "evse_id": 1,
        "profile": {
            "id": 20,
            "stack_level": 1,
            "purpose": "tx_default",
            "kind": "recurring",
            "recurrency": "daily",
            "schedules": [
                {
                    "unit": "A",
                    "starts_at": "2026-11-21T00:00:00.000Z",
                    "duration_s": 86400,
                    "periods": [{"start_s": 0, "limit": 16}, {"start_s": 61200, "limit": 6}],
                }
            ],
        },
    },
    "clear_charging_profile": {"profile_id": 20},
    "get_charging_profiles": {"evse_id": 1, "purpose": "tx_default"},
    "update_dynamic_schedule": {"profile_id": 30, "limit": 11000},
    "use_priority_charging": {"evse_id": 1, "active": True},
    "set_allowed_energy_transfer": {"evse_id": 1, "energy_transfers": ["ac_three_phase", "dc_bpt"]},
    "send_afrr_signal": {"signal": 10, "at": "2036-11-21T18:00:00.000Z"},
    "set_der_control": {
        "control_id": "volt-watt-1",
        "control_type": "volt_watt",
        "is_default": True,
        "curve": {
            "priority": 0,
            "y_unit": "pct_max_w",
            "points": [{"x": 106, "y": 100}, {"x": 110, "y": 0}],
            "response_time_s": 10,
        },
    },
    "get_der_control": {"is_default": True},
    "clear_der_control": {"is_default": True, "control_type": "volt_watt"},
    "request_battery_swap": {"token": "04A2B3C4D5E6F7", "token_type": "ISO14443"},
    "set_default_tariff": {
        "tariff": {
            "tariff_id": "evening",
            "currency": "EUR",
            "energy": {
                "prices": [
                    {"price_per_kwh": 0.29, "conditions": {"start_time_of_day": "20:00", "end_time_of_day": "06:00"}},
                    {"price_per_kwh": 0.45},
                ],
                "tax_rates": [{"type": "VAT", "tax_percent": 19}],
            },
            "fixed_fee": {"prices": [{"price": 0.5}]},
        }
    },
    "get_tariffs": {"evse_id": 1},
    "clear_tariffs": {"tariff_ids": ["evening"]},
    "change_transaction_tariff": {
        "evse_id": 1,
        "tariff": {"tariff_id": "guest", "currency": "EUR", "energy": {"prices": [{"price_per_kwh": 0.59}]}},
    },
    "notify_web_payment_started": {"evse_id": 1, "timeout_s": 300},
    "adjust_event_stream": {"stream_id": 1, "interval_s": 60},
    "get_event_streams": {},
}

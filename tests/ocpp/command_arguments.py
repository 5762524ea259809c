"""Arguments for every neutral command: what tests of all tables give, and what each version must make of it."""

from typing import Any

from gateway.core.arguments.examples import ARGUMENTS as EXAMPLES
from gateway.ocpp.triggers import TRIGGERS
from tests.ocpp.charging_arguments import CHARGING_ARGUMENTS

AT = "2026-12-01T00:00:00+01:00"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
INTERVAL = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}
HASH = {
    "hash_algorithm": "sha256",
    "issuer_name_hash": "5a0d",
    "issuer_key_hash": "c94e",
    "serial_number": "3e8",
}
MONITOR = {"component": "EVSE", "variable": "Power", "type": "delta", "value": 1.5, "severity": 4}
NETWORK = {"slot": 1, "url": "wss://csms.example/ocpp", "interface": "wired0", "security_profile": 2}

_DEVICE: dict[str, list[dict[str, Any]]] = {
    "unlock": [{}, {"evse_id": 2}],
    "reset": [{}, {"type": "immediate"}, {"evse_id": 1}, {"type": "immediate_and_resume"}],
    "set_availability": [{"available": True}, {"available": False, "evse_id": 2, "connector_id": 1}],
    "trigger": [
        {"message": message, **where, **({"custom": "Fan"} if message == "CustomTrigger" else {})}
        for message in TRIGGERS
        for where in ({}, {"evse_id": 1}, {"evse_id": 0})
    ],
    "data_transfer": [{"vendor_id": "acme"}, {"vendor_id": "acme", "message_id": "m", "data": {"a": [1, None]}}],
}

_VARIABLES: dict[str, list[dict[str, Any]]] = {
    "get_variables": [
        {"variables": [INTERVAL]},
        {"variables": [INTERVAL, {**INTERVAL, "attribute": "Actual"}]},
        {"variables": [{"variable": "MeterValueSampleInterval"}] * 120},
        {},
    ],
    "set_variables": [
        {"variables": [{**INTERVAL, "value": "300"}]},
        {"variables": [{**INTERVAL, "value": ""}] * 2},
        {"variables": [{**INTERVAL, "value": "1"}] * 51},
    ],
    "get_report": [
        {},
        {"base": "configuration"},
        {"base": "summary"},
        {"criteria": ["problem", "active", "problem"]},
        {"variables": [INTERVAL, {"variable": "HeartbeatInterval"}]},
        {"variables": [{"component": "EVSE", "evse_id": 1}], "criteria": ["available"]},
    ],
    "set_monitoring": [
        {"monitors": [MONITOR]},
        {"monitors": [{**MONITOR, "id": 3, "transaction": True, "evse_id": 1, "connector_id": 1}] * 60},
        {"monitors": [{**MONITOR, "type": "target_delta", "event_stream": {"interval_s": 1, "values": 10}}]},
    ],
    "clear_monitoring": [{"ids": [1, 2]}, {"ids": list(range(60))}],
    "get_monitoring_report": [{}, {"criteria": ["delta", "periodic", "threshold"], "variables": [INTERVAL]}],
    "set_monitoring_base": [{"base": base} for base in ("all", "factory_default", "hard_wired_only")],
    "set_monitoring_level": [{"severity": 0}, {"severity": 9}],
}

_URL = "https://files.example/x"
_FILE = {"location": _URL, "retries": 3, "retry_interval_s": 60}

_MAINTENANCE: dict[str, list[dict[str, Any]]] = {
    "update_firmware": [
        {"location": _URL},
        {**_FILE, "retrieve_at": AT},
        {**_FILE, "install_at": AT},
        {**_FILE, "install_at": AT, "signature": "c2ln", "signing_certificate": PEM},
    ],
    "publish_firmware": [{"location": _URL, "checksum": "0" * 32}, {**_FILE, "checksum": "F" * 32}],
    "unpublish_firmware": [{"checksum": "0" * 32}],
    "get_log": [
        {"location": _URL},
        {**_FILE, "type": "security", "oldest": AT, "latest": AT},
        {**_FILE, "type": "data_collector"},
    ],
    "set_network_profile": [
        NETWORK,
        {
            **NETWORK,
            "ocpp_version": "2.0.1",
            "interface": "wireless3",
            "apn": {"name": "internet", "user": "u", "password": "p", "sim_pin": 1234, "preferred_network": "26201"},
            "vpn": {"server": "vpn.example", "user": "u", "password": "p", "key": "k", "type": "ikev2", "group": "g"},
        },
        {**NETWORK, "interface": "any", "ocpp_version": "2.1", "basic_auth_password": "p" * 16, "identity": "CP1"},
    ],
}

_ACCESS: dict[str, list[dict[str, Any]]] = {
    "reserve": [
        {"token": "04AA", "until": AT},
        {"token": "04AA", "until": AT, "evse_id": 2, "reservation_id": 7, "group": "G", "token_type": "eMAID"},
        {"token": "04AA", "until": AT, "connector_type": "cCCS2"},
    ],
    "cancel_reservation": [{"reservation_id": 7}],
    "send_local_list": [
        {"version": 1},
        {
            "version": 2,
            "update": "differential",
            "tokens": [
                {"token": "A", "expires_at": AT, "group": "G"},
                {"token": "B", "status": "no_credit", "evse_ids": [1], "charging_priority": -9},
                {"token": "C", "language": "de", "personal_message": "Hallo"},
                {"token": "D", "remove": True},
            ],
        },
    ],
    "get_local_list_version": [{}],
    "clear_cache": [{}],
    "customer_information": [
        {"token": "04AA"},
        {"customer_identifier": "c", "clear": True},
        {"customer_certificate": HASH, "report": False, "clear": True},
    ],
    "install_certificate": [
        {"type": kind, "certificate": PEM}
        for kind in ("csms_root", "manufacturer_root", "v2g_root", "mo_root", "oem_root")
    ],
    "delete_certificate": [HASH],
    "list_certificates": [{}, {"types": ["csms_root"]}, {"types": ["v2g_chain", "oem_root"]}],
    "send_certificate": [
        {"certificate_chain": PEM},
        {"certificate_chain": PEM, "type": "charging_station", "request_id": 5},
        {"certificate_chain": PEM, "type": "v2g20"},
    ],
}

_DISPLAY: dict[str, list[dict[str, Any]]] = {
    "display_message": [
        {"text": "Hello"},
        {
            "text": "Hallo",
            "language": "de",
            "message_id": 3,
            "priority": "always_front",
            "state": "charging",
            "starts_at": AT,
            "ends_at": AT,
            "transaction_id": "tx-1",
            "display": "Screen",
            "evse_id": 1,
        },
        {"text": "x", "format": "qrcode", "state": "discharging", "evse_id": 1, "extra": [{"text": "y"}]},
    ],
    "get_display_messages": [{}, {"ids": [1], "priority": "in_front", "state": "idle"}, {"state": "suspended"}],
    "clear_display_message": [{"message_id": 3}],
}

_ALL = {**CHARGING_ARGUMENTS, **_DEVICE, **_VARIABLES, **_MAINTENANCE, **_ACCESS, **_DISPLAY}

ARGUMENTS: dict[str, list[dict[str, Any]]] = {name: [*_ALL.get(name, ()), EXAMPLES[name]] for name in EXAMPLES}
"""Command → arguments, the public example among them."""

"""What OCPP 2.1 takes that 2.0.1 does not: firmware, logs, monitors, displays, certificates, network settings."""

from typing import Any

import pytest

from gateway.core.errors import CommandInvalid
from gateway.ocpp.profile import Station
from gateway.ocpp.v21.profile import PROFILE
from tests.ocpp.command_arguments import MONITOR, NETWORK
from tests.ocpp.dialogue import Desk

DESK = Desk(PROFILE, Station([], next_id=lambda: 4711))
URL = "https://x.example/f"


@pytest.mark.parametrize(
    ("command", "arguments", "place", "value"),
    [
        ("reset", {"type": "immediate_and_resume"}, ("type",), "ImmediateAndResume"),
        ("trigger", {"message": "CustomTrigger", "custom": "Fan"}, ("customTrigger",), "Fan"),
        ("get_log", {"location": URL, "type": "data_collector"}, ("logType",), "DataCollectorLog"),
        (
            "install_certificate",
            {"type": "oem_root", "certificate": "P" * 9000},
            ("certificateType",),
            "OEMRootCertificate",
        ),
        ("send_certificate", {"certificate_chain": "P", "request_id": 5}, ("requestId",), 5),
        ("send_certificate", {"certificate_chain": "P", "type": "v2g20"}, ("certificateType",), "V2G20Certificate"),
        ("display_message", {"text": "x" * 1024, "format": "qrcode"}, ("message", "message", "format"), "QRCODE"),
        ("display_message", {"text": "x", "state": "discharging"}, ("message", "state"), "Discharging"),
        (
            "display_message",
            {"text": "x", "extra": [{"text": "y", "language": "de"}]},
            ("message", "messageExtra"),
            [{"format": "UTF8", "content": "y", "language": "de"}],
        ),
        (
            "set_monitoring",
            {"monitors": [{**MONITOR, "event_stream": {"interval_s": 5}}]},
            ("setMonitoringData", 0, "periodicEventStream"),
            {"interval": 5},
        ),
        (
            "set_network_profile",
            {**NETWORK, "basic_auth_password": "p" * 16},
            ("connectionData", "basicAuthPassword"),
            "p" * 16,
        ),
        ("set_network_profile", {**NETWORK, "ocpp_version": "2.0.1"}, ("connectionData", "ocppVersion"), "OCPP201"),
        (
            "reserve",
            {"token": "T" * 255, "token_type": "EVCCID", "until": "2026-12-01T00:00:00Z", "connector_type": "x"},
            ("idToken", "type"),
            "EVCCID",
        ),
    ],
)
def test_what_is_new(command: str, arguments: dict[str, Any], place: tuple[str | int, ...], value: Any) -> None:
    (call,) = DESK.calls(command, **arguments)
    found: Any = call.payload
    for step in place:
        found = found[step]
    assert found == value


def test_a_network_profile_leaves_the_version_to_the_handshake() -> None:
    (call,) = DESK.calls("set_network_profile", **NETWORK)
    assert "ocppVersion" not in call.payload["connectionData"]


def test_a_custom_trigger_needs_its_name() -> None:
    with pytest.raises(CommandInvalid, match="custom"):
        DESK.calls("trigger", message="CustomTrigger")


def test_a_variables_value_may_be_longer() -> None:
    (call,) = DESK.calls("set_variables", variables=[{"component": "C", "variable": "V", "value": "1" * 2500}])
    assert call.action == "SetVariables"
    with pytest.raises(CommandInvalid, match="2500"):
        DESK.calls("set_variables", variables=[{"component": "C", "variable": "V", "value": "1" * 2501}])

"""The password that a charger has taken from a call."""

from typing import Any

import pytest

from gateway.ocpp.passwords import password_taken
from gateway.ocpp.profile import Call

PASSWORD = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
OTHER = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}


def variables(*items: tuple[dict[str, Any], str, str]) -> tuple[Call, dict[str, Any]]:
    """A SetVariables and its answer: variable, value, status."""
    data = [{**named, "attributeValue": value} for named, value, _ in items]
    results = [{**named, "attributeStatus": status} for named, _, status in items]
    return Call("SetVariables", {"setVariableData": data}), {"setVariableResult": results}


def key(name: str, value: str, status: str) -> tuple[Call, dict[str, Any]]:
    """A ChangeConfiguration of OCPP 1.6 and its answer."""
    return Call("ChangeConfiguration", {"key": name, "value": value}), {"status": status}


@pytest.mark.parametrize(
    ("said", "password"),
    [
        (variables((PASSWORD, "0123456789abcdef", "Accepted")), b"0123456789abcdef"),
        (variables((PASSWORD, "new-password-2026", "RebootRequired")), b"new-password-2026"),
        (variables((OTHER, "300", "Rejected"), (PASSWORD, "new-password-2026", "Accepted")), b"new-password-2026"),
        (variables((OTHER, "300", "Accepted"), (PASSWORD, "new-password-2026", "Rejected")), None),
        (variables((OTHER, "300", "Accepted")), None),
        (key("AuthorizationKey", "4F4341", "Accepted"), b"OCA"),
        (key("authorizationkey", "4f4341", "RebootRequired"), b"OCA"),
        (key("AuthorizationKey", "not in hex", "Accepted"), b"not in hex"),
        (key("AuthorizationKey", "4F4341", "Rejected"), None),
        (key("HeartbeatInterval", "300", "Accepted"), None),
        ((Call("Reset", {"type": "OnIdle"}), {"status": "Accepted"}), None),
        ((Call("SetVariables", {}), {"setVariableResult": [None, {"component": 1}]}), None),
    ],
)
def test_what_a_charger_took_as_its_password(said: tuple[Call, dict[str, Any]], password: bytes | None) -> None:
    """A01.FR.02, FR.03."""
    assert password_taken(*said) == password

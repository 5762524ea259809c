"""The password that a charger has taken from a call: from then on it connects with that."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gateway.ocpp.fields import as_list, mapping
from gateway.ocpp.profile import Call, Notes

_TAKEN = frozenset({"Accepted", "RebootRequired"})
_VARIABLE = ("securityctrlr", "basicauthpassword")
_KEY = "authorizationkey"


def password_taken(call: Call, answer: Mapping[str, Any]) -> bytes | None:
    """The new Basic-auth password, None where the call set none or the charger did not take it.

    Use case A01 (A01.FR.02, FR.03); in 1.6 the configuration key AuthorizationKey, which holds it in hexadecimal.
    """
    if call.action == "ChangeConfiguration":
        return _from_key(call.payload, answer)
    if call.action != "SetVariables":
        return None
    taken = any(item.get("attributeStatus") in _TAKEN for item in _of_password(answer, "setVariableResult"))
    values = [item.get("attributeValue") for item in _of_password(call.payload, "setVariableData")]
    return str(values[-1]).encode() if taken and values else None


def is_password(item: Mapping[str, Any]) -> bool:
    """Whether an object of a payload is about the password: the variable of 2.x, or the key of 1.6."""
    return str(item.get("key")).lower() == _KEY or _named(item) == _VARIABLE


def _from_key(payload: Mapping[str, Any], answer: Mapping[str, Any]) -> bytes | None:
    if str(payload.get("key")).lower() != _KEY or answer.get("status") not in _TAKEN:
        return None
    value = str(payload.get("value", ""))
    with suppress(ValueError):
        return bytes.fromhex(value) or None
    return value.encode()


def _of_password(payload: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The items of a list that are about the variable of the password."""
    return [item for item in as_list(payload.get(name)) if isinstance(item, dict) and _named(item) == _VARIABLE]


def _named(item: Mapping[str, Any]) -> tuple[str, str]:
    component, variable = mapping(item, "component", Notes()), mapping(item, "variable", Notes())
    return str(component.get("name")).lower(), str(variable.get("name")).lower()

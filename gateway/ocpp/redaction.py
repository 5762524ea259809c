"""Secrets that OCPP payloads hold, put out of sight before the payloads are shown."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.ocpp.passwords import is_password

HIDDEN = "***"

_FIELDS = frozenset({"basicauthpassword", "password", "apnpassword", "simpin", "authorizationkey"})
"""Fields that are secrets themselves: of network profiles (2.x, SetNetworkProfile), and whatever vendors call so."""

_VALUES = frozenset({"attributeValue", "value", "actualValue"})
"""Where the value of a variable or key stands, in settings, readings, reports and events."""

_LOGIN = re.compile(r"(://)[^/?#\s]*@")
"""User name and password in a URL, as for uploads and downloads."""

_NAMES = re.compile(r"password|authorizationkey|simpin", re.IGNORECASE)


def redacted(payload: Any) -> Any:
    """The payload without its secrets: the very same object where it has none.

    Secrets are the charger's Basic-auth password (BasicAuthPassword, AuthorizationKey), the passwords of network
    profiles, and logins in URLs.
    """
    if isinstance(payload, dict):
        return _of_object(payload)
    if isinstance(payload, list):
        items = [redacted(item) for item in payload]
        return payload if all(new is old for new, old in zip(items, payload, strict=True)) else items
    if isinstance(payload, str) and "@" in payload:
        shown = _LOGIN.sub(rf"\1{HIDDEN}@", payload)
        return payload if shown == payload else shown
    return payload


def redacted_text(text: str) -> str:
    """A text that is no message, without what may be a secret: then nothing of it is shown."""
    return HIDDEN if _NAMES.search(text) else _LOGIN.sub(rf"\1{HIDDEN}@", text)


def _of_object(payload: dict[str, Any]) -> dict[str, Any]:
    of_password = is_password(payload)
    shown = {name: _field(name, value, of_password=of_password) for name, value in payload.items()}
    return payload if all(shown[name] is value for name, value in payload.items()) else shown


def _field(name: str, value: Any, *, of_password: bool) -> Any:
    if name.lower() in _FIELDS and value is not None:
        return HIDDEN
    if of_password and (name in _VALUES or name == "variableAttribute"):
        return _without_values(value)
    if name == "vpn" and isinstance(value, Mapping) and "key" in value:
        return redacted({**value, "key": HIDDEN})
    return redacted(value)


def _without_values(value: Any) -> Any:
    """The attributes of a variable that is a secret; a bare value is one."""
    if not isinstance(value, list):
        return HIDDEN
    return [
        {name: HIDDEN if name in _VALUES else other for name, other in item.items()}
        if isinstance(item, dict)
        else HIDDEN
        for item in value
    ]

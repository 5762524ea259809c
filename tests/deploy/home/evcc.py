"""evcc's custom charger as far as its MQTT plugin goes: what it reads out of messages, and what it publishes.

After https://docs.evcc.io/en/reference/plugins: a reading goes through `quote` and `jq`, then becomes a string, a
number (times `scale`) or a bool; what is set is put into `payload`.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import jq

READERS = {"status", "enabled", "identify", "power", "energy", "currents"}
SETTERS = {"enable", "maxcurrent", "maxcurrentmillis", "wakeup"}
READS = {"source", "topic", "timeout", "jq", "scale", "quote"}
SETS = {"source", "topic", "payload"}
TRUE, FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}
_TEMPLATE = re.compile(r"\{\{ if \.(\w+) \}\}(.*)\{\{ else \}\}(.*)\{\{ end \}\}", re.DOTALL)
_VARIABLE = re.compile(r"\$\{(\w+)(?::([a-zA-Z0-9%.]+))?\}")


class Unreadable(Exception):
    """evcc would report an error and not use the value."""


def string(plugin: Mapping[str, Any], retained: Mapping[str, str]) -> str:
    """A reading as evcc gets it."""
    if plugin["source"] == "valid":
        if not boolean(plugin["valid"], retained):
            raise Unreadable("invalid")
        return string(plugin["value"], retained)
    assert plugin["source"] == "mqtt"
    assert set(plugin) <= READS, plugin
    if plugin["topic"] not in retained:
        raise Unreadable(f"outdated: nothing on {plugin['topic']}")
    text = retained[plugin["topic"]]
    if "jq" in plugin:
        value = jq.compile(plugin["jq"]).input_text(json.dumps(text) if plugin.get("quote") else text).first()
        # As Go prints it.
        text = "<nil>" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text


def number(plugin: Mapping[str, Any], retained: Mapping[str, str]) -> float:
    try:
        value = float(string(plugin, retained))
    except ValueError as error:
        raise Unreadable(str(error)) from error
    if not math.isfinite(value):
        raise Unreadable(f"invalid float value: {value}")
    return value * float(plugin.get("scale", 1))


def boolean(plugin: Mapping[str, Any], retained: Mapping[str, str]) -> bool:
    text = string(plugin, retained)
    if text not in TRUE | FALSE:
        raise Unreadable(f"no bool: {text!r}")
    return text in TRUE


def status(plugin: Mapping[str, Any], retained: Mapping[str, str]) -> str:
    """A, B or C; evcc reports E and F, and all else, as an error."""
    text = string(plugin, retained).strip("\0 ").upper()
    if text[:1] not in ("A", "B", "C", "D"):
        raise Unreadable(f"invalid status: {text}")
    return "C" if text[0] == "D" else text[0]


def message(plugin: Mapping[str, Any], name: str, value: bool | float) -> tuple[str, str]:
    """Topic and payload with which evcc sets a value."""
    assert plugin["source"] == "mqtt"
    assert set(plugin) <= SETS, plugin
    payload = plugin.get("payload", "")
    if template := _TEMPLATE.fullmatch(payload):
        assert template[1] == name
        payload = template[2] if value else template[3]
    assert "{{" not in payload, "a template that this test does not know"

    def put(variable: re.Match[str]) -> str:
        assert variable[1] == name, f"wanted: {variable[1]}"
        return _formatted(value) if variable[2] is None else variable[2] % value

    text = _VARIABLE.sub(put, payload) if payload else _formatted(value)
    return plugin["topic"], text


def _formatted(value: bool | float) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"

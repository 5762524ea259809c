"""What differs between two recordings, made the same: ids, and times by the gateway's clock."""

import json
import re
import time
from typing import Any

from gateway.core.clock import rfc3339
from tests.ocpp.payload_parts import LATER, NOW

RECORDED = "2026-11-21T18:00:00.210Z"
"""What stands for the gateway's clock."""

_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_HEX = re.compile(r"\b[0-9a-f]{32}\b")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_FIXED = {
    "epoch": "0001795246200000",
    "sequence": "000000000042",
    "recordedtime": RECORDED,
    "ocppmessageid": "m-1",
    "node": "node-1",
    "remote_address": "192.0.2.7",
}
_NUMBERED = re.compile(r"\d{16}-\d{12}")


class Clock:
    """The times of the payloads, moved to today and back: what lies in the future would be suspect."""

    def __init__(self) -> None:
        now = time.time()
        self._begun, self._ended = rfc3339(now - 36_000), rfc3339(now - 1)
        self._numbers: dict[str, str] = {}

    def moved(self, payload: Any) -> Any:
        """A charger's payload with times of today."""
        return _replaced(payload, {NOW: self._begun, LATER: self._ended})

    def same_number(self, number: object, stands_for: str) -> None:
        """A number that is made anew each time is written as this one."""
        self._numbers[str(number)] = stands_for

    def normalised(self, found: Any) -> Any:
        text = json.dumps(found)
        for number, stands_for in self._numbers.items():
            text = re.sub(rf"\b{number}\b", stands_for, text)
        text = text.replace(self._begun, NOW).replace(self._ended, LATER)
        text = _TIME.sub(lambda time: time[0] if _stays(time[0]) else RECORDED, text)
        ids: dict[str, str] = {}
        text = _UUID.sub("5f0c1f2a-9b7d-4e1c-8a3b-6d5e4f7a8b9c", text)
        text = _HEX.sub(lambda id_: ids.setdefault(id_[0], f"5f0c1f2a9b7d4e1c8a3b6d5e4f7a8b{156 + len(ids):02x}"), text)
        return _fixed(json.loads(text))


def _stays(time: str) -> bool:
    """Whether a time is one of the payloads', or one far ahead that arguments have."""
    return time in (NOW, LATER) or time.startswith("2036-")


def _fixed(node: Any) -> Any:
    if isinstance(node, list):
        return [_fixed(item) for item in node]
    if isinstance(node, str) and _NUMBERED.fullmatch(node):
        return f"{_FIXED['epoch']}-{_FIXED['sequence']}"
    if isinstance(node, dict):
        return {
            name: _FIXED[name] if name in _FIXED and item is not None else _fixed(item) for name, item in node.items()
        }
    return node


def _replaced(node: Any, words: dict[str, str]) -> Any:
    text = json.dumps(node)
    for old, new in words.items():
        text = text.replace(old, new)
    return json.loads(text)

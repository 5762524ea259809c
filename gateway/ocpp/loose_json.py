"""JSON as chargers break it: read as far as it can be understood. Never raises but ValueError and RecursionError."""

import json
import re
from math import isfinite
from typing import Any

MAX_REPAIRED = 64 * 1024
"""Characters of a text that is searched for stray commas; no such text seen in the field is longer."""
MAX_DIGITS = 400

# Possessive, so that an unclosed string is passed over once and not tried again from each quote within it.
_STRAY_COMMAS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])[\s,]*,|,[\s,]*(?=[\]}])|(,)[\s,]*,', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]").search


def _integer(digits: str) -> int | str:
    # Python refuses to convert very long numbers; such a one is no number that OCPP knows, and stays text.
    return int(digits) if len(digits) < MAX_DIGITS else digits


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if isfinite(number) else None


DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_finite, parse_constant=lambda _: None, strict=False)
"""Takes what orjson refuses: NaN, Infinity and 1e999 (as null), lone surrogates, control characters."""


def deeper_than(value: Any, limit: int) -> bool:
    """Whether lists and objects nest deeper than `limit`; level by level, so that no depth can exhaust the stack."""
    level = [value]
    for _ in range(limit + 1):
        level = [
            item
            for node in level
            if isinstance(node, dict | list)
            for item in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def without_stray_commas(text: str) -> str:
    """The text without commas that separate nothing, as in `[,{}]`; the same object where there are none."""
    if len(text) > MAX_REPAIRED:
        return text
    repaired = _STRAY_COMMAS.sub(_kept, text)
    return text if repaired == text else repaired


def _kept(found: re.Match[str]) -> str:
    whole = found[0]
    return whole if whole[0] == '"' else found[1] or found[2] or ""


def well_formed(value: Any, text: str) -> Any:
    """`value`, as read from `text`, with halves of characters replaced: they can be neither stored nor sent on."""
    if _SURROGATE(text) is None:
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))

"""JSON as chargers break it: read as far as it can be understood. Never raises but ValueError and RecursionError."""

import json
import re
from math import isfinite
from typing import Any

MAX_REPAIRED = 64 * 1024
"""Characters of a text that is searched for stray commas; no such text seen in the field is longer."""
MAX_DIGITS = 400

# Possessive, so that an unclosed string is passed over once and not tried again from each quote within it.
_NOISE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\x00\ufeff]', re.DOTALL)
_STRAY_COMMAS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])[\s,]*,|,[\s,]*(?=[\]}])|(,)[\s,]*,', re.DOTALL)
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]").search


def _integer(digits: str) -> int | str:
    # Python refuses to convert very long numbers; such a one is no number that OCPP knows, and stays text.
    return int(digits) if len(digits) < MAX_DIGITS else digits


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if isfinite(number) else None


DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_finite, parse_constant=lambda _: None, strict=False)
"""Takes what orjson refuses: NaN, Infinity and 1e999 (as null), lone surrogates, control characters."""


def cut_to(limit: int, text: str) -> str:
    """The text with null for every list and object that nests deeper than `limit`."""
    kept: list[str] = []
    depth, begin = 0, 0
    for found in _BRACKETS.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth == limit + 1:
                kept += (text[begin : found.start()], "null")
        elif found[0] in "]}":
            if depth == limit + 1:
                begin = found.end()
            depth -= 1
    return "".join([*kept, text[begin:] if depth <= limit else ""])


def without_noise(text: str) -> str:
    """The text with blanks for NUL bytes and BOMs outside strings: as long as before, so that places stay the same."""
    if "\x00" not in text and "\ufeff" not in text:
        return text
    return _NOISE.sub(lambda found: found[0] if found[0][0] == '"' else " ", text)


def without_stray_commas(text: str) -> str:
    """The text with blanks for commas that separate nothing, as in `[,{}]`: as long as before, too."""
    return text if len(text) > MAX_REPAIRED else _STRAY_COMMAS.sub(_kept, text)


def _kept(found: re.Match[str]) -> str:
    whole = found[0]
    return whole if whole[0] == '"' else (found[1] or found[2] or "").ljust(len(whole))


def without_nuls(value: Any) -> Any:
    """A copy of `value` whose strings have no NUL: chargers pad with them. It must not be `deeper_than` a few dozen."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [without_nuls(item) for item in value]
    if isinstance(value, dict):
        return {without_nuls(name): without_nuls(item) for name, item in value.items()}
    return value


def well_formed(value: Any, text: str) -> Any:
    """`value`, as read from `text`, with halves of characters replaced: they can be neither stored nor sent on."""
    if _SURROGATE(text) is None:
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))

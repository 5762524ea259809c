"""Cursors of listings: opaque to clients, JSON inside."""

import base64
import json
import math
import re
from typing import Any

from gateway.core.errors import NotFound

_POSITION = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII)
_64_BITS = 2**64


def seal(*parts: str | int | float) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def unseal(cursor: str, *kinds: type) -> list[Any]:
    """The parts of a cursor. Raises NotFound where it is none of ours."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise NotFound(f"no such cursor: {cursor}") from error
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise NotFound(f"no such cursor: {cursor}")
    if not all(map(_is_ours, parts)):
        raise NotFound(f"no such cursor: {cursor}")
    return parts


def is_position(text: str) -> bool:
    """Whether this is the id of a stream's entry: two numbers of 64 bits."""
    return _POSITION.fullmatch(text) is not None and all(int(part) < _64_BITS for part in text.split("-"))


def _is_ours(part: Any) -> bool:
    """Numbers that Redis can be asked with: what we count, and times."""
    if isinstance(part, int):
        return 0 <= part < _64_BITS // 2
    return not isinstance(part, float) or math.isfinite(part)

"""Cursors of listings: opaque to clients, JSON inside."""

import base64
import json
from typing import Any

from gateway.core.errors import NotFound


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
    return parts

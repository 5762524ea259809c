"""Patterns of charger ids: `*` stands for any characters, `?` for one, all else for itself."""

import re
from collections.abc import Iterable
from functools import lru_cache

from gateway.core.identity import ChargerId


def matches(patterns: Iterable[str], charger: ChargerId) -> bool:
    """Whether one of the patterns fits the charger's whole id, in its exact spelling."""
    return any(_compiled(pattern).fullmatch(charger.identity) for pattern in patterns)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in re.sub(r"\*+", "*", pattern))
    return re.compile("".join(parts), re.DOTALL)

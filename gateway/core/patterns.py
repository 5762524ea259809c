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
    """As a chain of pieces between stars, each found at its first place and never sought again: a pattern of many
    stars costs no more than its length times the id's."""
    first, *others = ("".join(map(_one, piece)) for piece in re.split(r"\*+", pattern))
    if not others:
        return re.compile(first, re.DOTALL)
    *inner, last = others
    return re.compile(f"{first}{''.join(f'(?>.*?{piece})' for piece in inner)}.*{last}", re.DOTALL)


def _one(char: str) -> str:
    return "." if char == "?" else re.escape(char)

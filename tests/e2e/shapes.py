"""What two answers have in common: their keys and the types of their values."""

from typing import Any


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where the shapes differ. What is null has any type, and the items of a list are all of one shape."""
    if one is None or other is None:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        found = [f"{path}/{key} is only in one" for key in sorted(one.keys() ^ other.keys())]
        for key in one.keys() & other.keys():
            found += differences(one[key], other[key], f"{path}/{key}")
        return found
    if isinstance(one, list) and isinstance(other, list):
        return differences(one[0], other[0], f"{path}/0") if one and other else []
    return [] if _kind(one) == _kind(other) else [f"{path} is {one!r} and {other!r}"]


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__

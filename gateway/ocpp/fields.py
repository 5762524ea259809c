"""Tolerant readers of payload fields: they never raise, whatever a charger put there.

A deviation that can still be read (a number written as text, an object in place of a list of one) is read in
silence, for the schema check names it. What cannot be read is left out, with the violation `field_unreadable`.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from gateway.ocpp.profile import Notes

At = tuple[str | int, ...]
"""Where in the payload: the names and list indices that lead there. Made into a JSON Pointer only when noted."""

_NUMBER = re.compile(r"\s*[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?\s*", re.ASCII).fullmatch
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])").sub
_NO_WORD = re.compile(r"[^0-9A-Za-z]+").sub
_MAX_MAGNITUDE = 24
"""Powers of ten; what is larger is no reading of a meter and would only cost memory."""
_INT64 = 1 << 63


def pointer(at: At) -> str:
    """The JSON Pointer (RFC 6901) of a place in a payload."""
    return "".join(f"/{part}" for part in at)


def unreadable(value: Any, expected: str, notes: Notes, at: At) -> None:
    """Note that a field was left out because it cannot be read as `expected`."""
    notes.violation("field_unreadable", pointer(at), f"expected {expected}, got {shown(value)}")


def shown(value: Any) -> str:
    """A value as it may stand in a message: short, whatever its size."""
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < _INT64):
        return repr(value)
    return {dict: "an object", list: "a list", int: "a huge number"}.get(type(value), type(value).__name__)


def to_number(value: Any, exponent: int = 0) -> int | float | None:
    """`value` x 10^`exponent`, computed in decimal: an int where it is whole, else a float; None if it is no number."""
    kind = type(value)
    if kind is int:
        if exponent == 0 and -_INT64 < value < _INT64:
            return value  # type: ignore[no-any-return]
        if not -_INT64 < value < _INT64:
            return None
        number = Decimal(value)
    elif kind is str:
        if exponent == 0 and len(value) < 19 and value.isdecimal():
            return int(value)
        if _NUMBER(value) is None:
            return None
        if exponent == 0 and -1e15 < (close := float(value)) < 1e15:
            return int(close) if close.is_integer() else close
        number = Decimal(value)
    elif kind is float:
        if exponent == 0 and -1e15 < value < 1e15:
            return int(value) if value.is_integer() else value
        number = Decimal(repr(value))
    else:
        return None
    if not number.is_finite() or number.adjusted() + exponent > _MAX_MAGNITUDE:
        return None
    if exponent:
        number = number.scaleb(exponent)
    whole = int(number)
    return whole if whole == number else float(str(number))


def to_integer(value: Any) -> int | None:
    """A whole number of at most 64 bits, also from `1.0`, `"1"` and `"1.0"`; None where it is none."""
    if type(value) is int and -_INT64 < value < _INT64:
        return value
    number = to_number(value)
    return number if type(number) is int and -_INT64 < number < _INT64 else None


def to_text(value: Any) -> str | None:
    """Text, also from a number; None where it is neither."""
    if type(value) is str:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) >= _INT64:
        return None
    return str(value)


def integer(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> int | None:
    """A whole number; None where it is missing or unreadable."""
    value = payload.get(name)
    if value is None or (type(value) is int and -_INT64 < value < _INT64):
        return value
    found = to_integer(value)
    if found is None:
        unreadable(value, "a whole number", notes, (*at, name))
    return found


def number(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> int | float | None:
    """A number; None where it is missing or unreadable."""
    value = payload.get(name)
    if value is None:
        return None
    found = to_number(value)
    if found is None:
        unreadable(value, "a number", notes, (*at, name))
    return found


def text(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> str | None:
    """Text; None where it is missing or unreadable."""
    value = payload.get(name)
    if value is None or type(value) is str:
        return value
    found = to_text(value)
    if found is None:
        unreadable(value, "text", notes, (*at, name))
    return found


def identifier(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> str | None:
    """An id as text: `5`, `5.0` and `"5"` are the same id; None where it is missing, empty or unreadable."""
    value = payload.get(name)
    if value is None:
        return None
    if type(value) is str:
        return value.strip() or None
    whole = to_integer(value)
    found = to_text(value) if whole is None else str(whole)
    if found is None:
        unreadable(value, "an id", notes, (*at, name))
    return found


def boolean(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> bool | None:
    """True or false, also from `"true"`, `1` and the like; None where it is missing or unreadable."""
    value = payload.get(name)
    if value is None or type(value) is bool:
        return value
    found = {"true": True, "1": True, "false": False, "0": False}.get(str(to_text(value)).strip().lower())
    if found is None:
        unreadable(value, "true or false", notes, (*at, name))
    return found


def word(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> str | None:
    """A value of an enumeration in snake_case; None where it is missing, empty or unreadable."""
    value = text(payload, name, notes, at)
    return snake_case(value) or None if value is not None else None


def mapping(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> dict[str, Any]:
    """An object; empty where it is missing or unreadable."""
    value = payload.get(name)
    if type(value) is dict:
        return value
    if value is not None:
        unreadable(value, "an object", notes, (*at, name))
    return {}


def objects(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> list[tuple[At, dict[str, Any]]]:
    """The objects of a list, each with its place; an object alone counts as a list of one."""
    found: list[tuple[At, dict[str, Any]]] = []
    for place, item in enumerate(as_list(payload.get(name))):
        where = (*at, name, place)
        if type(item) is dict:
            found.append((where, item))
        else:
            unreadable(item, "an object", notes, where)
    return found


def as_list(value: Any) -> list[Any]:
    """A list as it is, nothing for null, and anything else as a list of one."""
    if type(value) is list:
        return value
    return [] if value is None else [value]


def snake_case(name: str) -> str:
    """An OCPP word in snake_case: SuspendedEVSE → suspended_evse, EVConnected → ev_connected."""
    return _snake_case(name) if len(name) <= 64 else _snaked(name)


_ONE_WORD = {"SoC": "Soc", "RoCoF": "Rocof", "V2G": "V2g", "V2X": "V2x", "TIme": "Time"}
"""Words that are one in spite of their capitals; the last is a slip of OCPP 2.1's own (IdleTIme)."""


def _snaked(name: str) -> str:
    for written, plain in _ONE_WORD.items():
        name = name.replace(written, plain)
    split = _WORD_BEGINS("_", name)
    return _NO_WORD("_", split).strip("_").lower()


_snake_case = lru_cache(maxsize=512)(_snaked)

"""Objects of OCPP as neutral ones, by tables: a shape says of one type how each of its fields is called and read.

Readers are those of `gateway.ocpp.fields`, and what is made here of shapes. They never raise: what cannot be read is
None or left out, with a violation.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.ocpp.fields import At, as_list, integer, mapping, objects, snake_case, to_number, to_text, unreadable
from gateway.ocpp.profile import Notes
from gateway.ocpp.timestamps import read_timestamp

Reader = Callable[[Mapping[str, Any], str, Notes, At], Any]
"""Reads the field of a payload that has a name; the last argument is the payload's own place."""

Shape = Mapping[str, tuple[str, Reader]]
"""OCPP's name of a field → its neutral name, and how it is read."""


def read(payload: Mapping[str, Any], shape: Shape, notes: Notes, at: At = ()) -> dict[str, Any]:
    """Every field of the shape; None where it is missing."""
    return {neutral: reader(payload, name, notes, at) for name, (neutral, reader) in shape.items()}


def read_given(payload: Mapping[str, Any], shape: Shape, notes: Notes, at: At = ()) -> dict[str, Any]:
    """Only the fields that the payload has: for types of which most are left out."""
    found = {neutral: reader(payload, name, notes, at) for name, (neutral, reader) in shape.items() if name in payload}
    return {neutral: value for neutral, value in found.items() if value is not None}


# ---------------------------------------------------------------- readers


def time(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> str | None:
    """A timestamp in RFC 3339; None where it is missing or unreadable."""
    return read_timestamp(payload.get(name), notes, (*at, name))


def texts(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> list[str]:
    """A list of texts, without what is none."""
    found = []
    for place, item in enumerate(as_list(payload.get(name))):
        written = to_text(item)
        if written is None:
            unreadable(item, "text", notes, (*at, name, place))
        else:
            found.append(written)
    return found


def words(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> list[str]:
    """A list of values of an enumeration, in snake_case."""
    return [snake_case(item) for item in texts(payload, name, notes, at)]


def rational(payload: Mapping[str, Any], name: str, notes: Notes, at: At = ()) -> int | float | None:
    """RationalNumberType (OCPP 2.1): value x 10^exponent as one number."""
    if payload.get(name) is None:
        return None
    found, here = mapping(payload, name, notes, at), (*at, name)
    exponent = integer(found, "exponent", notes, here) or 0
    number = to_number(found.get("value"), exponent) if -24 <= exponent <= 24 else None
    if number is None:
        unreadable(payload[name], "a number with its exponent", notes, here)
    return number


def one(shape: Shape) -> Reader:
    """An object with all fields of the shape; None where it is missing."""

    def reader(payload: Mapping[str, Any], name: str, notes: Notes, at: At) -> dict[str, Any] | None:
        found = mapping(payload, name, notes, at)
        return read(found, shape, notes, (*at, name)) if found else None

    return reader


def given(shape: Shape) -> Reader:
    """An object with those fields of the shape that it has; None where it is missing."""

    def reader(payload: Mapping[str, Any], name: str, notes: Notes, at: At) -> dict[str, Any] | None:
        found = mapping(payload, name, notes, at)
        return read_given(found, shape, notes, (*at, name)) if found else None

    return reader


def each(shape: Shape) -> Reader:
    """A list of objects, each with all fields of the shape."""

    def reader(payload: Mapping[str, Any], name: str, notes: Notes, at: At) -> list[dict[str, Any]]:
        return [read(item, shape, notes, where) for where, item in objects(payload, name, notes, at)]

    return reader


def each_given(shape: Shape) -> Reader:
    """A list of objects, each with those fields of the shape that it has."""

    def reader(payload: Mapping[str, Any], name: str, notes: Notes, at: At) -> list[dict[str, Any]]:
        return [read_given(item, shape, notes, where) for where, item in objects(payload, name, notes, at)]

    return reader

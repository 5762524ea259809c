"""Timestamps as chargers write them, read as RFC 3339 in UTC with milliseconds."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from gateway.ocpp.fields import At, pointer, shown
from gateway.ocpp.profile import Notes

_CANONICAL = re.compile(
    r"20\d\d-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{3})?Z",
    re.ASCII,
).fullmatch
"""What most chargers send: valid as it stands, so that it need not be parsed."""

_TOLERATED = re.compile(
    r"\s*(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?:[Tt]|\s+)"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,12}))?)?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\s*",
    re.ASCII,
).fullmatch


def read_timestamp(value: Any, notes: Notes, at: At) -> str | None:
    """RFC 3339 in UTC with milliseconds; None where there is none that can be read.

    Tolerated are a space or `t` for the T, `z`, offsets such as `+02`, missing seconds, any number of decimals. Local
    time without a zone is read only where `notes.quirks.time_zone` is known. Missing (null) is no violation here.
    Where the charger is known to write a wrong zone (`ignore_zone`), that is noted as `zone_ignored`.
    """
    if type(value) is str:
        if _CANONICAL(value) is not None and not notes.quirks.ignore_zone:
            return value if len(value) == 24 else value[:-1] + ".000Z"
    elif value is None:
        return None
    return _read_tolerantly(value, notes, at)


def _read_tolerantly(value: Any, notes: Notes, at: At) -> str | None:
    found = _TOLERATED(value) if type(value) is str and len(value) <= 64 else None
    if found is None:
        _note_unreadable(value, notes, at)
        return None
    local = notes.quirks.time_zone
    if found["zone"] is None and local is None:
        notes.violation("timestamp_without_zone", pointer(at), f"{shown(value)} has no zone")
        return None
    is_local = found["zone"] is None or (notes.quirks.ignore_zone and local is not None)
    if is_local and found["zone"] is not None:
        notes.once("zone_ignored", pointer(at), f"{shown(value)} is local time ({local}), as this make sends it")
    try:
        zone = local if is_local else _zone(found["zone"])
        moment = datetime(
            int(found["year"]),
            int(found["month"]),
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            tzinfo=zone,
        )
        # Seconds are added because 60 is valid at a leap second.
        second, fraction = int(found["second"] or 0), found["fraction"] or "0"
        if second > 60:
            raise ValueError(second)
        moment += timedelta(seconds=second, milliseconds=int(fraction.ljust(3, "0")[:3]))
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        _note_unreadable(value, notes, at)
        return None


def _zone(text: str) -> timezone:
    """Raises ValueError for an offset of a day or more."""
    if text[0] not in "+-":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]) if len(text) > 3 else 0)
    return timezone(-offset if text[0] == "-" else offset)


def _note_unreadable(value: Any, notes: Notes, at: At) -> None:
    notes.violation("timestamp_unreadable", pointer(at), f"{shown(value)} is no timestamp")

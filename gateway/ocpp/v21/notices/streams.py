"""Periodic event streams: values of monitors, many at a time and never answered (functional block N)."""

from datetime import datetime, timedelta
from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import At, integer, mapping, number, objects, text
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import time

Payload = dict[str, Any]


def stream_opened(payload: Payload, notes: Notes) -> Report:
    """OpenPeriodicEventStream: values of a monitor are about to come."""
    stream = mapping(payload, "constantStreamData", notes)
    at: At = ("constantStreamData",)
    terms, in_terms = mapping(stream, "params", notes, at), (*at, "params")
    data = {
        "stream_id": integer(stream, "id", notes, at),
        "monitoring_id": integer(stream, "variableMonitoringId", notes, at),
        "interval_s": integer(terms, "interval", notes, in_terms),
        "values": integer(terms, "values", notes, in_terms),
    }
    return Notice("ocpp.stream.opened", data)


def stream_closed(payload: Payload, notes: Notes) -> Report:
    """ClosePeriodicEventStream."""
    return Notice("ocpp.stream.closed", {"stream_id": integer(payload, "id", notes)})


def stream_data(payload: Payload, notes: Notes) -> Report:
    """NotifyPeriodicEventStream: values with their times; `pending` are those still to come."""
    begun = time(payload, "basetime", notes)
    values = []
    for at, item in objects(payload, "data", notes):
        offset = number(item, "t", notes, at)
        values.append(
            {"time": _later(begun, offset), "offset_s": offset, "value": text(item, "v", notes, at)},
        )
    data = {
        "stream_id": integer(payload, "id", notes),
        "pending": integer(payload, "pending", notes),
        "base_time": begun,
        "values": values,
    }
    return Notice("ocpp.stream.data", data, time=begun)


def _later(begun: str | None, seconds: float | None) -> str | None:
    """The time so many seconds later; None where either is unknown or there is no such time."""
    if begun is None or seconds is None:
        return None
    try:
        moment = datetime.fromisoformat(begun) + timedelta(seconds=seconds)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

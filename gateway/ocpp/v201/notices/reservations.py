"""Reservations that end by themselves (use case H04)."""

from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import integer, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, read

_RESERVATION: Shape = {
    "reservationId": ("reservation_id", integer),
    "reservationUpdateStatus": ("status", word),
}


def reservation_status(payload: dict[str, Any], notes: Notes) -> Report:
    """ReservationStatusUpdate."""
    return Notice("ocpp.reservation.updated", read(payload, _RESERVATION, notes))

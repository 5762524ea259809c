"""A composite schedule as it is told: what the charger will allow in the time to come."""

from collections.abc import Mapping
from typing import Any

from gateway.ocpp.fields import integer, text
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import each_given
from gateway.ocpp.timestamps import read_timestamp
from gateway.ocpp.v201.notices.schedules import PERIOD


def composite_result(
    schedule: Mapping[str, Any], *, evse_id: Any, starts_at: Any, asked_duration_s: int
) -> dict[str, Any]:
    """The neutral form of ChargingSchedule (1.6) or CompositeSchedule (2.x); limits are in `unit`.

    Never raises; an answer without a schedule has no periods.
    """
    notes = Notes()
    return {
        "evse_id": integer({"evse_id": evse_id}, "evse_id", notes),
        "starts_at": read_timestamp(starts_at, notes, ()),
        "duration_s": integer(schedule, "duration", notes)
        if schedule.get("duration") is not None
        else asked_duration_s,
        "unit": text(schedule, "chargingRateUnit", notes),
        "periods": each_given(PERIOD)(schedule, "chargingSchedulePeriod", notes, ()),
    }

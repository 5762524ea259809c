"""Charging schedules and profiles, of 2.0.1 and of 2.1, which only adds to them.

What is left out of a schedule is left out here, too: of 2.1's fields few are ever used. Limits, setpoints and rates
are in the schedule's `unit`, W or A.
"""

from gateway.ocpp.charging_profiles import purpose
from gateway.ocpp.fields import boolean, identifier, integer, number, text, word
from gateway.ocpp.shapes import Reader, Shape, each_given, given, time
from gateway.ocpp.v201.notices.prices import ABSOLUTE_PRICES, PRICE_LEVELS, SALES_TARIFF


def _by_phase(wire: str, neutral: str) -> dict[str, tuple[str, Reader]]:
    """A value for all phases, or for L1 where others are given beside it."""
    return {
        wire: (neutral, number),
        f"{wire}_L2": (f"{neutral}_l2", number),
        f"{wire}_L3": (f"{neutral}_l3", number),
    }


PERIOD: Shape = {
    "startPeriod": ("start_s", integer),
    **_by_phase("limit", "limit"),
    "numberPhases": ("phases", integer),
    "phaseToUse": ("phase_to_use", integer),
    **_by_phase("dischargeLimit", "discharge_limit"),
    **_by_phase("setpoint", "setpoint"),
    **_by_phase("setpointReactive", "setpoint_reactive"),
    "preconditioningRequest": ("preconditioning", boolean),
    "evseSleep": ("evse_sleep", boolean),
    "operationMode": ("operation_mode", word),
    "v2xBaseline": ("v2x_baseline_w", number),
    "v2xFreqWattCurve": (
        "v2x_frequency_curve",
        each_given({"frequency": ("frequency_hz", number), "power": ("power_w", number)}),
    ),
    "v2xSignalWattCurve": (
        "v2x_signal_curve",
        each_given({"signal": ("signal", integer), "power": ("power_w", number)}),
    ),
}
"""ChargingSchedulePeriodType."""

SCHEDULE: Shape = {
    "id": ("id", integer),
    "chargingRateUnit": ("unit", text),
    "startSchedule": ("starts_at", time),
    "duration": ("duration_s", integer),
    "minChargingRate": ("min_rate", number),
    "chargingSchedulePeriod": ("periods", each_given(PERIOD)),
    "randomizedDelay": ("randomized_delay_s", integer),
    "useLocalTime": ("use_local_time", boolean),
    "limitAtSoC": ("limit_at_soc", given({"soc": ("soc_percent", integer), "limit": ("limit", number)})),
    "powerTolerance": ("power_tolerance", number),
    "signatureId": ("signature_id", integer),
    "digestValue": ("digest", text),
    "salesTariff": ("sales_tariff", given(SALES_TARIFF)),
    "absolutePriceSchedule": ("absolute_prices", given(ABSOLUTE_PRICES)),
    "priceLevelSchedule": ("price_levels", given(PRICE_LEVELS)),
}
"""ChargingScheduleType."""

PROFILE: Shape = {
    "id": ("id", integer),
    "stackLevel": ("stack_level", integer),
    "chargingProfilePurpose": ("purpose", purpose),
    "chargingProfileKind": ("kind", word),
    "recurrencyKind": ("recurrency", word),
    "validFrom": ("valid_from", time),
    "validTo": ("valid_to", time),
    "transactionId": ("ocpp_transaction_id", identifier),
    "chargingSchedule": ("schedules", each_given(SCHEDULE)),
    "maxOfflineDuration": ("max_offline_duration_s", integer),
    "invalidAfterOfflineDuration": ("invalid_after_offline_duration", boolean),
    "dynUpdateInterval": ("dynamic_update_interval_s", integer),
    "dynUpdateTime": ("dynamic_updated_at", time),
    "priceScheduleSignature": ("price_schedule_signature", text),
}
"""ChargingProfileType."""

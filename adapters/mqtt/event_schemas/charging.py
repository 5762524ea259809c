"""Events of limits, schedules and profiles."""

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas.base import Asked, FromMessage, PartOfReport
from adapters.mqtt.event_schemas.prices import AbsolutePrices, PriceLevels, SalesTariff
from gateway.core.connector_state import Number


class FrequencyPoint(TypedDict, total=False):
    """The power at a frequency; negative discharges."""

    frequency_hz: Number
    power_w: Number


class SignalPoint(TypedDict, total=False):
    """The power at an AFRR signal; negative discharges."""

    signal: int
    power_w: Number


class ReportedPeriod(TypedDict, total=False):
    """A stretch of a schedule; limits and setpoints are in the schedule's unit."""

    start_s: int
    limit: Number
    limit_l2: Number
    limit_l3: Number
    phases: int
    phase_to_use: int
    discharge_limit: Number
    discharge_limit_l2: Number
    discharge_limit_l3: Number
    setpoint: Number
    setpoint_l2: Number
    setpoint_l3: Number
    setpoint_reactive: Number
    setpoint_reactive_l2: Number
    setpoint_reactive_l3: Number
    preconditioning: bool
    evse_sleep: bool
    operation_mode: str
    v2x_baseline_w: Number
    v2x_frequency_curve: list[FrequencyPoint]
    v2x_signal_curve: list[SignalPoint]


class LimitAtSoc(TypedDict, total=False):
    """The limit from a state of charge on."""

    soc_percent: int
    limit: Number


class ReportedSchedule(TypedDict, total=False):
    """A charging schedule; `unit` is W or A. What the charger left out is left out."""

    id: int
    unit: str
    starts_at: str
    duration_s: int
    min_rate: Number
    periods: list[ReportedPeriod]
    randomized_delay_s: int
    use_local_time: bool
    limit_at_soc: LimitAtSoc
    power_tolerance: Number
    signature_id: int
    digest: str
    sales_tariff: SalesTariff
    absolute_prices: AbsolutePrices
    price_levels: PriceLevels


class ReportedProfile(TypedDict, total=False):
    """A charging profile and its EVSE (0: the charger). What the charger left out is left out."""

    evse_id: int
    source: str | None
    id: int
    stack_level: int
    purpose: str
    kind: str
    recurrency: str
    valid_from: str
    valid_to: str
    ocpp_transaction_id: str
    schedules: list[ReportedSchedule]
    max_offline_duration_s: int
    invalid_after_offline_duration: bool
    dynamic_update_interval_s: int
    dynamic_updated_at: str
    price_schedule_signature: str


class ChargingLimit(FromMessage):
    """Somebody else limits the charger (EVSE 0) or an EVSE, or lifted (`cleared`) the limit: ems, so, cso, other."""

    evse_id: int
    source: str | None
    is_local_generation: bool | None
    is_grid_critical: bool | None
    schedules: list[ReportedSchedule]
    cleared: bool


class EvSchedule(Asked):
    """How an EV will charge (NotifyEVChargingSchedule); the schedule's periods count from `starts_at`."""

    evse_id: int | None
    starts_at: str | None
    schedule: ReportedSchedule | None
    selected_schedule_id: int | None
    power_tolerance_accepted: bool | None


class ChargingProfiles(PartOfReport):
    """The charging profiles that a charger has (ReportChargingProfiles); comes in parts."""

    profiles: list[ReportedProfile]


class PriorityCharging(FromMessage):
    """Priority charging began or ended at the charger (OCPP 2.1)."""

    ocpp_transaction_id: str | None
    activated: bool | None


class DynamicScheduleRequested(Asked):
    """The charger wants the present values of a dynamic charging profile (OCPP 2.1)."""

    profile_id: int | None

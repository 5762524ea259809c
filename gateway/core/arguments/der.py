"""Controls of a distributed energy resource (OCPP 2.1, use cases R01 to R07): how an inverter behaves at the grid."""

from typing import ClassVar, Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, Moment

ControlType = Literal[
    "enter_service",
    "freq_droop",
    "freq_watt",
    "fixed_pf_absorb",
    "fixed_pf_inject",
    "fixed_var",
    "gradients",
    "hf_must_trip",
    "hf_may_trip",
    "hv_must_trip",
    "hv_mom_cess",
    "hv_may_trip",
    "limit_max_discharge",
    "lf_must_trip",
    "lv_must_trip",
    "lv_mom_cess",
    "lv_may_trip",
    "power_monitoring_must_trip",
    "volt_var",
    "volt_watt",
    "watt_pf",
    "watt_var",
]

Unit = Literal["not_applicable", "pct_max_w", "pct_max_var", "pct_w_avail", "pct_var_avail", "pct_effective_v"]


class Setting(Arguments):
    """Base of all settings."""

    priority: int = Field(ge=0, description="0 is the highest")


class TimedSetting(Setting):
    """Base of settings that hold for a time, unless they are defaults."""

    starts_at: Moment | None = Field(None, description="RFC 3339; left out in a default only")
    duration_s: float | None = Field(None, ge=0, description="Left out in a default only")


class CurvePoint(Arguments):
    """A point of a curve."""

    x: float
    y: float


class Hysteresis(Arguments):
    """How the EV returns to normal after a grid event; `high` and `low` are in the curve's unit."""

    high: float | None = None
    low: float | None = None
    delay_s: float | None = None
    gradient_percent_per_s: float | None = None


class ReactivePower(Arguments):
    """For volt_var only."""

    reference_voltage_percent: float | None = None
    autonomous_reference_voltage: bool | None = None
    autonomous_reference_voltage_time_constant_s: float | None = None


class Voltage(Arguments):
    """The ten-minute mean of EN 50549-1, and what is done during cessation."""

    high_10_min_mean: float | None = None
    high_10_min_mean_trip_delay_s: float | None = None
    power_during_cessation: Literal["active", "reactive"] | None = None


class Curve(TimedSetting):
    """A curve; what `x` is, the control's type says."""

    points: list[CurvePoint] = Field(min_length=1, max_length=10)
    y_unit: Unit
    response_time_s: float | None = None
    hysteresis: Hysteresis | None = None
    reactive_power: ReactivePower | None = None
    voltage: Voltage | None = None


class EnterService(Setting):
    """When the EV may connect to the grid."""

    high_voltage: float
    low_voltage: float
    high_frequency_hz: float
    low_frequency_hz: float
    delay_s: float | None = None
    random_delay_s: float | None = None
    ramp_rate_s: float | None = None


class FixedPowerFactor(TimedSetting):
    """A fixed power factor."""

    displacement: float = Field(ge=0, le=1, description="cos phi")
    under_excited: bool = Field(description="True: absorbs reactive power, false: injects it")


class FixedVar(TimedSetting):
    """A fixed reactive power."""

    setpoint_percent: float = Field(ge=-100, le=100, description="Negative: charging, positive: discharging")
    unit: Unit


class FrequencyDroop(TimedSetting):
    """Power by the net's frequency."""

    over_frequency_hz: float
    under_frequency_hz: float
    over_droop: float = Field(description="Per unit")
    under_droop: float = Field(description="Per unit")
    response_time_s: float


class Gradient(Setting):
    """Ramp rates, 0 where they do not apply."""

    gradient_s: float
    soft_gradient_s: float


class LimitMaxDischarge(TimedSetting):
    """A limit of what is discharged."""

    max_discharge_power_percent: float | None = Field(None, ge=0, le=100)
    must_trip_curve: Curve | None = None


class SetDerControl(Arguments):
    """Set a control: the one setting that its type asks for."""

    control_type: ControlType
    is_default: bool = Field(description="Holds where no timed one does")
    control_id: str = Field(min_length=1, max_length=36)
    curve: Curve | None = None
    enter_service: EnterService | None = None
    fixed_power_factor: FixedPowerFactor | None = None
    fixed_var: FixedVar | None = None
    freq_droop: FrequencyDroop | None = None
    gradient: Gradient | None = None
    limit_max_discharge: LimitMaxDischarge | None = None


class GetDerControl(Arguments):
    """The controls that the charger holds: all, or those that fit."""

    default_timeout: ClassVar[float | None] = 120.0

    control_id: str | None = Field(None, max_length=36)
    control_type: ControlType | None = None
    is_default: bool | None = None


class ClearDerControl(Arguments):
    """Remove controls: the one of an id, or all that fit."""

    is_default: bool
    control_type: ControlType | None = None
    control_id: str | None = Field(None, max_length=36)

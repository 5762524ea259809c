"""Charging profiles as they are, for those who know what they want of OCPP's smart charging."""

from typing import Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, EvseId, Moment
from gateway.core.arguments.charging import Purpose


class FrequencyPoint(Arguments):
    """A point of a curve from the net's frequency to power."""

    frequency_hz: float
    power_w: float = Field(description="Negative: discharge")


class SignalPoint(Arguments):
    """A point of a curve from the aFRR signal to power."""

    signal: int
    power_w: float = Field(description="Negative: discharge")


class Period(Arguments):
    """What holds from `start_s` on, until the next period; rates are in the schedule's unit."""

    start_s: int = Field(
        ge=0, le=2**31 - 1, description="Seconds from the schedule's start: 0 for the first, then rising"
    )
    limit: float | None = Field(
        None, ge=0, le=1e9, description="Needed on OCPP 1.6 and 2.0.1; the rest may be left out"
    )
    phases: int | None = Field(None, ge=1, le=3, description="None: 3 on AC")
    phase_to_use: int | None = Field(None, ge=1, le=3, description="OCPP 2.x, with one phase")
    limit_l2: float | None = Field(None, description="OCPP 2.1, as all that follows")
    limit_l3: float | None = None
    discharge_limit: float | None = Field(None, le=0)
    discharge_limit_l2: float | None = Field(None, le=0)
    discharge_limit_l3: float | None = Field(None, le=0)
    setpoint: float | None = Field(None, description="Negative: discharge")
    setpoint_l2: float | None = None
    setpoint_l3: float | None = None
    setpoint_reactive: float | None = Field(None, description="Positive: inductive, negative: capacitive")
    setpoint_reactive_l2: float | None = None
    setpoint_reactive_l3: float | None = None
    preconditioning: bool | None = Field(None, description="Keep the battery preconditioned")
    evse_sleep: bool | None = Field(None, description="Switch the power electronics off")
    operation_mode: (
        Literal[
            "idle",
            "charging_only",
            "central_setpoint",
            "external_setpoint",
            "external_limits",
            "central_frequency",
            "local_frequency",
            "local_load_balancing",
        ]
        | None
    ) = None
    v2x_baseline_w: float | None = Field(None, description="What the curves' power is added to")
    v2x_frequency_curve: list[FrequencyPoint] | None = Field(None, min_length=1, max_length=20)
    v2x_signal_curve: list[SignalPoint] | None = Field(None, min_length=1, max_length=20)


class LimitAtSoc(Arguments):
    """A limit that holds once the battery is charged this far (OCPP 2.1)."""

    soc_percent: int = Field(ge=0, le=100)
    limit: float


class Schedule(Arguments):
    """Periods one after the other, from a time on or, in a relative profile, from the transaction's start on."""

    unit: Literal["A", "W"]
    periods: list[Period] = Field(min_length=1, max_length=1024)
    id: int | None = Field(None, description="OCPP 2.x; counted from 1 where it is left out")
    starts_at: Moment | None = Field(
        None, description="RFC 3339; for absolute and recurring profiles, which need it on OCPP 2.x"
    )
    duration_s: int | None = Field(None, ge=0, le=2**31 - 1, description="None: the last period goes on")
    min_rate: float | None = Field(None, ge=0, le=1e9, description="Below this the EV charges badly; in `unit`")
    randomized_delay_s: int | None = Field(None, ge=0, description="OCPP 2.1, as all that follows")
    use_local_time: bool | None = Field(None, description="Times are the charger's local time, whatever their zone")
    limit_at_soc: LimitAtSoc | None = None
    power_tolerance: float | None = None


class Profile(Arguments):
    """A charging profile."""

    id: int = Field(description="Replaces the one of the same id; 1 and 1001 up are those of set_charging_limit")
    stack_level: int = Field(0, ge=0, description="The highest that is valid wins among those of its purpose")
    purpose: Purpose = Field(
        description="OCPP 1.6 and 2.0.1: charger_max (with evse_id 0), tx_default, tx; 2.1: and priority_charging, "
        "local_generation. Those of external_constraints are set by others only"
    )
    kind: Literal["absolute", "recurring", "relative", "dynamic"] = Field(description="dynamic: OCPP 2.1")
    recurrency: Literal["daily", "weekly"] | None = Field(None, description="For recurring profiles")
    valid_from: Moment | None = Field(None, description="RFC 3339")
    valid_to: Moment | None = Field(None, description="RFC 3339")
    transaction_id: str | None = Field(
        None, description="For purpose tx: the gateway's transaction id or the charger's own; none: the one on the EVSE"
    )
    schedules: list[Schedule] = Field(min_length=1, max_length=3, description="One on OCPP 1.6")
    max_offline_duration_s: int | None = Field(None, ge=0, description="OCPP 2.1, as all that follows")
    invalid_after_offline_duration: bool | None = None
    dynamic_update_interval_s: int | None = Field(None, ge=0, description="The charger then asks for new values")
    dynamic_updated_at: Moment | None = Field(None, description="RFC 3339")


class SetChargingProfile(Arguments):
    """Set a charging profile as it stands; `set_charging_limit` is the simple way."""

    evse_id: EvseId = Field(0, description="0 is the whole charger, or each of its EVSEs for tx_default")
    profile: Profile

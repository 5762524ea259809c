"""Events of chargers that discharge, or swap batteries (OCPP 2.1)."""

from typing import Required

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas.base import FromMessage, PartOfReport
from adapters.mqtt.event_schemas.transactions import AdditionalId
from gateway.core.connector_state import Number


class CurvePoint(TypedDict, total=False):
    """A point of a curve; what x and y are, the type of the control and `y_unit` say."""

    x: Number
    y: Number


class CurveHysteresis(TypedDict, total=False):
    """When the EV returns to normal."""

    high: Number
    low: Number
    delay_s: Number
    gradient_percent_per_s: Number


class CurveReactivePower(TypedDict, total=False):
    """How a volt_var curve is shifted."""

    reference_voltage_percent: Number
    autonomous_reference_voltage: bool
    autonomous_reference_voltage_time_constant_s: Number


class CurveVoltage(TypedDict, total=False):
    """How long the voltage may be high."""

    high_10_min_mean: Number
    high_10_min_mean_trip_delay_s: Number
    power_during_cessation: str


class DerCurve(TypedDict, total=False):
    """A curve that the charger follows."""

    priority: int
    starts_at: str
    duration_s: Number
    response_time_s: Number
    y_unit: str
    points: list[CurvePoint]
    hysteresis: CurveHysteresis
    reactive_power: CurveReactivePower
    voltage: CurveVoltage


class DerControl(TypedDict, total=False):
    """A control; of the fields after the first four it has those of its type."""

    control_id: Required[str | None]
    control_type: Required[str | None]
    is_default: Required[bool | None]
    is_superseded: Required[bool | None]
    priority: int
    starts_at: str
    duration_s: Number
    response_time_s: Number
    y_unit: str
    points: list[CurvePoint]
    hysteresis: CurveHysteresis
    reactive_power: CurveReactivePower
    voltage: CurveVoltage
    high_voltage: Number
    low_voltage: Number
    high_frequency_hz: Number
    low_frequency_hz: Number
    delay_s: Number
    random_delay_s: Number
    ramp_rate_s: Number
    displacement: Number
    under_excited: bool
    setpoint_percent: Number
    unit: str
    over_frequency_hz: Number
    under_frequency_hz: Number
    over_droop: Number
    under_droop: Number
    gradient_s: Number
    soft_gradient_s: Number
    max_discharge_power_percent: Number
    must_trip_curve: DerCurve


class DerControls(PartOfReport):
    """The controls that are set for the grid (ReportDERControl); comes in parts."""

    controls: list[DerControl]


class DerAlarm(FromMessage):
    """A grid event tripped a control, or is over (`ended`)."""

    control_type: str | None
    grid_event_fault: str | None
    ended: bool
    info: str | None


class DerStartStop(FromMessage):
    """A scheduled control began (`started`) or ended; `superseded_ids` are those that it replaced."""

    control_id: str | None
    started: bool | None
    superseded_ids: list[str]


class PresentedToken(TypedDict):
    """An id token with the further ids of the same driver."""

    id: str | None
    type: str | None
    additional_info: list[AdditionalId]


class SwappedBattery(TypedDict):
    """A battery, and where it is or was."""

    evse_id: int | None
    serial_number: str | None
    soc_percent: Number | None
    state_of_health_percent: Number | None
    produced_at: str | None
    vendor_info: str | None


class BatterySwap(FromMessage):
    """Batteries were put in or taken out, or not taken out in time: battery_in, battery_out, battery_out_timeout."""

    request_id: int | None
    event: str | None
    token: PresentedToken | None
    batteries: list[SwappedBattery]

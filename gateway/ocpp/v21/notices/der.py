"""Distributed energy resources: what the grid asks of a charger that can discharge (functional block R)."""

from typing import Any

from gateway.core.reports import Notice, Part, Report
from gateway.ocpp.fields import At, boolean, identifier, integer, mapping, number, objects, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, each_given, given, read, read_given, texts, time

Payload = dict[str, Any]

_TERMS: Shape = {
    "priority": ("priority", integer),
    "startTime": ("starts_at", time),
    "duration": ("duration_s", number),
    "responseTime": ("response_time_s", number),
}

_CURVE: Shape = {
    **_TERMS,
    "yUnit": ("y_unit", word),
    "curveData": ("points", each_given({"x": ("x", number), "y": ("y", number)})),
    "hysteresis": (
        "hysteresis",
        given(
            {
                "hysteresisHigh": ("high", number),
                "hysteresisLow": ("low", number),
                "hysteresisDelay": ("delay_s", number),
                "hysteresisGradient": ("gradient_percent_per_s", number),
            }
        ),
    ),
    "reactivePowerParams": (
        "reactive_power",
        given(
            {
                "vRef": ("reference_voltage_percent", number),
                "autonomousVRefEnable": ("autonomous_reference_voltage", boolean),
                "autonomousVRefTimeConstant": ("autonomous_reference_voltage_time_constant_s", number),
            }
        ),
    ),
    "voltageParams": (
        "voltage",
        given(
            {
                "hv10MinMeanValue": ("high_10_min_mean", number),
                "hv10MinMeanTripDelay": ("high_10_min_mean_trip_delay_s", number),
                "powerDuringCessation": ("power_during_cessation", word),
            }
        ),
    ),
}

_FIXED_POWER_FACTOR: Shape = {
    **_TERMS,
    "displacement": ("displacement", number),
    "excitation": ("under_excited", boolean),
}

_SETTINGS: dict[str, tuple[str, str | None, Shape]] = {
    # list in the report → (where each setting stands in its items, its type where the item does not say, its fields)
    "curve": ("curve", None, _CURVE),
    "enterService": (
        "enterService",
        "enter_service",
        {
            **_TERMS,
            "highVoltage": ("high_voltage", number),
            "lowVoltage": ("low_voltage", number),
            "highFreq": ("high_frequency_hz", number),
            "lowFreq": ("low_frequency_hz", number),
            "delay": ("delay_s", number),
            "randomDelay": ("random_delay_s", number),
            "rampRate": ("ramp_rate_s", number),
        },
    ),
    "fixedPFAbsorb": ("fixedPF", "fixed_pf_absorb", _FIXED_POWER_FACTOR),
    "fixedPFInject": ("fixedPF", "fixed_pf_inject", _FIXED_POWER_FACTOR),
    "fixedVar": (
        "fixedVar",
        "fixed_var",
        {**_TERMS, "setpoint": ("setpoint_percent", number), "unit": ("unit", word)},
    ),
    "freqDroop": (
        "freqDroop",
        "freq_droop",
        {
            **_TERMS,
            "overFreq": ("over_frequency_hz", number),
            "underFreq": ("under_frequency_hz", number),
            "overDroop": ("over_droop", number),
            "underDroop": ("under_droop", number),
        },
    ),
    "gradient": (
        "gradient",
        "gradients",
        {**_TERMS, "gradient": ("gradient_s", number), "softGradient": ("soft_gradient_s", number)},
    ),
    "limitMaxDischarge": (
        "limitMaxDischarge",
        "limit_max_discharge",
        {
            **_TERMS,
            "pctMaxDischargePower": ("max_discharge_power_percent", number),
            "powerMonitoringMustTrip": ("must_trip_curve", given(_CURVE)),
        },
    ),
}

_ALARM: Shape = {
    "controlType": ("control_type", word),
    "gridEventFault": ("grid_event_fault", word),
    "alarmEnded": ("ended", boolean),
    "extraInfo": ("info", text),
}

_START_STOP: Shape = {
    "controlId": ("control_id", identifier),
    "started": ("started", boolean),
    "supersededIds": ("superseded_ids", texts),
}


def der_alarm(payload: Payload, notes: Notes) -> Report:
    """NotifyDERAlarm: a grid event tripped a control, or is over."""
    data = read(payload, _ALARM, notes)
    data["ended"] = data["ended"] or False
    return Notice("ocpp.der.alarm", data, time=time(payload, "timestamp", notes))


def der_start_stop(payload: Payload, notes: Notes) -> Report:
    """NotifyDERStartStop: a control that was scheduled began or ended."""
    return Notice("ocpp.der.start_stop", read(payload, _START_STOP, notes), time=time(payload, "timestamp", notes))


def der_controls(payload: Payload, notes: Notes) -> Report:
    """ReportDERControl: the controls that are set, whatever their kind, in one list."""
    request_id = integer(payload, "requestId", notes)
    more = boolean(payload, "tbc", notes) or False
    controls = [_control(item, name, notes, at) for name in _SETTINGS for at, item in objects(payload, name, notes)]
    data = {"request_id": request_id, "controls": controls, "sequence_number": None, "to_be_continued": more}
    return Notice("ocpp.der.controls", data, part=Part("controls", request_id, last=not more))


def _control(item: Payload, name: str, notes: Notes, at: At) -> dict[str, Any]:
    """One control; of its own fields only those that it has."""
    where, kind, shape = _SETTINGS[name]
    return {
        "control_id": identifier(item, "id", notes, at),
        "control_type": kind or word(item, "curveType", notes, at),
        "is_default": boolean(item, "isDefault", notes, at),
        "is_superseded": boolean(item, "isSuperseded", notes, at),
        **read_given(mapping(item, where, notes, at), shape, notes, (*at, where)),
    }

"""Controls of a distributed energy resource (functional block R)."""

from collections.abc import Mapping

from gateway.core.errors import CommandInvalid
from gateway.ocpp.endings import ending, status_result
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.shapes import texts
from gateway.ocpp.v201.calls.shapes import Arguments, given
from gateway.ocpp.writing import Form, each, one, time, word, words_of, write

_CURVES = words_of(
    "FreqWatt",
    "HFMustTrip",
    "HFMayTrip",
    "HVMustTrip",
    "HVMomCess",
    "HVMayTrip",
    "LFMustTrip",
    "LVMustTrip",
    "LVMomCess",
    "LVMayTrip",
    "PowerMonitoringMustTrip",
    "VoltVar",
    "VoltWatt",
    "WattPF",
    "WattVar",
)
_OTHERS = words_of(
    "EnterService", "FreqDroop", "FixedPFAbsorb", "FixedPFInject", "FixedVar", "Gradients", "LimitMaxDischarge"
)
CONTROL_TYPES = {**_CURVES, **_OTHERS}

_UNITS = words_of("Not_Applicable", "PctMaxW", "PctMaxVar", "PctWAvail", "PctVarAvail", "PctEffectiveV")

_TIMED: Form = {"priority": "priority", "starts_at": time("startTime"), "duration_s": "duration"}

_CURVE: Form = {
    **_TIMED,
    "y_unit": word("yUnit", _UNITS),
    "response_time_s": "responseTime",
    "points": each("curveData", {"x": "x", "y": "y"}),
    "hysteresis": one(
        "hysteresis",
        {
            "high": "hysteresisHigh",
            "low": "hysteresisLow",
            "delay_s": "hysteresisDelay",
            "gradient_percent_per_s": "hysteresisGradient",
        },
    ),
    "reactive_power": one(
        "reactivePowerParams",
        {
            "reference_voltage_percent": "vRef",
            "autonomous_reference_voltage": "autonomousVRefEnable",
            "autonomous_reference_voltage_time_constant_s": "autonomousVRefTimeConstant",
        },
    ),
    "voltage": one(
        "voltageParams",
        {
            "high_10_min_mean": "hv10MinMeanValue",
            "high_10_min_mean_trip_delay_s": "hv10MinMeanTripDelay",
            "power_during_cessation": word("powerDuringCessation", words_of("Active", "Reactive")),
        },
    ),
}
_ENTER_SERVICE: Form = {
    "priority": "priority",
    "high_voltage": "highVoltage",
    "low_voltage": "lowVoltage",
    "high_frequency_hz": "highFreq",
    "low_frequency_hz": "lowFreq",
    "delay_s": "delay",
    "random_delay_s": "randomDelay",
    "ramp_rate_s": "rampRate",
}
_FIXED_POWER_FACTOR: Form = {**_TIMED, "displacement": "displacement", "under_excited": "excitation"}
_FIXED_VAR: Form = {**_TIMED, "setpoint_percent": "setpoint", "unit": word("unit", _UNITS)}
_FREQUENCY_DROOP: Form = {
    **_TIMED,
    "over_frequency_hz": "overFreq",
    "under_frequency_hz": "underFreq",
    "over_droop": "overDroop",
    "under_droop": "underDroop",
    "response_time_s": "responseTime",
}
_GRADIENT: Form = {"priority": "priority", "gradient_s": "gradient", "soft_gradient_s": "softGradient"}
_LIMIT_MAX_DISCHARGE: Form = {
    **_TIMED,
    "max_discharge_power_percent": "pctMaxDischargePower",
    "must_trip_curve": one("powerMonitoringMustTrip", _CURVE),
}

_SETTINGS: Mapping[str, tuple[str, str, Form]] = {
    # control type → (the argument that it needs, OCPP's field for it, its fields)
    **dict.fromkeys(_CURVES, ("curve", "curve", _CURVE)),
    "enter_service": ("enter_service", "enterService", _ENTER_SERVICE),
    "freq_droop": ("freq_droop", "freqDroop", _FREQUENCY_DROOP),
    "fixed_pf_absorb": ("fixed_power_factor", "fixedPFAbsorb", _FIXED_POWER_FACTOR),
    "fixed_pf_inject": ("fixed_power_factor", "fixedPFInject", _FIXED_POWER_FACTOR),
    "fixed_var": ("fixed_var", "fixedVar", _FIXED_VAR),
    "gradients": ("gradient", "gradient", _GRADIENT),
    "limit_max_discharge": ("limit_max_discharge", "limitMaxDischarge", _LIMIT_MAX_DISCHARGE),
}


def set_der_control(arguments: Arguments, station: Station) -> list[Call]:
    """Use cases R01 to R03. Raises CommandInvalid unless the one setting is given that the control's type needs."""
    control_type = arguments["control_type"]
    needed, field, form = _SETTINGS[control_type]
    given_settings = [name for name in _ARGUMENTS if arguments[name] is not None]
    if given_settings != [needed]:
        told = ", ".join(given_settings) or "none"
        raise CommandInvalid(f"set_der_control: {control_type} needs {needed} and nothing else; given: {told}")
    setting = write(arguments[needed], form, needed)
    asked = {
        "isDefault": arguments["is_default"],
        "controlId": arguments["control_id"],
        "controlType": CONTROL_TYPES[control_type],
        field: setting,
    }
    return [Call("SetDERControl", asked)]


_ARGUMENTS = tuple(dict.fromkeys(argument for argument, _, _ in _SETTINGS.values()))


def did_set_der_control(calls: list[Call], answers: list[Answered]) -> Ending:
    """Beside the status, the controls that this one takes the place of (R01.FR.06)."""
    payload = answers[0].payload
    return ending(payload, {**status_result(payload), "superseded_ids": texts(payload, "supersededIds", Notes(), ())})


def get_der_control(arguments: Arguments, station: Station) -> list[Call]:
    """Use case R04."""
    return [Call("GetDERControl", {"requestId": station.next_id(), **_which(arguments)})]


def clear_der_control(arguments: Arguments, station: Station) -> list[Call]:
    """Use case R04."""
    return [Call("ClearDERControl", _which(arguments))]


def _which(arguments: Arguments) -> Arguments:
    control_type = arguments["control_type"]
    return given(
        isDefault=arguments["is_default"],
        controlType=None if control_type is None else CONTROL_TYPES[control_type],
        controlId=arguments["control_id"],
    )

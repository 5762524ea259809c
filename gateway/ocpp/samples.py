"""Meter values of any version as neutral samples: defaults filled in, units unified, numbers scaled in decimal."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from gateway.core.reports import Sample
from gateway.ocpp.fields import At, as_list, number, pointer, shown, to_integer, to_number, to_text, unreadable
from gateway.ocpp.profile import Notes, UnitCorrection
from gateway.ocpp.timestamps import read_timestamp

# Defaults of SampledValue, the same in 1.6 (section 7.43) and 2.x (part 2, SampledValueType).
DEFAULT_MEASURAND = "Energy.Active.Import.Register"
DEFAULT_CONTEXT = "Sample.Periodic"
DEFAULT_LOCATION = "Outlet"
DEFAULT_ENERGY_UNIT = "Wh"

UNITS: dict[str, tuple[str, int]] = {
    # as written → (unit of the sample, power of ten to scale by)
    "Wh": ("Wh", 0),
    "kWh": ("Wh", 3),
    "MWh": ("Wh", 6),
    "varh": ("varh", 0),
    "kvarh": ("varh", 3),
    "VAh": ("VAh", 0),
    "kVAh": ("VAh", 3),
    "W": ("W", 0),
    "kW": ("W", 3),
    "MW": ("W", 6),
    "VA": ("VA", 0),
    "kVA": ("VA", 3),
    "var": ("var", 0),
    "kvar": ("var", 3),
    "A": ("A", 0),
    "mA": ("A", -3),
    "V": ("V", 0),
    "kV": ("V", 3),
    "Hz": ("Hz", 0),
    "Hertz": ("Hz", 0),
    "Percent": ("Percent", 0),
    "%": ("Percent", 0),
    "K": ("K", 0),
    "Celsius": ("Celsius", 0),
    "Celcius": ("Celsius", 0),  # 1.6 spells it so
    "Fahrenheit": ("Fahrenheit", 0),
}
"""The standard units and those seen in the field; any other is kept as written, its values unscaled."""

_IN_ANY_CASE = {name.lower(): UNITS[name] for name in ("Wh", "kWh", "W", "kW")}
"""Those of energy and power that are known also in wrong case (KWH); of MWh and MW the case tells what is meant."""

_Default = TypeVar("_Default", str, None)


@dataclass(frozen=True, slots=True)
class SampleReader:
    """How a version's SampledValues are read: the object, its MeterValue's time, notes, its place.

    `plain` reads those in which all is as it should be, of a charger that labels its units right, and is None for any
    other, which `careful` reads.
    """

    plain: Callable[[dict[str, Any], str | None], Sample | None]
    careful: Callable[[dict[str, Any], str | None, Notes, At], Sample | None]


def read_meter_values(
    payload: dict[str, Any], name: str, read: SampleReader, notes: Notes
) -> tuple[list[Sample], str | None]:
    """All samples of a list of MeterValue, flat, and the time of the last one that has a time.

    An object in place of the list, and an empty or missing sampledValue, are tolerated.
    """
    samples: list[Sample] = []
    time: str | None = None
    plain, well_labelled = read.plain, not notes.quirks.units
    for outer, meter_value in enumerate(as_list(payload.get(name))):
        if type(meter_value) is not dict:
            unreadable(meter_value, "an object", notes, (name, outer))
            continue
        timestamp = read_timestamp(meter_value.get("timestamp"), notes, (name, outer, "timestamp"))
        time = timestamp or time
        for inner, sampled in enumerate(as_list(meter_value.get("sampledValue"))):
            sample = plain(sampled, timestamp) if well_labelled and type(sampled) is dict else None
            if sample is None:
                sample = _read_carefully(sampled, timestamp, read, notes, (name, outer, "sampledValue", inner))
            if sample is not None:
                samples.append(sample)
    return samples, time


def _read_carefully(sampled: Any, timestamp: str | None, read: SampleReader, notes: Notes, at: At) -> Sample | None:
    if type(sampled) is dict:
        return read.careful(sampled, timestamp, notes, at)
    unreadable(sampled, "an object", notes, at)
    return None


def read_register_16(payload: dict[str, Any], name: str, notes: Notes) -> int | float | None:
    """meterStart or meterStop of OCPP 1.6 in Wh (sections 6.45, 6.49); None where it is missing or unreadable.

    It is a reading of the register that samples show, too: where that is known to be mislabelled, so is this.
    """
    reading = number(payload, name, notes)
    if reading is None or not notes.quirks.units:
        return reading
    unit, exponent = notes.quirks.units.get((DEFAULT_MEASURAND, DEFAULT_ENERGY_UNIT), (None, 0))
    if unit != DEFAULT_ENERGY_UNIT:
        return reading
    _corrected(DEFAULT_MEASURAND, DEFAULT_ENERGY_UNIT, notes, (name,))
    return to_number(reading, exponent)


def _plain_16(sampled: dict[str, Any], timestamp: str | None) -> Sample | None:
    return None if sampled.get("format") == "SignedData" else _plain(sampled, sampled.get("unit"), timestamp)


def _careful_16(sampled: dict[str, Any], timestamp: str | None, notes: Notes, at: At) -> Sample | None:
    measurand = sampled.get("measurand") or DEFAULT_MEASURAND
    if type(measurand) is not str:
        measurand = _not_text(measurand, DEFAULT_MEASURAND, notes, (*at, "measurand"))
    unit, exponent = _unit(sampled, measurand, notes, at)
    written = sampled.get("value")
    signed = sampled.get("format") == "SignedData"
    value = to_text(written) if signed else _value(written, exponent, notes, at)
    if value is None:
        unreadable(written, "a value", notes, (*at, "value"))
        return None
    sample = _sample(sampled, value, measurand, unit, timestamp, notes, at)
    if signed:
        sample["signed"] = value
    return sample


def _plain_2x(sampled: dict[str, Any], timestamp: str | None) -> Sample | None:
    measure = sampled.get("unitOfMeasure")
    if type(measure) is not dict or measure.get("multiplier") or "signedMeterValue" in sampled:
        return None
    return _plain(sampled, measure.get("unit"), timestamp)


def _careful_2x(sampled: dict[str, Any], timestamp: str | None, notes: Notes, at: At) -> Sample | None:
    measure = sampled.get("unitOfMeasure")
    measurand = sampled.get("measurand") or DEFAULT_MEASURAND
    if type(measurand) is not str:
        measurand = _not_text(measurand, DEFAULT_MEASURAND, notes, (*at, "measurand"))
    if type(measure) is dict:
        unit, exponent = _unit(measure, measurand, notes, (*at, "unitOfMeasure"))
        multiplier = measure.get("multiplier")
        if multiplier:
            exponent += _multiplier(multiplier, notes, at)
    else:
        unit, exponent = _unit({}, measurand, notes, at)
        if measure is not None:
            unreadable(measure, "an object", notes, (*at, "unitOfMeasure"))
    written = sampled.get("value")
    value = _value(written, exponent, notes, at)
    if value is None:
        unreadable(written, "a number", notes, (*at, "value"))
        return None
    sample = _sample(sampled, value, measurand, unit, timestamp, notes, at)
    signed = sampled.get("signedMeterValue")
    if signed is not None:
        sample["signed"] = signed
    return sample


SAMPLES_16 = SampleReader(_plain_16, _careful_16)
"""SampledValues of OCPP 1.6, where the value is text and the unit scales it."""

SAMPLES_2X = SampleReader(_plain_2x, _careful_2x)
"""SampledValues of OCPP 2.0.1 and 2.1, where the value is a number that unit and multiplier scale."""


def _plain(sampled: dict[str, Any], unit: Any, timestamp: str | None) -> Sample | None:
    get = sampled.get
    try:
        known = _known_sample(get("measurand"), unit, get("phase"), get("location"), get("context"))
    except TypeError:  # a list or an object where text should stand
        return None
    if known is None:
        return None
    template, exponent = known
    value = to_number(get("value"), exponent)
    if value is None:
        return None
    sample = template.copy()
    sample["value"], sample["timestamp"] = value, timestamp
    return sample


@lru_cache(maxsize=4096)
def _known_sample(measurand: Any, unit: Any, phase: Any, location: Any, context: Any) -> tuple[Sample, int] | None:
    """What is said of a value, ready to be copied, and the power of ten to scale it by. A charger's samples repeat."""
    if any(field is not None and type(field) is not str for field in (measurand, unit, phase, location, context)):
        return None
    notes = Notes()
    said = {"measurand": measurand, "phase": phase, "location": location, "context": context}
    measurand = measurand or DEFAULT_MEASURAND
    unit, exponent = _unit({"unit": unit}, measurand, notes, ())
    return _sample(said, 0, measurand, unit, None, notes, ()), exponent


def _sample(
    sampled: dict[str, Any],
    value: float | int | str,
    measurand: str,
    unit: str | None,
    timestamp: str | None,
    notes: Notes,
    at: At,
) -> Sample:
    phase = sampled.get("phase") or None
    if phase is not None and type(phase) is not str:
        phase = _not_text(phase, None, notes, (*at, "phase"))
    location = sampled.get("location") or DEFAULT_LOCATION
    if type(location) is not str:
        location = _not_text(location, DEFAULT_LOCATION, notes, (*at, "location"))
    context = sampled.get("context") or DEFAULT_CONTEXT
    if type(context) is not str:
        context = _not_text(context, DEFAULT_CONTEXT, notes, (*at, "context"))
    return {
        "measurand": measurand,
        "value": value,
        "unit": unit,
        "phase": phase,
        "location": location,
        "context": context,
        "timestamp": timestamp,
    }


def _not_text(value: Any, default: _Default, notes: Notes, at: At) -> _Default:
    unreadable(value, "text", notes, at)
    return default


def _unit(holder: dict[str, Any], measurand: str, notes: Notes, at: At) -> tuple[str | None, int]:
    """The unit that an object names, or is known to mean, and the power of ten that its values are scaled by."""
    written = holder.get("unit") or None
    if written is not None and type(written) is not str:
        written = _not_text(written, None, notes, (*at, "unit"))
    if notes.quirks.units:
        corrected = _corrected(measurand, written or "", notes, (*at, "unit"))
        if corrected is not None:
            return corrected
    if written is None:
        return (DEFAULT_ENERGY_UNIT if measurand.startswith("Energy") else None), 0
    return UNITS.get(written) or _IN_ANY_CASE.get(written.strip().lower()) or (written, 0)


def _corrected(measurand: str, written: str, notes: Notes, at: At) -> UnitCorrection | None:
    """What a unit really is, where the charger is known to mislabel it; noted once a message."""
    found = notes.quirks.units.get((measurand, written))
    if found is not None:
        unit, exponent = found
        told = f"{measurand} in {shown(written)} is in {unit} x 10^{exponent}, as this make sends it"
        notes.once("unit_corrected", pointer(at), told)
    return found


def _multiplier(written: Any, notes: Notes, at: At) -> int:
    multiplier = to_integer(written)
    if multiplier is None or not -24 <= multiplier <= 24:
        unreadable(written, "an exponent of ten", notes, (*at, "unitOfMeasure", "multiplier"))
        return 0
    return multiplier


def _value(written: Any, exponent: int, notes: Notes, at: At) -> float | int | str | None:
    """The scaled number; as written where it is no number (noted); None where it is no value at all."""
    scaled = to_number(written, exponent)
    if scaled is not None:
        return scaled
    if isinstance(written, float):
        written = str(written)
    if type(written) is not str:
        return None
    notes.violation("value_not_numeric", pointer((*at, "value")), f"{shown(written)} is no number")
    return written

"""What a transaction's record keeps of its samples: the readings that a bill may rest on, the peak, the battery."""

from collections.abc import Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from gateway.core.connector_state import Number
from gateway.core.reports import Sample

REGISTER_UNITS = (None, "Wh", "W")
"""What a reading of the register may be labelled, to count: W can only mean Wh, of others nobody knows."""

PERIODIC = "Sample.Periodic"
MAX_READINGS = 256
"""Readings beyond are left out in the middle: the first half and the latest are kept."""


class Reading(TypedDict):
    """One reading of the energy register, with its context, and signed data untouched where the meter signs.

    `energy_wh` is text where the charger gave no number (a signed value may be all there is).
    """

    at: str | None
    energy_wh: Number | str | None
    context: str | None
    measurand: str
    signed: NotRequired[Any]


class Measured(TypedDict):
    """What was measured over a transaction."""

    readings: list[Reading]
    peak_power_w: Number | None
    soc_start_percent: Number | None
    soc_end_percent: Number | None


def nothing_measured() -> Measured:
    return {
        "readings": [],
        "peak_power_w": None,
        "soc_start_percent": None,
        "soc_end_percent": None,
    }


def take_samples(
    measured: Measured, samples: Sequence[Sample], *, at: str, overtaken: bool = False, first: bool = False
) -> Measured:
    """The same with these samples added, itself where they add nothing; `at` stands in for missing timestamps.
    `overtaken`: later ones were added before; `first`: all of those are later.

    Kept as readings are those of the billing register that are more than periodic (begin, end, interruptions, the
    clock's), and whatever is signed.
    """
    readings: list[Reading] = []
    power: Number | None = None
    by_phase: Number = 0
    soc: Number | None = None
    for sample in samples:
        measurand = sample["measurand"]
        if measurand == "Power.Active.Import":
            value = sample["value"]
            if value.__class__ is str:
                continue
            if sample["phase"] is None:
                power = value  # type: ignore[assignment]
            else:
                by_phase += value  # type: ignore[operator]
        elif measurand == "SoC":
            if sample["value"].__class__ is not str:
                soc = sample["value"]  # type: ignore[assignment]
        elif "signed" in sample or (
            measurand == "Energy.Active.Import.Register"
            and sample["context"] != PERIODIC
            and sample["phase"] is None
            and sample["context"] is not None
            and sample["unit"] in REGISTER_UNITS
        ):
            readings.append(_reading(sample, at))
    peak = measured["peak_power_w"]
    if power is None and by_phase:
        power = round(by_phase, 3)
    higher = power is not None and (peak is None or power > peak)
    if not (higher or readings or (soc is not None and (first or soc != measured["soc_end_percent"]))):
        return measured
    return {
        "readings": _bounded([*measured["readings"], *readings]) if readings else measured["readings"],
        "peak_power_w": power if higher else peak,
        "soc_start_percent": _taken(measured["soc_start_percent"], soc, instead=first),
        "soc_end_percent": _taken(measured["soc_end_percent"], soc, instead=not overtaken),
    }


def _taken(known: Number | None, found: Number | None, *, instead: bool) -> Number | None:
    return found if found is not None and (instead or known is None) else known


def _reading(sample: Sample, at: str) -> Reading:
    reading: Reading = {
        "at": sample["timestamp"] or at,
        "energy_wh": sample["value"],
        "context": sample["context"],
        "measurand": sample["measurand"],
    }
    if "signed" in sample:
        reading["signed"] = sample["signed"]
    return reading


def _bounded(readings: list[Reading]) -> list[Reading]:
    if len(readings) <= MAX_READINGS:
        return readings
    half = MAX_READINGS // 2
    return [*readings[:half], *readings[-half:]]

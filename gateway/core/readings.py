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
    powers: dict[tuple[str | None, str | None, str | None], dict[str | None, Number]] = {}
    socs: list[Number] = []
    for sample in samples:
        measurand = sample["measurand"]
        if measurand == "Power.Active.Import":
            if not isinstance(value := sample["value"], str):
                moment = sample["timestamp"], sample["location"], sample["context"]
                powers.setdefault(moment, {})[sample["phase"]] = value
        elif measurand == "SoC":
            if not isinstance(value := sample["value"], str):
                socs.append(value)
        elif "signed" in sample or (measurand == "Energy.Active.Import.Register" and _bears_a_bill(sample)):
            readings.append(_reading(sample, at))
    peak = measured["peak_power_w"]
    power = max(map(_total, powers.values()), default=None)
    higher = power is not None and (peak is None or power > peak)
    soc_start = _taken(measured["soc_start_percent"], socs[:1], instead=first)
    soc_end = _taken(measured["soc_end_percent"], socs[-1:], instead=not overtaken)
    known = measured["soc_start_percent"], measured["soc_end_percent"]
    if not (higher or readings or known != (soc_start, soc_end)):
        return measured
    return {
        "readings": _bounded([*measured["readings"], *readings]) if readings else measured["readings"],
        "peak_power_w": power if higher else peak,
        "soc_start_percent": soc_start,
        "soc_end_percent": soc_end,
    }


def _bears_a_bill(sample: Sample) -> bool:
    return sample["context"] not in (None, PERIODIC) and sample["phase"] is None and sample["unit"] in REGISTER_UNITS


def _total(by_phase: dict[str | None, Number]) -> Number:
    """The power of one moment: the whole of it where that is told, else the sum of its phases."""
    whole = by_phase.get(None)
    return round(sum(by_phase.values()), 3) if whole is None else whole


def _taken(known: Number | None, found: list[Number], *, instead: bool) -> Number | None:
    return found[0] if found and (instead or known is None) else known


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

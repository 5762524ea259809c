"""What a transaction took, from readings that may be missing, late, or wrong. Nothing is altered, only flagged.

Start and stop count before what lies between them:

- A reading that falls, but not below the start, is odd (`meter_regression`, `meter_reset` below half of what was); the
  energy stays the difference to the start.
- A reading below the start is odd, too, where a later one is back where the register was, and the low ones had not
  counted up to there; else the register was reset, and its rises are summed (`samples`).
- Less than 100 Wh is rounding (samples in kWh with one decimal) and no fall.
- A start of 0 beside a register that no charger reaches in the time was no reading (`meter_reset`): the energy is that
  between the readings that came after, if there are any, else the difference, to be looked at.
- A first reading below half of the start counts from there (`session_relative_register`): so does the stop, unless its
  difference to the start agrees.
- Readings in a unit that is none of energy do not count: nobody knows what they mean.
- Readings of another location than the first one's, where that is not the outlet, do not count, nor do those of the
  main meter (connector 0).
"""

from collections.abc import Sequence

from gateway.core.connector_state import Number
from gateway.core.readings import REGISTER_UNITS
from gateway.core.reports import Sample
from gateway.core.transaction import Register, TransactionRecord, clear_suspicion, duration, suspect

REGISTER = "Energy.Active.Import.Register"

_OUTLET = (None, "Outlet")

_TOLERANCE_WH = 100
"""How far registers may lie apart and still agree: many samples are kWh with one decimal."""

_MAX_POWER_W = 500_000
_MAX_WITHOUT_CLOCK_WH = 1_000_000
_ALWAYS_DELIVERABLE_WH = 10_000
"""What a charger can deliver at most: at any time, and where nothing tells the time. A little it always can."""


def register_samples(samples: Sequence[Sample]) -> list[Sample]:
    """The samples of the billing register: the whole of it, not a phase's share, a number of Wh, of one location."""
    found = [
        sample
        for sample in samples
        if sample["measurand"] == REGISTER
        and sample["phase"] is None
        and sample["value"].__class__ is not str
        and sample["unit"] in REGISTER_UNITS
    ]
    return found if len(found) < 2 else _of_one_location(found)


def _of_one_location(found: list[Sample]) -> list[Sample]:
    """Those at the outlet, which is meant where none is told; where there are none, those of the first's location."""
    at_outlet = [sample for sample in found if sample["location"] in _OUTLET]
    return at_outlet or [sample for sample in found if sample["location"] == found[0]["location"]]


def difference(after: Number, before: Number) -> Number:
    """Exact in the decimals that meters have (binary floats would not be)."""
    return after - before if after.__class__ is int and before.__class__ is int else round(after - before, 6)


def deliverable(wh: Number, seconds: float | None) -> bool:
    """Whether a charger can have delivered so much in this time, or where that is not known."""
    most = _MAX_WITHOUT_CLOCK_WH if not seconds else _MAX_POWER_W * seconds / 3600 + _ALWAYS_DELIVERABLE_WH
    return wh <= most


def contradicts(record: TransactionRecord, meter_stop: Number, seconds: float | None, *, below: bool = True) -> bool:
    """Whether the transaction's register cannot be this one: `below` where it was, or too far above for the time."""
    start, register = record["meter_start_wh"], record["register"]
    if register is not None and register["relative"]:
        return False
    if start is not None and not deliverable(difference(meter_stop, start), seconds):
        return True
    latest = start if register is None else register["wh"]
    return below and latest is not None and meter_stop <= latest - _TOLERANCE_WH


def advance(record: TransactionRecord, samples: Sequence[Sample], *, at: str, overtaken: bool = False) -> None:
    """Let the transaction's register move on; late samples are left out. `at` stands in for missing timestamps.

    `overtaken`: a later message came before these, so that those of the very moment of the register are late, too.
    """
    moved = False
    for sample in register_samples(samples):
        time = sample["timestamp"] or at
        known = record["register"]
        if overtaken and known is not None and time <= known["at"]:
            continue
        if sample["location"] not in _OUTLET and known is not None and known.get("location") != sample["location"]:
            continue
        moved |= _move(record, sample["value"], time)  # type: ignore[arg-type]
        if known is None and record["register"] is not None and sample["location"] not in _OUTLET:
            record["register"]["location"] = sample["location"]
    if moved:
        record["energy_wh"], record["energy_method"] = _so_far(record)


def _move(record: TransactionRecord, wh: Number, at: str) -> bool:
    register = record["register"]
    if register is None:
        record["register"] = _first(record, wh, at)
        return True
    if at < register["at"]:
        return False
    before, counted = register["wh"], register["counted_wh"]
    if wh < before:
        return _fall(record, register, wh, at)
    if "fell_from" in register and _is_back(register, wh):
        # What lay between was odd.
        before, counted = register["fell_from"], register["counted_before_wh"]
        register = {**register, "fell": False}
        del register["fell_from"], register["fell_to"], register["counted_before_wh"]
    if wh > before:
        if not before and _is_no_start(record, wh, at):
            record["register"] = {**register, "wh": wh, "at": at, "fell": True}
            return True
        if register["relative"] and not deliverable(difference(wh, before), _seconds(record, at)):
            # The lifetime register after all; what came before was odd.
            record["register"] = _first(record, wh, at)
            return True
        rise = difference(wh, before)
        counted = round(counted + rise, 6) if rise.__class__ is float else counted + rise
    record["register"] = {**register, "wh": wh, "at": at, "counted_wh": counted}
    return True


def _first(record: TransactionRecord, wh: Number, at: str) -> Register:
    start = record["meter_start_wh"]
    register: Register = {"wh": wh, "at": at, "counted_wh": 0, "fell": False, "relative": False}
    if start is None or wh == start:
        return register
    if wh > start:
        no_start = _is_no_start(record, wh, at)
        return {**register, "fell": True} if no_start else {**register, "counted_wh": difference(wh, start)}
    if wh < start / 2:
        # Far below the register at the start: it counts from there (some chargers mix the two registers).
        suspect(record, "session_relative_register")
        return {**register, "counted_wh": wh, "relative": True}
    if start - wh < _TOLERANCE_WH:
        return {**register, "wh": start}
    suspect(record, "meter_regression")
    return {**register, "fell": True, "fell_from": start, "fell_to": wh, "counted_before_wh": 0}


def _is_no_start(record: TransactionRecord, wh: Number, at: str | None) -> bool:
    """The transaction's start of 0 was no reading of this register, which nobody can have driven so far since."""
    if record["meter_start_wh"] != 0 or deliverable(wh, _seconds(record, at)):
        return False
    suspect(record, "meter_reset")
    return True


def _fall(record: TransactionRecord, register: Register, wh: Number, at: str) -> bool:
    before, start = register["wh"], record["meter_start_wh"]
    if before - wh < _TOLERANCE_WH:
        record["register"] = {**register, "at": at}
        return True
    suspect(record, "meter_reset" if wh < before / 2 else "meter_regression")
    fallen: Register = {**register, "wh": wh, "at": at}
    if start is not None and wh >= start and not register["fell"] and not register["relative"]:
        fallen["counted_wh"] = difference(wh, start)
    else:
        fallen["fell"] = True
        if not register["fell"]:
            fallen |= {"fell_from": before, "fell_to": wh, "counted_before_wh": register["counted_wh"]}
        elif "fell_from" in register:
            fallen["fell_to"] = min(register["fell_to"], wh)
    record["register"] = fallen
    return True


def _is_back(register: Register, wh: Number) -> bool:
    """The register is where it was before it fell, and did not count up to there from what it fell to."""
    half = register["fell_from"] / 2
    return wh >= register["fell_from"] and (register["fell_to"] >= half or register["wh"] < half)


def _seconds(record: TransactionRecord, at: str | None) -> float | None:
    """How long the transaction had run; None where the charger's clock does not tell."""
    return None if "clock_past" in record["suspect"] else duration(record["started_at"], at)


def _so_far(record: TransactionRecord) -> tuple[Number | None, str]:
    register, start = record["register"], record["meter_start_wh"]
    if register is None:
        return (None, "unknown") if start is None else (0, "register")
    if register["relative"] and not register["fell"]:
        return register["wh"], "session_register"
    if start is None or register["fell"]:
        return register["counted_wh"], "samples"
    energy = difference(register["wh"], start)
    return (energy, "register") if energy >= 0 else (register["counted_wh"], "samples")


def begin(record: TransactionRecord, meter_start: Number | None) -> None:
    """Note the register at the start; a start that comes late is put before the samples that came first."""
    record["meter_start_wh"] = meter_start
    record["energy_wh"], record["energy_method"] = _so_far(record)


def settle(record: TransactionRecord, meter_stop: Number | None) -> None:
    """Decide the energy of a transaction that has ended; `meter_stop` is None where the charger gave none."""
    register = record["register"]
    record["meter_stop_wh"] = meter_stop
    record.pop("stop_unread", None)
    if meter_stop is None:
        record["stop_unread"] = True
        if register is not None and not register["relative"]:
            record["meter_stop_wh"] = register["wh"]
        energy, method = (None, "unknown") if register is None else _so_far(record)
        method = "samples" if method == "register" else method
    else:
        energy, method = _at_stop(record, meter_stop)
    if record["meter_start_wh"] is None and not energy:
        # One reading, or ever the same, tells nothing of what had been delivered before it.
        energy, method = None, "unknown"
    if method == "register" and "missing_start" in record["suspect"]:
        method = "samples"
    record["energy_wh"], record["energy_method"] = energy, method


def told_stop(record: TransactionRecord) -> Number | None:
    """The reading that came with the end, None where there was none: what comes late may be nearer to it."""
    return None if record.get("stop_unread") else record["meter_stop_wh"]


def _at_stop(record: TransactionRecord, meter_stop: Number) -> tuple[Number | None, str]:
    start, register = record["meter_start_wh"], record["register"]
    if start is not None and meter_stop < start:
        suspect(record, "meter_regression")
        energy, method = _by_samples(record, meter_stop)
        # No rise at all beside a register that fell says nothing.
        return (energy, method) if energy else (None, "unknown")
    if start is None:
        return _by_samples(record, meter_stop)
    energy = difference(meter_stop, start)
    if _is_no_start(record, meter_stop, record["ended_at"]):
        return (energy, "register") if register is None else _between(record, register, meter_stop)
    if register is None:
        return energy, "register"
    if register["relative"]:
        if register["wh"] > energy + _TOLERANCE_WH:
            return _by_samples(record, meter_stop)
        if not register["fell"]:
            clear_suspicion(record, "session_relative_register")
        return energy, "register"
    if register["fell"]:
        is_back = "fell_from" in register and _is_back(register, meter_stop)
        return (energy, "register") if is_back else _by_samples(record, meter_stop)
    if register["wh"] - meter_stop >= _TOLERANCE_WH:
        suspect(record, "meter_regression")
    return energy, "register"


def _between(record: TransactionRecord, register: Register, meter_stop: Number) -> tuple[Number, str]:
    """The energy where the start was no reading: between samples, and to the stop where that is of their register."""
    counted, rise = register["counted_wh"], difference(meter_stop, register["wh"])
    if deliverable(rise, _seconds(record, record["ended_at"])):
        counted = counted + max(0, rise)
    if not counted or not deliverable(counted, _seconds(record, record["ended_at"])):
        return meter_stop, "register"
    return (round(counted, 6) if counted.__class__ is float else counted), "samples"


def _by_samples(record: TransactionRecord, meter_stop: Number) -> tuple[Number | None, str]:
    register = record["register"]
    if register is None:
        return None, "unknown"
    if register["relative"] and not register["fell"]:
        return max(register["wh"], meter_stop), "session_register"
    rise = difference(meter_stop, register["wh"])
    energy = register["counted_wh"] + max(0, rise)
    return (round(energy, 6) if energy.__class__ is float else energy), "samples"

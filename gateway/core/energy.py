"""What a transaction took, from readings that may be missing, late, or wrong. Nothing is altered, only flagged."""

from collections.abc import Sequence

from gateway.core.connector_state import Number
from gateway.core.reports import Sample
from gateway.core.transaction import TransactionRecord, clear_suspicion, suspect

REGISTER = "Energy.Active.Import.Register"

_TOLERANCE_WH = 100
"""How far a session-relative register may lie above the difference of the lifetime register and still agree."""


def register_samples(samples: Sequence[Sample]) -> list[Sample]:
    """The samples of the billing register: the whole of it, not a phase's share, and a number."""
    return [
        sample
        for sample in samples
        if sample["measurand"] == REGISTER and sample["phase"] is None and sample["value"].__class__ is not str
    ]


def difference(after: Number, before: Number) -> Number:
    """Exact in the decimals that meters have (binary floats would not be)."""
    return after - before if after.__class__ is int and before.__class__ is int else round(after - before, 6)


def advance(record: TransactionRecord, samples: Sequence[Sample], *, at: str, overtaken: bool = False) -> None:
    """Let the transaction's register move on; late samples are left out. `at` stands in for missing timestamps.

    `overtaken`: a later message came before these, so that those of the very moment of the register are late, too.
    """
    moved = False
    for sample in register_samples(samples):
        time = sample["timestamp"] or at
        known = record["register"]
        if not (overtaken and known is not None and time <= known["at"]):
            moved |= _move(record, sample["value"], time)  # type: ignore[arg-type]
    if moved:
        record["energy_wh"], record["energy_method"] = _so_far(record)


def _move(record: TransactionRecord, wh: Number, at: str) -> bool:
    register, start = record["register"], record["meter_start_wh"]
    if register is not None:
        if at < register["at"]:
            return False
        before, fell, relative = register["wh"], register["fell"], register["relative"]
        counted = register["counted_wh"]
    else:
        before, fell, relative, counted = (wh if start is None else start), False, False, 0
        if wh < before / 2:
            # Far below the register at the start: it counts from there (some chargers mix the two registers).
            before, relative, counted = 0, True, 0
            suspect(record, "session_relative_register")
    if wh < before:
        fell = True
        suspect(record, "meter_reset" if wh < before / 2 else "meter_regression")
    elif wh > before:
        rise = difference(wh, before)
        counted = round(counted + rise, 6) if rise.__class__ is float else counted + rise
    record["register"] = {"wh": wh, "at": at, "counted_wh": counted, "fell": fell, "relative": relative}
    return True


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
    if meter_stop is None:
        if register is not None and not register["relative"]:
            record["meter_stop_wh"] = register["wh"]
        energy, method = (None, "unknown") if register is None else _so_far(record)
        method = "samples" if method == "register" else method
    else:
        energy, method = _at_stop(record, meter_stop)
    if method == "register" and "missing_start" in record["suspect"]:
        method = "samples"
    record["energy_wh"], record["energy_method"] = energy, method


def _at_stop(record: TransactionRecord, meter_stop: Number) -> tuple[Number | None, str]:
    start, register = record["meter_start_wh"], record["register"]
    if start is not None and meter_stop < start:
        suspect(record, "meter_regression")
        energy, method = _by_samples(record, meter_stop)
        # No rise at all beside a register that fell says nothing.
        return (energy, method) if energy else (None, "unknown")
    if register is not None and not register["relative"] and meter_stop < register["wh"]:
        suspect(record, "meter_regression")
        return _by_samples(record, meter_stop)
    if start is None or (register is not None and register["fell"]):
        return _by_samples(record, meter_stop)
    energy = difference(meter_stop, start)
    if register is not None and register["wh"] <= energy + _TOLERANCE_WH:
        clear_suspicion(record, "session_relative_register")
    return energy, "register"


def _by_samples(record: TransactionRecord, meter_stop: Number) -> tuple[Number | None, str]:
    register = record["register"]
    if register is None:
        return None, "unknown"
    if register["relative"] and not register["fell"]:
        return register["wh"], "session_register"
    rise = difference(meter_stop, register["wh"])
    energy = register["counted_wh"] + max(0, rise)
    return (round(energy, 6) if energy.__class__ is float else energy), "samples"

"""What a charger measures, taken over into its connector's state."""

from collections.abc import Sequence

from gateway.core.connector_state import ConnectorState, Number, Phases
from gateway.core.readings import REGISTER_UNITS
from gateway.core.reports import Sample

_ALONE = ("energy_register_wh", "soc_percent", "temperature_c", "max_offered_a")
_CURRENT, _VOLTAGE, _POWER = (
    {phase: f"{name}.{phase}" for phase in ("l1", "l2", "l3")}
    for name in ("current_a", "voltage_v", "power_by_phase_w")
)
"""What the measurands of a phase are called."""
_PHASE = {None: "l1", "L1": "l1", "L2": "l2", "L3": "l3", "L1-N": "l1", "L2-N": "l2", "L3-N": "l3"}


def apply_samples(state: ConnectorState, samples: Sequence[Sample], *, at: str, shown: str | None) -> None:
    """Take over samples that are not older than `shown`; `at` stands in for missing timestamps.

    `shown` is the state's `measured_at`, or None where that came from a wrong clock and must not hold up others.
    """
    power: Number | None = None
    power_by_phase: dict[str, Number] = {}
    current: dict[str, Number] = {}
    voltage: dict[str, Number] = {}
    for sample in samples:
        time = sample["timestamp"] or at
        if shown is not None and time < shown:
            continue
        value = sample["value"]
        if isinstance(value, str):
            continue
        measurand, phase = sample["measurand"], sample["phase"]
        if measurand == "Current.Import":
            current[_PHASE.get(phase, "")] = value
        elif measurand == "Voltage":
            voltage[_PHASE.get(phase, "")] = value
        elif measurand == "Power.Active.Import":
            if phase is None:
                power = value
            else:
                power_by_phase[phase] = value
        elif measurand == "Energy.Active.Import.Register":
            if phase is not None or sample["unit"] not in REGISTER_UNITS:
                continue
            state["energy_register_wh"] = value
        elif measurand == "SoC":
            state["soc_percent"] = value
        elif measurand == "Temperature":
            state["temperature_c"] = _celsius(value, sample["unit"])
        elif measurand == "Current.Offered":
            state["max_offered_a"] = max(value, state["max_offered_a"] or 0)
        else:
            continue
        shown = time
    if shown is not None:
        state["measured_at"] = shown
    if power is not None:
        state["power_w"] = power
    elif power_by_phase:
        state["power_w"] = round(sum(power_by_phase.values()), 3)
    if current:
        state["current_a"] = _overlaid(state["current_a"], current)
    if voltage:
        state["voltage_v"] = _overlaid(state["voltage_v"], voltage)
    by_phase: dict[str, Number] = {}
    if power_by_phase:
        by_phase = {_PHASE.get(phase, ""): value for phase, value in power_by_phase.items()}
        state["power_by_phase_w"] = _overlaid(state["power_by_phase_w"], by_phase)
    known = state["measurands"]
    new = [name for name in _ALONE if name not in known and state[name] is not None]  # type: ignore[literal-required]
    if "power_w" not in known and (power is not None or power_by_phase):
        new.append("power_w")
    for phases, names in ((current, _CURRENT), (voltage, _VOLTAGE), (by_phase, _POWER)):
        new += [names[phase] for phase in phases if phase and names[phase] not in known]
    if new:
        state["measurands"] = sorted({*known, *new})


def _celsius(value: Number, unit: str | None) -> Number:
    if unit == "Fahrenheit":
        return round((value - 32) / 1.8, 2)
    return round(value - 273.15, 2) if unit == "K" else value


def _overlaid(phases: Phases, found: dict[str, Number]) -> Phases:
    get = found.get
    return {"l1": get("l1", phases["l1"]), "l2": get("l2", phases["l2"]), "l3": get("l3", phases["l3"])}

"""The picture of one connector, as it is published under `evse/{e}/connector/{c}/state`."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from gateway.core.reports import Problem, Sample, Status

Number = int | float


class Phases(TypedDict):
    """One quantity by phase; `l1` also where the charger names no phase."""

    l1: Number | None
    l2: Number | None
    l3: Number | None


class ConnectorError(TypedDict):
    """What the charger says is wrong; `code` is null where it only said that something is."""

    code: str | None
    vendor_code: str | None
    info: str | None


class TokenFacts(TypedDict):
    """An id token as it stands in public data."""

    id: str
    type: str | None


class ConnectorTransaction(TypedDict):
    """The transaction that runs on a connector, in brief.

    `cost` is what it costs so far: what the charger says (OCPP 2.1), else what was answered to `transaction_cost`, then
    in the charger's currency, which `currency` does not know.
    """

    id: str
    ocpp_transaction_id: str
    token: TokenFacts | None
    started_at: str | None
    energy_wh: Number | None
    charging_state: str | None
    cost: Number | None
    currency: str | None


class LastTransaction(TypedDict):
    """The transaction that ended last on a connector, in brief; corrected where its record is."""

    id: str
    token: TokenFacts | None
    started_at: str | None
    ended_at: str | None
    energy_wh: Number | None
    stop_reason: str | None
    cost: Number | None
    currency: str | None
    suspect: list[str]


class ConnectorState(TypedDict):
    """Every key is always present, null where unknown.

    `limit_a` and `limit_w` are the limit that was set by command, `paused` tells that charging was paused on top of it,
    `start_requested` that a start waits for its EV, or for the transaction that it causes.
    `reported_status` is the charger's own word, `status` the same with OCPP 2.x's `occupied` refined by the
    transaction's charging state. `measured_at` is the time of the latest sample (the charger's clock), `updated_at`
    the gateway's. `measurands` are the values that the charger has ever measured here, e.g. `power_w` or
    `current_a.l2`: what is not among them is assumed to be 0, or null. `max_offered_a` is the highest current that it
    was seen to offer.
    """

    evse_id: int
    connector_id: int
    status: str | None
    reported_status: str | None
    error: ConnectorError | None
    plugged: bool | None
    charging: bool | None
    enabled: bool | None
    paused_by: str | None
    iec61851: str | None
    power_w: Number | None
    energy_register_wh: Number | None
    current_a: Phases
    voltage_v: Phases
    power_by_phase_w: Phases
    soc_percent: Number | None
    temperature_c: Number | None
    max_offered_a: Number | None
    measurands: list[str]
    limit_a: Number | None
    limit_w: Number | None
    paused: bool
    start_requested: bool
    transaction: ConnectorTransaction | None
    last_transaction: LastTransaction | None
    measured_at: str | None
    updated_at: str | None


_PLUGGED = {
    "available": False,
    "reserved": False,
    "preparing": True,
    "occupied": True,
    "charging": True,
    "suspended_ev": True,
    "suspended_evse": True,
    "finishing": True,
}

_IEC61851 = {
    "available": "A",
    "reserved": "A",
    "preparing": "B",
    "occupied": "B",
    "suspended_ev": "B",
    "suspended_evse": "B",
    "finishing": "B",
    "charging": "C",
    "unavailable": "F",
    "faulted": "F",
}

_REFINED = {
    "charging": "charging",
    "evconnected": "preparing",
    "suspendedev": "suspended_ev",
    "suspendedevse": "suspended_evse",
}
"""OCPP 2.x charging state (lower case, no underscores) → what `occupied` means with it."""

_PAUSED_BY: dict[str | None, str] = {"suspended_ev": "ev", "suspended_evse": "evse"}

_AFTER_CHARGING = frozenset(("charging", "suspended_ev", "suspended_evse", "finishing"))

_NO_ERROR = frozenset(("", "noerror", "no_error"))


def new_connector(evse_id: int, connector_id: int) -> ConnectorState:
    """A connector of which nothing is known yet; idle until shown otherwise, so power and currents are 0."""
    return {
        "evse_id": evse_id,
        "connector_id": connector_id,
        "status": None,
        "reported_status": None,
        "error": None,
        "plugged": None,
        "charging": None,
        "enabled": None,
        "paused_by": None,
        "iec61851": None,
        "power_w": 0,
        "energy_register_wh": None,
        "current_a": {"l1": 0, "l2": 0, "l3": 0},
        "voltage_v": {"l1": None, "l2": None, "l3": None},
        "power_by_phase_w": {"l1": None, "l2": None, "l3": None},
        "soc_percent": None,
        "temperature_c": None,
        "max_offered_a": None,
        "measurands": [],
        "limit_a": None,
        "limit_w": None,
        "paused": False,
        "start_requested": False,
        "transaction": None,
        "last_transaction": None,
        "measured_at": None,
        "updated_at": None,
    }


# ---------------------------------------------------------------- status


def apply_status(state: ConnectorState, report: Status) -> None:
    """Take over what a status notification says."""
    previous = state["reported_status"]
    transaction = state["transaction"]
    state["reported_status"] = report.status
    state["error"] = error_after(state["error"], report)
    if report.status == "unavailable":
        state["enabled"] = False
    elif state["enabled"] is None or previous == "unavailable":
        state["enabled"] = True
    if report.status != "occupied" or previous != "occupied":
        _set_status(state, report.status)
    if transaction is not None:
        follow_charging_state(state, transaction["charging_state"])


def follow_charging_state(state: ConnectorState, charging_state: str | None) -> None:
    """Refine `occupied` by the charging state of the connector's transaction (OCPP 2.x)."""
    if state["reported_status"] not in ("occupied", None) or charging_state is None:
        return
    plain = charging_state.replace("_", "").lower()
    if plain == "idle":
        _set_status(state, "finishing" if state["status"] in _AFTER_CHARGING else "preparing")
        state["plugged"], state["iec61851"] = False, "A"
    else:
        refined = _REFINED.get(plain)
        if refined is not None and refined != state["status"]:
            _set_status(state, refined)


def _set_status(state: ConnectorState, status: str) -> None:
    state["status"] = status
    state["plugged"] = _PLUGGED.get(status)
    state["charging"] = status == "charging"
    state["iec61851"] = _IEC61851.get(status)
    _set_paused_by(state)


def _set_paused_by(state: ConnectorState) -> None:
    if state["paused"] or state["limit_a"] == 0 or state["limit_w"] == 0:
        state["paused_by"] = "command"
    else:
        state["paused_by"] = _PAUSED_BY.get(state["status"])


def error_of(report: Status) -> ConnectorError | None:
    """The error of a status notification, None where it reports none."""
    code = report.error_code
    if code is None or code.lower() in _NO_ERROR:
        if report.status != "faulted":
            return None
        code = None
    return {"code": code, "vendor_code": report.vendor_error_code, "info": report.info}


def error_after(known: ConnectorError | None, report: Status) -> ConnectorError | None:
    """The error after a status notification: one that is known stays where it only says once more that there is one."""
    says_nothing = (report.error_code, report.vendor_error_code, report.info) == (None, None, None)
    return known if known is not None and report.status == "faulted" and says_nothing else error_of(report)


def problem_error(problem: Problem, status: str | None) -> ConnectorError | None:
    """The error that a problem is; one that is over leaves none but that of a faulted status."""
    if problem.present:
        return {"code": problem.code, "vendor_code": None, "info": problem.info}
    return {"code": None, "vendor_code": None, "info": None} if status == "faulted" else None


def apply_problem(state: ConnectorState, problem: Problem) -> None:
    """Take over that there is a problem, or none any more. The status stays."""
    state["error"] = problem_error(problem, state["reported_status"])


def apply_limit(state: ConnectorState, current_a: float | None, power_w: float | None, paused: bool) -> None:
    """Note the limit that holds, in the unit it was set in (None and None: none), and whether charging is paused."""
    state["limit_a"], state["limit_w"], state["paused"] = current_a, power_w, paused
    _set_paused_by(state)


# ---------------------------------------------------------------- transactions


def attach_transaction(state: ConnectorState, brief: ConnectorTransaction) -> None:
    """Show the transaction on the connector; what it draws is unknown until it is measured."""
    state["transaction"] = brief
    measured_at, started_at = state["measured_at"], brief["started_at"]
    if measured_at is None or started_at is None or measured_at < started_at:
        state["power_w"] = None
        state["current_a"] = {"l1": None, "l2": None, "l3": None}
        state["power_by_phase_w"] = {"l1": None, "l2": None, "l3": None}


def detach_transaction(state: ConnectorState, ended_at: str | None) -> None:
    """Show that no transaction runs; only a sample that is newer than its end still counts."""
    state["transaction"] = None
    measured_at = state["measured_at"]
    if measured_at is None or ended_at is None or measured_at <= ended_at:
        make_idle(state)
    if state["reported_status"] == "occupied":
        _set_status(state, "finishing")


def make_idle(state: ConnectorState) -> None:
    """Nothing is drawn."""
    state["power_w"] = 0
    state["current_a"] = {"l1": 0, "l2": 0, "l3": 0}
    known = state["measurands"]
    drawn = {phase: 0 if f"power_by_phase_w.{phase}" in known else None for phase in _PHASES}
    state["power_by_phase_w"] = {"l1": drawn["l1"], "l2": drawn["l2"], "l3": drawn["l3"]}


def show_last(state: ConnectorState, last: LastTransaction) -> None:
    """Show a transaction that has ended as the last one, unless a later one is shown."""
    shown = state["last_transaction"]
    if shown is None or shown["id"] == last["id"] or (shown["ended_at"] or "") <= (last["ended_at"] or ""):
        state["last_transaction"] = last


def is_idle(state: ConnectorState) -> bool:
    """Power and currents are shown as 0."""
    return not state["power_w"] and not any(state["current_a"].values())


def apply_register(state: ConnectorState, at: str, wh: Number) -> None:
    """Take over a meter reading that came outside a sample (meterStart, meterStop), unless a newer one is known."""
    if state["measured_at"] is None or at >= state["measured_at"]:
        state["energy_register_wh"] = wh


# ---------------------------------------------------------------- samples

_PHASES = ("l1", "l2", "l3")
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
            if phase is not None:
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
    by_phase = {_PHASE.get(phase, ""): value for phase, value in power_by_phase.items()}
    if by_phase:
        state["power_by_phase_w"] = _overlaid(state["power_by_phase_w"], by_phase)
    _note_measurands(
        state,
        (power is not None or bool(by_phase), *(state[name] is not None for name in _ALONE[1:])),  # type: ignore[literal-required]
        {"current_a": current, "voltage_v": voltage, "power_by_phase_w": by_phase},
    )


def _celsius(value: Number, unit: str | None) -> Number:
    if unit == "Fahrenheit":
        return round((value - 32) / 1.8, 2)
    return round(value - 273.15, 2) if unit == "K" else value


_ALONE = ("power_w", "energy_register_wh", "soc_percent", "temperature_c", "max_offered_a")


def _note_measurands(state: ConnectorState, alone: Sequence[bool], by_phase: dict[str, dict[str, Number]]) -> None:
    """Note what was measured just now: which of `_ALONE`, and of these quantities which phases."""
    known = state["measurands"]
    names = [name for name, given in zip(_ALONE, alone, strict=True) if given]
    names += [f"{name}.{phase}" for name, phases in by_phase.items() for phase in phases if phase]
    new = {name for name in names if name not in known}
    if new:
        state["measurands"] = sorted(new.union(known))


def _overlaid(phases: Phases, found: dict[str, Number]) -> Phases:
    get = found.get
    return {"l1": get("l1", phases["l1"]), "l2": get("l2", phases["l2"]), "l3": get("l3", phases["l3"])}

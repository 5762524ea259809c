"""Monitors of variables."""

from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandUnsupported
from gateway.ocpp.batches import batches
from gateway.ocpp.endings import ending, items, neutral, worst
from gateway.ocpp.fields import integer, word
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.spelling import Words, in_2x, in_21, spelled
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, component_variable, given
from gateway.ocpp.v201.variables import read_variable

MONITORS: Words = {
    # MonitorEnumType
    "upper_threshold": in_2x("UpperThreshold"),
    "lower_threshold": in_2x("LowerThreshold"),
    "delta": in_2x("Delta"),
    "periodic": in_2x("Periodic"),
    "periodic_clock_aligned": in_2x("PeriodicClockAligned"),
    "target_delta": in_21("TargetDelta"),
    "target_delta_relative": in_21("TargetDeltaRelative"),
}

CRITERIA = {"threshold": "ThresholdMonitoring", "delta": "DeltaMonitoring", "periodic": "PeriodicMonitoring"}

BASES = {"all": "All", "factory_default": "FactoryDefault", "hard_wired_only": "HardWiredOnly"}


def set_monitoring(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case N04."""
    wanted = [_monitor(monitor, dialect) for monitor in arguments["monitors"]]
    return [Call("SetVariableMonitoring", {"setMonitoringData": list(batch)}) for batch in batches(wanted)]


def did_set_monitoring(calls: list[Call], answers: list[Answered]) -> Ending:
    """Rejected where any monitor was."""
    notes, results = Notes(), items(answers, "setMonitoringResult")
    if not results:
        return Ending(Outcome.REJECTED, "the answer names no monitor", {"monitors": []})
    monitors = [
        {
            **read_variable(item, notes),
            "id": integer(item, "id", notes),
            "type": word(item, "type", notes),
            "severity": integer(item, "severity", notes),
            "status": neutral(item.get("status")),
        }
        for item in results
    ]
    names = [f"{monitor['component']}.{monitor['variable']}" for monitor in monitors]
    return worst([ending(item, {}) for item in results], names, {"monitors": monitors})


def clear_monitoring(arguments: Arguments, station: Station) -> list[Call]:
    """Use case N06."""
    return [Call("ClearVariableMonitoring", {"id": list(batch)}) for batch in batches(arguments["ids"])]


def did_clear_monitoring(calls: list[Call], answers: list[Answered]) -> Ending:
    """Rejected where any monitor was not removed."""
    notes, results = Notes(), items(answers, "clearMonitoringResult")
    if not results:
        return Ending(Outcome.REJECTED, "the answer names no monitor", {"monitors": []})
    monitors = [{"id": integer(item, "id", notes), "status": neutral(item.get("status"))} for item in results]
    return worst([ending(item, {}) for item in results], [str(item["id"]) for item in monitors], {"monitors": monitors})


def get_monitoring_report(arguments: Arguments, station: Station) -> list[Call]:
    """Use case N02."""
    criteria, variables = dict.fromkeys(arguments["criteria"]), arguments["variables"]
    wanted = given(
        monitoringCriteria=[CRITERIA[criterion] for criterion in criteria] or None,
        componentVariable=[component_variable(item, "get_monitoring_report") for item in variables] or None,
    )
    return [Call("GetMonitoringReport", {"requestId": station.next_id(), **wanted})]


def set_monitoring_base(arguments: Arguments, station: Station) -> list[Call]:
    """Use case N03."""
    return [Call("SetMonitoringBase", {"monitoringBase": BASES[arguments["base"]]})]


def set_monitoring_level(arguments: Arguments, station: Station) -> list[Call]:
    """Use case N05."""
    return [Call("SetMonitoringLevel", {"severity": arguments["severity"]})]


def _monitor(monitor: Arguments, dialect: Dialect) -> dict[str, Any]:
    """SetMonitoringDataType."""
    stream = monitor["event_stream"]
    if stream is not None and dialect is V201:
        raise CommandUnsupported("set_monitoring: OCPP 2.0.1 knows no event streams; versions that do: 2.1")
    return {
        **component_variable(monitor, "set_monitoring"),
        "type": spelled(monitor["type"], MONITORS, dialect.version, "set_monitoring"),
        "value": monitor["value"],
        "severity": monitor["severity"],
        "transaction": monitor["transaction"],
        **given(
            id=monitor["id"],
            periodicEventStream=(
                None if stream is None else given(interval=stream["interval_s"], values=stream["values"])
            ),
        ),
    }

"""OCPP 2.x: monitors of variables (block N), and the periodic event streams that 2.1 makes of them."""

from typing import Any

from gateway.simulator.device_model import Variable
from gateway.simulator.dialect import Answer
from gateway.simulator.memory import Monitor
from gateway.simulator.messages import Errand, Message, Pause, in_parts
from gateway.simulator.obey2x.answers import accepted, refused
from gateway.simulator.station import Station
from gateway.simulator.wording2x import stream_element

ITEMS_PER_PART = 10
MAX_STREAMS = 16
CRITERIA = {
    "ThresholdMonitoring": ("UpperThreshold", "LowerThreshold"),
    "DeltaMonitoring": ("Delta", "TargetDelta", "TargetDeltaRelative"),
    "PeriodicMonitoring": ("Periodic", "PeriodicClockAligned"),
}


def variable_of(station: Station, component: dict[str, Any], variable: dict[str, Any]) -> Variable | None:
    """The variable that a ComponentType and a VariableType name."""
    evse = component.get("evse", {})
    return station.variables.by_name(
        str(component["name"]),
        str(variable["name"]),
        instance=variable.get("instance"),
        evse=evse.get("id"),
        connector=evse.get("connectorId"),
    )


def set_variable_monitoring(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case N04; in 2.1 a monitor may have a periodic event stream of its own."""
    results: list[dict[str, Any]] = []
    streams: list[tuple[Monitor, dict[str, Any]]] = []
    for wanted in payload["setMonitoringData"]:
        result = {name: wanted[name] for name in ("type", "component", "variable", "severity")}
        monitor, status = _monitor(station, wanted)
        result["status"] = status
        if monitor is not None:
            result["id"] = monitor.id
            station.memory.monitors[monitor.id] = monitor
            if "periodicEventStream" in wanted and len(station.memory.streams) + len(streams) < MAX_STREAMS:
                streams.append((monitor, dict(wanted["periodicEventStream"])))
        results.append(result)
    return Answer({"setMonitoringResult": results}, _open_streams(station, streams) if streams else None)


def _monitor(station: Station, wanted: dict[str, Any]) -> tuple[Monitor | None, str]:
    component, variable, kind = wanted["component"], wanted["variable"], str(wanted["type"])
    memory = station.memory
    if variable_of(station, component, variable) is None:
        known = station.variables.has_component(str(component["name"]))
        return None, "UnknownVariable" if known else "UnknownComponent"
    own = wanted.get("id")
    if own is not None and own not in memory.monitors:
        return None, "Rejected"
    for other in memory.monitors.values():
        same = (other.component, other.variable, other.kind, other.severity)
        if same == (component, variable, kind, wanted["severity"]) and other.id != own:
            return None, "Duplicate"
    number = memory.next_number() if own is None else int(own)
    monitor = Monitor(
        number,
        kind,
        float(wanted["value"]),
        int(wanted["severity"]),
        bool(wanted.get("transaction", False)),
        component,
        variable,
    )
    return monitor, "Accepted"


def clear_variable_monitoring(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case N06."""
    results = []
    for number in payload["id"]:
        known = station.memory.monitors.pop(number, None)
        results.append({"id": number, "status": "NotFound" if known is None else "Accepted"})
    return Answer({"clearMonitoringResult": results})


def set_monitoring_base(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case N03: none is wired in, so every base but All is the same: no monitor."""
    if payload["monitoringBase"] != "All":
        station.memory.monitors.clear()
    return accepted()


def set_monitoring_level(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case N05: severities go from 0 to 9."""
    severity = int(payload["severity"])
    if not 0 <= severity <= 9:
        return refused("OutOfRange")
    station.memory.monitoring_level = severity
    return accepted()


def get_monitoring_report(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case N02."""
    wanted, criteria = payload.get("componentVariable"), payload.get("monitoringCriteria")
    kinds = None if criteria is None else {kind for criterion in criteria for kind in CRITERIA[criterion]}
    found: dict[str, list[Monitor]] = {}
    for monitor in station.memory.monitors.values():
        named = wanted is None or any(_is_named(monitor, one) for one in wanted)
        if named and (kinds is None or monitor.kind in kinds):
            found.setdefault(f"{monitor.component}/{monitor.variable}", []).append(monitor)
    if not found:
        return refused("NotFound", "EmptyResultSet")
    return accepted(_tell_monitors(station, int(payload["requestId"]), list(found.values())))


def _is_named(monitor: Monitor, named: dict[str, Any]) -> bool:
    of = named.get("variable")
    return monitor.component["name"] == named["component"]["name"] and (
        of is None or monitor.variable["name"] == of["name"]
    )


def _tell_monitors(station: Station, request_id: int, found: list[list[Monitor]]) -> Errand:
    for number, more, part in in_parts(found, ITEMS_PER_PART):
        yield Message(
            "NotifyMonitoringReport",
            {
                "requestId": request_id,
                "generatedAt": station.timestamp(),
                "seqNo": number,
                "tbc": more,
                "monitor": [
                    {
                        "component": monitors[0].component,
                        "variable": monitors[0].variable,
                        "variableMonitoring": [_described(station, monitor) for monitor in monitors],
                    }
                    for monitors in part
                ],
            },
        )


def _described(station: Station, monitor: Monitor) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": monitor.id,
        "transaction": monitor.transaction,
        "value": monitor.value,
        "type": monitor.kind,
        "severity": monitor.severity,
    }
    if station.version == "2.1":
        described["eventNotificationType"] = "CustomMonitor"
    return described


def events_of(station: Station, variable: Variable, before: str) -> list[dict[str, Any]]:
    """EventDataType for each monitor of a variable that its change has set off (use case N07)."""
    value = station.variables.value(variable)
    return [
        {
            "eventId": station.memory.next_number(),
            "timestamp": station.timestamp(),
            "trigger": "Delta" if "Delta" in monitor.kind else "Alerting",
            "actualValue": value,
            "component": monitor.component,
            "variable": monitor.variable,
            "variableMonitoringId": monitor.id,
            "eventNotificationType": "CustomMonitor",
        }
        for monitor in station.memory.monitors.values()
        if monitor.severity <= station.memory.monitoring_level
        and variable_of(station, monitor.component, monitor.variable) == variable
        and _is_set_off(monitor, before, value)
    ]


def _is_set_off(monitor: Monitor, before: str, value: str) -> bool:
    try:
        old, new = float(before), float(value)
    except ValueError:
        return monitor.kind == "Delta" and before != value
    match monitor.kind:
        case "UpperThreshold":
            return old <= monitor.value < new
        case "LowerThreshold":
            return old >= monitor.value > new
        case "Delta":
            return abs(new - old) >= monitor.value and new != old
        case _:
            return False


def _open_streams(station: Station, streams: list[tuple[Monitor, dict[str, Any]]]) -> Errand:
    """Open the streams, and send on those that the CSMS wants, each value in its time."""
    memory = station.memory
    for monitor, params in streams:
        stream = {"id": monitor.id, "variableMonitoringId": monitor.id, "params": params}
        answer = yield Message("OpenPeriodicEventStream", {"constantStreamData": stream})
        if answer is not None and answer.get("status") == "Accepted":
            memory.streams[monitor.id] = stream
    own = [monitor for monitor, _ in streams]
    while own:
        open_ones = [memory.streams[monitor.id] for monitor in own if monitor.id in memory.streams]
        yield Pause(min((max(1, stream["params"].get("interval") or 60) for stream in open_ones), default=1))
        for monitor in list(own):
            variable = variable_of(station, monitor.component, monitor.variable)
            if monitor.id not in memory.streams or monitor.id not in memory.monitors or variable is None:
                if memory.streams.pop(monitor.id, None) is not None:
                    yield Message("ClosePeriodicEventStream", {"id": monitor.id})
                own.remove(monitor)
                continue
            yield stream_element(monitor.id, station.variables.value(variable), station.now())


def get_periodic_event_stream(station: Station, payload: dict[str, Any]) -> Answer:
    """OCPP 2.1, use case N13."""
    streams = list(station.memory.streams.values())
    return Answer({"constantStreamData": streams} if streams else {})


def adjust_periodic_event_stream(station: Station, payload: dict[str, Any]) -> Answer:
    """OCPP 2.1, use case N14."""
    stream = station.memory.streams.get(payload["id"])
    if stream is None:
        return refused("NotFound")
    stream["params"] = {**stream["params"], **payload["params"]}
    return accepted()

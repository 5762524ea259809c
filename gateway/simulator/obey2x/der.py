"""OCPP 2.1: control of distributed energy resources (block R)."""

from typing import Any

from gateway.simulator.dialect import Answer
from gateway.simulator.memory import DerControl
from gateway.simulator.messages import Errand, Message, Pause, Until
from gateway.simulator.obey2x.answers import accepted, refused
from gateway.simulator.station import Station
from gateway.simulator.times import unix_seconds

SETTINGS = {
    # controlType → the field of SetDERControl and of ReportDERControl that holds it; every other type is a curve
    "EnterService": "enterService",
    "FixedPFAbsorb": "fixedPFAbsorb",
    "FixedPFInject": "fixedPFInject",
    "FixedVar": "fixedVar",
    "FreqDroop": "freqDroop",
    "Gradients": "gradient",
    "LimitMaxDischarge": "limitMaxDischarge",
}
INNER = {"fixedPFAbsorb": "fixedPF", "fixedPFInject": "fixedPF"}
"""The name of the setting inside an entry of the report, where it is another one."""

BARE = ("enterService", "gradient")
"""Entries of the report that do not tell whether they are defaults or superseded."""

CONTROLS_PER_PART = 4


def set_der_control(station: Station, payload: dict[str, Any]) -> Answer:
    """Use cases R01 and R02: of one kind the newest of the highest priority holds, and supersedes the others."""
    kind, field = str(payload["controlType"]), SETTINGS.get(str(payload["controlType"]), "curve")
    setting = payload.get(field)
    if setting is None:
        return refused("MissingParam")
    control = DerControl(str(payload["controlId"]), kind, bool(payload["isDefault"]), payload)
    superseded = _supersede(station, control, int(setting["priority"]))
    station.memory.ders[control.id] = control
    then = None if control.is_default else _run(station, control, setting, superseded)
    return accepted(then, **({"supersededIds": superseded} if superseded else {}))


def _supersede(station: Station, control: DerControl, priority: int) -> list[str]:
    """Mark those of the same kind whose priority is no higher (a lower number is a higher priority)."""
    ids: list[str] = []
    for other in list(station.memory.ders.values()):
        if other.kind != control.kind or other.is_default != control.is_default or other.id == control.id:
            continue
        setting = other.payload[SETTINGS.get(other.kind, "curve")]
        if not other.superseded and int(setting["priority"]) >= priority and len(ids) < 24:
            station.memory.ders[other.id] = DerControl(other.id, other.kind, other.is_default, other.payload, True)
            ids.append(other.id)
    return ids


def _run(station: Station, control: DerControl, setting: dict[str, Any], superseded: list[str]) -> Errand:
    """Tell the beginning, and the end where there is one."""
    if "startTime" in setting:
        yield Until(unix_seconds(setting["startTime"]))
    if station.memory.ders.get(control.id) is not control:
        return
    more = {"supersededIds": superseded} if superseded else {}
    yield _start_stop(station, control, started=True, more=more)
    if "duration" in setting:
        yield Pause(max(0.0, float(setting["duration"])))
        if station.memory.ders.get(control.id) is control:
            del station.memory.ders[control.id]
            yield _start_stop(station, control, started=False, more={})


def _start_stop(station: Station, control: DerControl, *, started: bool, more: dict[str, Any]) -> Message:
    told = {"controlId": control.id, "started": started, "timestamp": station.timestamp(), **more}
    return Message("NotifyDERStartStop", told)


def get_der_control(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case R03."""
    found = _find(station, payload)
    if not found:
        return Answer({"status": "NotFound"})
    return accepted(_tell_controls(int(payload["requestId"]), found))


def _tell_controls(request_id: int, found: list[DerControl]) -> Errand:
    for start in range(0, len(found), CONTROLS_PER_PART):
        report: dict[str, Any] = {"requestId": request_id, "tbc": start + CONTROLS_PER_PART < len(found)}
        for control in found[start : start + CONTROLS_PER_PART]:
            field = SETTINGS.get(control.kind, "curve")
            entry = {"id": control.id, INNER.get(field, field): control.payload[field]}
            if field not in BARE:
                entry |= {"isDefault": control.is_default, "isSuperseded": control.superseded}
            if field == "curve":
                entry["curveType"] = control.kind
            report.setdefault(field, []).append(entry)
        yield Message("ReportDERControl", report)


def clear_der_control(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case R04."""
    found = _find(station, payload)
    for control in found:
        del station.memory.ders[control.id]
    return accepted() if found else Answer({"status": "NotFound"})


def _find(station: Station, payload: dict[str, Any]) -> list[DerControl]:
    """Those that fit all that is named."""
    return [
        control
        for control in station.memory.ders.values()
        if payload.get("isDefault") in (None, control.is_default)
        and payload.get("controlType") in (None, control.kind)
        and payload.get("controlId") in (None, control.id)
    ]

"""OCPP 2.x: the device model: reading, writing, reporting (block B), and the network profiles."""

from collections.abc import Sequence
from typing import Any

from gateway.simulator.device_model import Variable
from gateway.simulator.dialect import Answer
from gateway.simulator.messages import Errand, Message, in_parts
from gateway.simulator.obey2x.answers import accepted, refused
from gateway.simulator.obey2x.monitoring import events_of, variable_of
from gateway.simulator.station import Station

ITEMS_PER_PART = 20
SUMMARY = ("AvailabilityState", "Available", "Enabled", "Problem")


def get_variables(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case B06."""
    results = []
    for wanted in payload["getVariableData"]:
        result, variable = _look_up(station, wanted)
        if variable is not None and variable.mutability == "WriteOnly":
            result["attributeStatus"] = "Rejected"
        elif variable is not None:
            result |= {"attributeStatus": "Accepted", "attributeValue": station.variables.value(variable)}
        results.append(result)
    return Answer({"getVariableResult": results})


def set_variables(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case B05; monitors of what changed are told (N07)."""
    results, events = [], []
    for wanted in payload["setVariableData"]:
        result, variable = _look_up(station, wanted)
        if variable is not None:
            before = station.variables.value(variable)
            taken = station.variables.put(variable, str(wanted["attributeValue"]))
            result["attributeStatus"] = "Accepted" if taken else "Rejected"
            events += events_of(station, variable, before)
        results.append(result)
    return Answer({"setVariableResult": results}, _tell_events(station, events) if events else None)


def _tell_events(station: Station, events: list[dict[str, Any]]) -> Errand:
    yield Message("NotifyEvent", {"generatedAt": station.timestamp(), "seqNo": 0, "tbc": False, "eventData": events})


def _look_up(station: Station, wanted: dict[str, Any]) -> tuple[dict[str, Any], Variable | None]:
    attribute = wanted.get("attributeType", "Actual")
    result: dict[str, Any] = {"component": wanted["component"], "variable": wanted["variable"]}
    if "attributeType" in wanted:
        result["attributeType"] = attribute
    variable = variable_of(station, wanted["component"], wanted["variable"])
    if variable is None:
        known = station.variables.has_component(str(wanted["component"]["name"]))
        result["attributeStatus"] = "UnknownVariable" if known else "UnknownComponent"
    elif attribute != "Actual":
        result["attributeStatus"] = "NotSupportedAttributeType"
        variable = None
    return result, variable


def get_base_report(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case B07."""
    base = payload["reportBase"]
    found = [v for v in station.variables.all if v.component and _in_base(v, base)]
    return _report(station, int(payload["requestId"]), found)


def _in_base(variable: Variable, base: str) -> bool:
    if base == "SummaryInventory":
        return variable.name in SUMMARY and variable.mutability == "ReadOnly"
    return base == "FullInventory" or variable.mutability != "ReadOnly"


def get_report(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case B08: the variables that are named, of the components that fit one of the criteria."""
    wanted, criteria = payload.get("componentVariable"), payload.get("componentCriteria")
    found = [
        variable
        for variable in station.variables.all
        if variable.component
        and (wanted is None or any(is_named(variable, named) for named in wanted))
        and (criteria is None or any(_fits(station, variable, criterion) for criterion in criteria))
    ]
    return _report(station, int(payload["requestId"]), found)


def is_named(variable: Variable, named: dict[str, Any]) -> bool:
    """Whether a ComponentVariableType means the variable: all of a component where it names no variable."""
    component, of = named["component"], named.get("variable")
    evse = component.get("evse", {})
    return (
        variable.component.lower() == str(component["name"]).lower()
        and evse.get("id") in (None, variable.evse)
        and evse.get("connectorId") in (None, variable.connector)
        and (of is None or variable.name.lower() == str(of["name"]).lower())
        and (of is None or of.get("instance") in (None, variable.instance))
    )


def _fits(station: Station, variable: Variable, criterion: str) -> bool:
    """Whether the variable's component has the criterion; one that cannot say so has it, but for Problem (B08)."""
    own = station.variables.by_name(variable.component, criterion, evse=variable.evse, connector=variable.connector)
    if own is None:
        return criterion != "Problem"
    return station.variables.value(own).lower() == "true"


def _report(station: Station, request_id: int, found: Sequence[Variable]) -> Answer:
    if not found:
        return refused("NotFound", "EmptyResultSet")
    return accepted(_tell_report(station, request_id, found))


def _tell_report(station: Station, request_id: int, found: Sequence[Variable]) -> Errand:
    for number, more, part in in_parts(found, ITEMS_PER_PART):
        yield Message(
            "NotifyReport",
            {
                "requestId": request_id,
                "generatedAt": station.timestamp(),
                "seqNo": number,
                "tbc": more,
                "reportData": [_described(station, variable) for variable in part],
            },
        )


def _described(station: Station, variable: Variable) -> dict[str, Any]:
    attribute: dict[str, Any] = {"type": "Actual", "mutability": variable.mutability, "persistent": True}
    if variable.mutability != "WriteOnly":
        attribute["value"] = station.variables.value(variable)
    characteristics: dict[str, Any] = {"dataType": variable.kind, "supportsMonitoring": True}
    least, greatest = variable.limits
    optional = {"unit": variable.unit, "valuesList": variable.values, "minLimit": least, "maxLimit": greatest}
    characteristics |= {name: value for name, value in optional.items() if value is not None}
    return {
        "component": variable.component_type,
        "variable": variable.variable_type,
        "variableAttribute": [attribute],
        "variableCharacteristics": characteristics,
    }


def set_network_profile(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case B09."""
    data = payload["connectionData"]
    if not str(data["ocppCsmsUrl"]).startswith(("ws://", "wss://")) or data["ocppTransport"] != "JSON":
        return refused("InvalidNetworkConf")
    station.memory.networks[int(payload["configurationSlot"])] = data
    return accepted()

"""The device model of OCPP 2.x: components and variables between OCPP's shape and the neutral, flat one."""

from typing import Any

from gateway.ocpp.fields import At, integer, mapping, text
from gateway.ocpp.profile import Notes

Payload = dict[str, Any]


def read_variable(payload: Payload, notes: Notes, at: At = ()) -> dict[str, Any]:
    """The `component` and `variable` of an object, flat: the same names as the commands' VariableRef."""
    component, variable = mapping(payload, "component", notes, at), mapping(payload, "variable", notes, at)
    in_component, in_variable = (*at, "component"), (*at, "variable")
    evse = mapping(component, "evse", notes, in_component)
    return {
        "component": text(component, "name", notes, in_component),
        "component_instance": text(component, "instance", notes, in_component),
        "evse_id": integer(evse, "id", notes, (*in_component, "evse")),
        "connector_id": integer(evse, "connectorId", notes, (*in_component, "evse")),
        "variable": text(variable, "name", notes, in_variable),
        "variable_instance": text(variable, "instance", notes, in_variable),
    }

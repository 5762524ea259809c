"""The device model of OCPP 2.x: components and variables between OCPP's shape and the neutral, flat one."""

from typing import Any

from gateway.core.reports import Notice, Report
from gateway.ocpp.fields import At, boolean, identifier, integer, mapping, number, objects, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.timestamps import read_timestamp

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


def notify_event(payload: Payload, notes: Notes) -> Report:
    """NotifyEvent: what happened to variables."""
    events = [
        {
            "event_id": integer(event, "eventId", notes, at),
            "time": read_timestamp(event.get("timestamp"), notes, (*at, "timestamp")),
            **read_variable(event, notes, at),
            "value": text(event, "actualValue", notes, at),
            "trigger": word(event, "trigger", notes, at),
            "notification_type": word(event, "eventNotificationType", notes, at),
            "cause": integer(event, "cause", notes, at),
            "severity": integer(event, "severity", notes, at),
            "cleared": boolean(event, "cleared", notes, at),
            "tech_code": text(event, "techCode", notes, at),
            "tech_info": text(event, "techInfo", notes, at),
            "monitoring_id": integer(event, "variableMonitoringId", notes, at),
            "ocpp_transaction_id": identifier(event, "transactionId", notes, at),
        }
        for at, event in objects(payload, "eventData", notes)
    ]
    return _part("ocpp.variables.event", payload, {"events": events}, notes)


def notify_report(payload: Payload, notes: Notes) -> Report:
    """NotifyReport: variables with their attributes and characteristics, as asked for by a report request."""
    variables = [
        {
            **read_variable(report, notes, at),
            "attributes": [
                _attribute(item, notes, where) for where, item in objects(report, "variableAttribute", notes, at)
            ],
            "characteristics": _characteristics(report, notes, at),
        }
        for at, report in objects(payload, "reportData", notes)
    ]
    data = {"request_id": integer(payload, "requestId", notes), "variables": variables}
    return _part("ocpp.variables.reported", payload, data, notes)


def _part(kind: str, payload: Payload, data: dict[str, Any], notes: Notes) -> Notice:
    """A report comes in parts: `sequence_number` counts them, `to_be_continued` is false in the last."""
    return Notice(
        kind,
        {
            **data,
            "sequence_number": integer(payload, "seqNo", notes),
            "to_be_continued": boolean(payload, "tbc", notes) or False,
        },
        time=read_timestamp(payload.get("generatedAt"), notes, ("generatedAt",)),
    )


def _attribute(attribute: Payload, notes: Notes, at: At) -> dict[str, Any]:
    """VariableAttributeType with its defaults (part 2, section 2.46)."""
    return {
        "type": text(attribute, "type", notes, at) or "Actual",
        "value": text(attribute, "value", notes, at),
        "mutability": word(attribute, "mutability", notes, at) or "read_write",
        "persistent": boolean(attribute, "persistent", notes, at) or False,
        "constant": boolean(attribute, "constant", notes, at) or False,
    }


def _characteristics(report: Payload, notes: Notes, at: At) -> dict[str, Any] | None:
    found = mapping(report, "variableCharacteristics", notes, at)
    if not found:
        return None
    at = (*at, "variableCharacteristics")
    return {
        "unit": text(found, "unit", notes, at),
        "data_type": word(found, "dataType", notes, at),
        "min_limit": number(found, "minLimit", notes, at),
        "max_limit": number(found, "maxLimit", notes, at),
        "max_elements": integer(found, "maxElements", notes, at),
        "values_list": text(found, "valuesList", notes, at),
        "supports_monitoring": boolean(found, "supportsMonitoring", notes, at),
    }

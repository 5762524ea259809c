"""What a charger reports of its device model: variables, what happened to them, and its monitors (blocks B, N)."""

from typing import Any

from gateway.core.reports import Notice, Part, Problem, Report, Status
from gateway.ocpp.fields import At, boolean, identifier, integer, number, objects, snake_case, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, each, one, read, time
from gateway.ocpp.v201.variables import read_variable

Payload = dict[str, Any]

_EVENT: Shape = {
    "actualValue": ("value", text),
    "trigger": ("trigger", word),
    "eventNotificationType": ("notification_type", word),
    "cause": ("cause", integer),
    "severity": ("severity", integer),
    "cleared": ("cleared", boolean),
    "techCode": ("tech_code", text),
    "techInfo": ("tech_info", text),
    "variableMonitoringId": ("monitoring_id", integer),
    "transactionId": ("ocpp_transaction_id", identifier),
}

_CHARACTERISTICS: Shape = {
    "unit": ("unit", text),
    "dataType": ("data_type", word),
    "minLimit": ("min_limit", number),
    "maxLimit": ("max_limit", number),
    "maxElements": ("max_elements", integer),
    "valuesList": ("values_list", text),
    "supportsMonitoring": ("supports_monitoring", boolean),
}

_MONITOR: Shape = {
    "id": ("id", integer),
    "type": ("type", word),
    "value": ("value", number),
    "severity": ("severity", integer),
    "transaction": ("transaction", boolean),
    "eventNotificationType": ("notification_type", word),
}

_HAVE_A_STATE = {
    # component with AvailabilityState and Problem → whether it is of a connector or EVSE, and not of the charger
    "Connector": True,
    "EVSE": True,
    "ChargingStation": False,
    "Controller": False,
}


def notify_event(payload: Payload, notes: Notes) -> Report:
    """NotifyEvent (use case N07): what happened to variables; some are the state of a connector (G01, G05)."""
    events = [
        {
            "event_id": integer(event, "eventId", notes, at),
            "time": time(event, "timestamp", notes, at),
            **read_variable(event, notes, at),
            **read(event, _EVENT, notes, at),
        }
        for at, event in objects(payload, "eventData", notes)
    ]
    data = {"events": events, **_place_among_parts(payload, notes)}
    return Notice(
        "ocpp.variables.event",
        data,
        time=time(payload, "generatedAt", notes),
        statuses=[status for event in events if (status := _status(event)) is not None],
        problems=[problem for event in events if (problem := _problem(event)) is not None],
    )


def notify_report(payload: Payload, notes: Notes) -> Report:
    """NotifyReport (use cases B07, B08): variables with their attributes and characteristics; comes in parts."""
    variables = [
        {
            **read_variable(report, notes, at),
            "attributes": [
                _attribute(item, notes, where) for where, item in objects(report, "variableAttribute", notes, at)
            ],
            "characteristics": one(_CHARACTERISTICS)(report, "variableCharacteristics", notes, at),
        }
        for at, report in objects(payload, "reportData", notes)
    ]
    return _report("ocpp.variables.reported", "variables", variables, payload, notes)


def notify_monitoring_report(payload: Payload, notes: Notes) -> Report:
    """NotifyMonitoringReport (use case N02): monitors, one by one; comes in parts."""
    monitors = [
        {**read_variable(item, notes, at), **monitor}
        for at, item in objects(payload, "monitor", notes)
        for monitor in each(_MONITOR)(item, "variableMonitoring", notes, at)
    ]
    return _report("ocpp.variables.monitoring", "monitors", monitors, payload, notes)


def _report(event_type: str, name: str, items: list[dict[str, Any]], payload: Payload, notes: Notes) -> Notice:
    """A report that may be one of several parts."""
    place = _place_among_parts(payload, notes)
    request_id = integer(payload, "requestId", notes)
    return Notice(
        event_type,
        {"request_id": request_id, name: items, **place},
        time=time(payload, "generatedAt", notes),
        part=Part(name, request_id, last=not place["to_be_continued"], sequence=place["sequence_number"]),
    )


def _place_among_parts(payload: Payload, notes: Notes) -> dict[str, Any]:
    """`sequence_number` counts the parts of a report, `to_be_continued` is false in the last."""
    return {
        "sequence_number": integer(payload, "seqNo", notes),
        "to_be_continued": boolean(payload, "tbc", notes) or False,
    }


def _attribute(attribute: Payload, notes: Notes, at: At) -> dict[str, Any]:
    """VariableAttributeType with its defaults (part 2, section 2.46)."""
    return {
        "type": text(attribute, "type", notes, at) or "Actual",
        "value": text(attribute, "value", notes, at),
        "mutability": word(attribute, "mutability", notes, at) or "read_write",
        "persistent": boolean(attribute, "persistent", notes, at) or False,
        "constant": boolean(attribute, "constant", notes, at) or False,
    }


def _status(event: dict[str, Any]) -> Status | None:
    """The status that an event is about, if it is: AvailabilityState (G01)."""
    place = _place(event)
    if place is None or event["variable"] != "AvailabilityState" or not event["value"]:
        return None
    return Status(*place, snake_case(event["value"]), event["time"])


def _problem(event: dict[str, Any]) -> Problem | None:
    """The problem that an event begins or ends, if it does: the variable Problem."""
    place = _place(event)
    if place is None or event["variable"] != "Problem" or event["value"] is None:
        return None
    present = event["value"].strip().lower() == "true" and not event["cleared"]
    return Problem(*place, present, event["tech_code"], event["tech_info"])


def _place(event: dict[str, Any]) -> tuple[int, int] | None:
    """EVSE and connector of a component whose state is shown; connector 0 stands for the whole EVSE."""
    of_connector = _HAVE_A_STATE.get(event["component"] or "")
    if of_connector is None:
        return None
    if not of_connector:
        return 0, 0
    evse_id, connector_id = event["evse_id"], event["connector_id"]
    if evse_id is None or evse_id <= 0:
        return None
    return evse_id, max(connector_id or 0, 0) if event["component"] == "Connector" else 0

"""Messages on a charger's display (functional block O)."""

from typing import Any

from gateway.core.reports import Notice, Part, Report
from gateway.ocpp.fields import At, boolean, identifier, integer, mapping, objects, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, each, read, time

Payload = dict[str, Any]

CONTENT: Shape = {"format": ("format", word), "language": ("language", text), "content": ("text", text)}
"""MessageContentType, in the names of the command display_message."""

_MESSAGE: Shape = {
    "id": ("id", integer),
    "priority": ("priority", word),
    "state": ("state", word),
    "startDateTime": ("starts_at", time),
    "endDateTime": ("ends_at", time),
    "transactionId": ("ocpp_transaction_id", identifier),
}


def display_messages(payload: Payload, notes: Notes) -> Report:
    """NotifyDisplayMessages (use cases O03, O04): comes in parts, which are not numbered."""
    request_id = integer(payload, "requestId", notes)
    more = boolean(payload, "tbc", notes) or False
    messages = [_message(item, notes, at) for at, item in objects(payload, "messageInfo", notes)]
    data = {"request_id": request_id, "messages": messages, "sequence_number": None, "to_be_continued": more}
    return Notice("ocpp.display.messages", data, part=Part("messages", request_id, last=not more))


def _message(item: Payload, notes: Notes, at: At) -> dict[str, Any]:
    display, in_display = mapping(item, "display", notes, at), (*at, "display")
    evse, in_evse = mapping(display, "evse", notes, in_display), (*in_display, "evse")
    return {
        **read(item, _MESSAGE, notes, at),
        **read(mapping(item, "message", notes, at), CONTENT, notes, (*at, "message")),
        "display": text(display, "name", notes, in_display),
        "display_instance": text(display, "instance", notes, in_display),
        "evse_id": integer(evse, "id", notes, in_evse),
        "connector_id": integer(evse, "connectorId", notes, in_evse),
        "extra": each(CONTENT)(item, "messageExtra", notes, at),
    }

"""Messages on a charger's display."""

from typing import Any

from gateway.core.errors import CommandUnsupported
from gateway.ocpp.arguments import at_most, moment
from gateway.ocpp.endings import ending, status_result
from gateway.ocpp.profile import Answered, Call, Ending, Station
from gateway.ocpp.spelling import Words, in_2x, in_21, spelled
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, given, named, transaction_id

PRIORITIES = {"always_front": "AlwaysFront", "in_front": "InFront", "normal_cycle": "NormalCycle"}

STATES: Words = {
    # MessageStateEnumType
    "charging": in_2x("Charging"),
    "faulted": in_2x("Faulted"),
    "idle": in_2x("Idle"),
    "unavailable": in_2x("Unavailable"),
    "suspended": in_21("Suspended"),
    "discharging": in_21("Discharging"),
}

FORMATS: Words = {
    # MessageFormatEnumType
    "ascii": in_2x("ASCII"),
    "html": in_2x("HTML"),
    "uri": in_2x("URI"),
    "utf8": in_2x("UTF8"),
    "qrcode": in_21("QRCODE"),
}


def display_message(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use cases O01 and O02, and O06 which replaces a message."""
    starts_at, ends_at, wanted = arguments["starts_at"], arguments["ends_at"], arguments["transaction_id"]
    if arguments["extra"] and dialect is V201:
        raise CommandUnsupported("display_message: OCPP 2.0.1 takes one text alone; versions that take more: 2.1")
    message = {
        "id": station.next_id() if arguments["message_id"] is None else arguments["message_id"],
        "priority": PRIORITIES[arguments["priority"]],
        "message": _content(arguments, dialect),
        **given(
            state=_state(arguments["state"], dialect, "display_message"),
            startDateTime=None if starts_at is None else moment(starts_at, "display_message: starts_at"),
            endDateTime=None if ends_at is None else moment(ends_at, "display_message: ends_at"),
            transactionId=None if wanted is None else transaction_id(wanted, station, "display_message"),
            display=_display(arguments),
            messageExtra=[_content(text, dialect) for text in arguments["extra"]] or None,
        ),
    }
    return [Call("SetDisplayMessage", {"message": message})]


def message_set(calls: list[Call], answers: list[Answered]) -> Ending:
    """The result tells the message's id, by which it is taken away."""
    payload = answers[0].payload
    return ending(payload, {**status_result(payload), "message_id": calls[0].payload["message"]["id"]})


def get_display_messages(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use cases O03 and O04."""
    priority = arguments["priority"]
    wanted = given(
        id=arguments["ids"] or None,
        priority=None if priority is None else PRIORITIES[priority],
        state=_state(arguments["state"], dialect, "get_display_messages"),
    )
    return [Call("GetDisplayMessages", {"requestId": station.next_id(), **wanted})]


def clear_display_message(arguments: Arguments, station: Station) -> list[Call]:
    """Use case O05."""
    return [Call("ClearDisplayMessage", {"id": arguments["message_id"]})]


def _content(text: Arguments, dialect: Dialect) -> dict[str, Any]:
    """MessageContentType."""
    return {
        "format": spelled(text["format"], FORMATS, dialect.version, "display_message"),
        "content": at_most(text["text"], dialect.text_length, "display_message: text"),
        **given(language=text["language"]),
    }


def _state(word: str | None, dialect: Dialect, command: str) -> str | None:
    return None if word is None else spelled(word, STATES, dialect.version, command)


def _display(arguments: Arguments) -> dict[str, Any] | None:
    """The component that the message is shown on; that of an EVSE is called Display unless told otherwise."""
    if arguments["display"] is None and not arguments["evse_id"]:
        return None
    evse = {"evse": {"id": arguments["evse_id"]}} if arguments["evse_id"] else {}
    return named(arguments["display"] or "Display", None, "display_message") | evse

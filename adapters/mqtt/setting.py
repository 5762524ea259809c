"""What a home sets, as ordinary commands: pure functions.

`set/{attribute}` takes one value as plain text or JSON; `set` takes a JSON object of several, each of which becomes a
request of its own. Attributes bear the names of the state's keys that they change.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import orjson

from adapters.mqtt.commands import EMPTY_VALUE, RETAINED, Received, Request
from adapters.mqtt.topics import Place, SetTopic
from gateway.core.commands import validated_arguments
from gateway.core.errors import CommandInvalid

ATTRIBUTES = ("enabled", "limit_a", "limit_w", "paused", "charging")
"""In the order in which several of one message are carried out: a limit holds before charging begins."""
OF_CHARGER = ("enabled", "limit_a", "limit_w")
PACED = frozenset(("limit_a", "limit_w", "paused"))
"""What automations set again and again."""
LIMITS = {"limit_a": "ampere", "limit_w": "watt"}
NAMES = {
    # attribute → the command that is told where its value makes none
    "enabled": "set_availability",
    "limit_a": "set_charging_limit",
    "limit_w": "set_charging_limit",
    "paused": "pause",
    "charging": "start",
}
UNREADABLE = "set"
"""The name of what is told where not even an attribute could be read."""

_SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
_NOTHING = frozenset(("none", "null"))
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_NAME = re.compile(r"[a-z0-9_]{1,40}", re.ASCII | re.IGNORECASE)
_MOST_SHOWN = 40
_MOST_ATTRIBUTES = 20

Value = bool | float | None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a home's wishes are carried out: the token that `charging` starts with, the seconds that a command may take,
    and those between two of a paced kind."""

    token: str
    timeout: float
    interval: float = 0.0


def read_settings(
    topic: SetTopic, received: Received, manner: Manner, *, unnamed: Callable[[], Sequence[str]]
) -> list[Request]:
    """The requests that a message makes, in order; never raises: what is wrong with one is its `problem`.

    `unnamed` gives the id and the aliases of the message.
    """
    ids = unnamed()
    if topic.attribute is not None and _NAME.fullmatch(topic.attribute) is None:
        problem = f"there is no attribute {_shown(topic.attribute)} to set; there are {_all_of(topic.place)}"
        return [_request(topic, None, received, manner, ids, problem=problem)]
    try:
        if received.retain:
            raise CommandInvalid(RETAINED)
        if not received.payload:
            raise CommandInvalid(EMPTY_VALUE)
        wanted = _wanted(topic, received.payload)
    except CommandInvalid as error:
        return [_request(topic, topic.attribute, received, manner, ids, problem=str(error))]
    several = topic.attribute is None
    return [
        _attribute(topic, attribute, value, received, manner, [f"{one}-{attribute}" for one in ids] if several else ids)
        for attribute, value in wanted
    ]


def _wanted(topic: SetTopic, payload: bytes) -> list[tuple[str, Any]]:
    """Attributes and values as they were sent. Raises CommandInvalid."""
    if topic.attribute is not None:
        return [(topic.attribute, _plain(payload))]
    try:
        given = orjson.loads(payload)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise CommandInvalid(
            f"set takes a JSON object of attributes, {_all_of(topic.place)}; one alone has set/{{name}}"
        )
    if not given or len(given) > _MOST_ATTRIBUTES:
        raise CommandInvalid(f"set takes one or more of the attributes {_all_of(topic.place)}")
    odd = next((name for name in given if _NAME.fullmatch(name) is None), None)
    if odd is not None:
        raise CommandInvalid(f"there is no attribute {_shown(odd)} to set; there are {_all_of(topic.place)}")
    limits = [name for name in LIMITS if name in given and not _lifts(given[name])]
    if len(limits) > 1:
        raise CommandInvalid("set takes one limit, either limit_a or limit_w")
    if limits:
        # As the state shows them: one is the limit, the other null.
        given = {name: value for name, value in given.items() if name not in LIMITS or name in limits}
    known = [name for name in ATTRIBUTES if name in given]
    return [(name, given[name]) for name in (*known, *(name for name in given if name not in ATTRIBUTES))]


def _lifts(value: Any) -> bool:
    """Whether a value lifts a limit."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _plain(payload: bytes) -> Any:
    """A value that may be JSON or plain text."""
    try:
        return orjson.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")


def _attribute(
    topic: SetTopic, attribute: str, value: Any, received: Received, manner: Manner, ids: Sequence[str]
) -> Request:
    try:
        name, arguments = _command(topic.place, attribute, value, manner)
        arguments = validated_arguments(name, arguments)
    except CommandInvalid as error:
        return _request(topic, attribute, received, manner, ids, problem=str(error))
    return _request(topic, attribute, received, manner, ids, command=(name, arguments))


def _request(
    topic: SetTopic,
    attribute: str | None,
    received: Received,
    manner: Manner,
    ids: Sequence[str],
    *,
    command: tuple[str, dict[str, Any]] | None = None,
    problem: str | None = None,
) -> Request:
    name, arguments = (NAMES.get(attribute or "", UNREADABLE), None) if command is None else command
    expiry = None if received.message_expiry is None else received.now + received.message_expiry
    deadline = received.now + manner.timeout + (manner.interval if attribute in PACED else 0)
    return Request(
        id=ids[0],
        charger=topic.charger,
        name=name,
        arguments=arguments,
        problem=problem,
        deadline=deadline if expiry is None else min(deadline, expiry),
        expiry=expiry,
        aliases=tuple(ids[1:]),
        sets=SetTopic(topic.charger, topic.place, attribute),
        kind=None if arguments is None or attribute is None else kind_of_setting(topic.place, attribute),
        paced=arguments is not None and attribute in PACED,
    )


def kind_of_setting(place: Place | None, attribute: str) -> str:
    """What a newer setting takes the place of while it waits: the limit is one thing, in whatever unit."""
    return f"set {place} {'limit' if attribute in LIMITS else attribute}"


# ---------------------------------------------------------------- values


def _command(place: Place | None, attribute: str, value: Any, manner: Manner) -> tuple[str, dict[str, Any]]:
    """The command that sets an attribute, and its arguments. Raises CommandInvalid."""
    if attribute not in ATTRIBUTES:
        raise CommandInvalid(f"there is no attribute {_shown(attribute)} to set; there are {_all_of(place)}")
    if place is None and attribute not in OF_CHARGER:
        raise CommandInvalid(f"{attribute} is set on a connector: .../evse/1/connector/1/set/{attribute}")
    evse_id, connector_id = place or (0, None)
    if attribute in LIMITS:
        limit = _limit(attribute, value)
        if limit is None:
            return "clear_charging_limit", {"evse_id": evse_id}
        return "set_charging_limit", {"current_a" if attribute == "limit_a" else "power_w": limit, "evse_id": evse_id}
    on = _switch(attribute, value)
    if attribute == "enabled":
        return "set_availability", {"available": on, "evse_id": evse_id, "connector_id": connector_id}
    if attribute == "paused":
        return "pause" if on else "resume", {"evse_id": evse_id}
    if on:
        return "start", {"token": manner.token, "evse_id": evse_id, "when_plugged": True, "if_needed": True}
    return "stop", {"evse_id": evse_id, "if_needed": True}


def _switch(attribute: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = _SWITCH.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if found is None:
        raise CommandInvalid(f"{attribute} is ON or OFF (also true, false, 1, 0), not {_shown(value)}")
    return found


def _limit(attribute: str, value: Any) -> float | None:
    """A limit, or None to lift it. Raises CommandInvalid."""
    if _lifts(value):
        return None
    try:
        readable = not isinstance(value, bool) and (not isinstance(value, str) or _NUMBER.fullmatch(value) is not None)
        number = float(value) if readable else float("nan")
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not isfinite(number) or not 0 <= number <= 1e9:
        raise CommandInvalid(f"{attribute} is a number of {LIMITS[attribute]}, 0 or more, or none; not {_shown(value)}")
    return number


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        # Nested deeper than can be written again, it may be.
        return "a list" if isinstance(value, list) else "an object"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...")


def _all_of(place: Place | None) -> str:
    return ", ".join(OF_CHARGER if place is None else ATTRIBUTES)

"""What a home that wants the state anew has the charger asked: pure functions.

A `get` has the retained state published again at once, as it is known, and asks the charger for its status and what it
measures; what it then says comes as ever.
"""

from collections.abc import Callable, Sequence
from typing import Any

from adapters.mqtt.commands import RETAINED, Received, Request
from adapters.mqtt.topics import GetTopic
from gateway.core.commands import validated_arguments

ASKED_FOR = ("StatusNotification", "MeterValues")
_NAME = "trigger"


def read_wish(
    topic: GetTopic, received: Received, *, timeout: float, interval: float, unnamed: Callable[[], Sequence[str]]
) -> list[Request]:
    """The requests that a message makes, whatever its payload; they are paced, as what is set is."""
    ids = unnamed()
    if received.retain:
        return [_request(topic, received, timeout, ids, problem=RETAINED)]
    return [
        _request(topic, received, timeout + interval, [f"{one}-{message}" for one in ids], message=message)
        for message in ASKED_FOR
    ]


def _request(
    topic: GetTopic,
    received: Received,
    seconds: float,
    ids: Sequence[str],
    *,
    message: str | None = None,
    problem: str | None = None,
) -> Request:
    expiry = None if received.message_expiry is None else received.now + received.message_expiry
    deadline = received.now + seconds
    return Request(
        id=ids[0],
        charger=topic.charger,
        name=_NAME,
        arguments=None if message is None else _arguments(topic, message),
        problem=problem,
        deadline=deadline if expiry is None else min(deadline, expiry),
        expiry=expiry,
        aliases=tuple(ids[1:]),
        kind=None if message is None else f"get {topic.place} {message}",
        paced=message is not None,
    )


def _arguments(topic: GetTopic, message: str) -> dict[str, Any]:
    evse_id, connector_id = topic.place or (None, None)
    of_connector = {"connector_id": connector_id} if message == "StatusNotification" else {}
    return validated_arguments(_NAME, {"message": message, "evse_id": evse_id, **of_connector})

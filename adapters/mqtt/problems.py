"""The problem of a place: the last thing that was asked there by `set` and did not end as accepted."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog

from adapters.mqtt.topics import SetTopic, Topics
from gateway.core.clock import rfc3339
from gateway.core.commands import CommandResult, Outcome
from gateway.core.identity import ChargerId

_log = structlog.get_logger(__name__)

MOST = 10_000
"""Places whose problem may wait for the broker."""

_SAID: dict[Outcome, str] = {
    Outcome.REJECTED: "the charger refused it",
    Outcome.ERROR: "the charger answered with an error",
    Outcome.OFFLINE: "it was not sent",
    Outcome.TIMEOUT: "whether the charger did it is not known",
    Outcome.EXPIRED: "its time was up before it was sent",
    Outcome.CANCELLED: "it was not sent",
    Outcome.INVALID: "it cannot be done so",
    Outcome.UNSUPPORTED: "the charger cannot do it",
}


def problem_of(result: CommandResult, sets: SetTopic, at: float) -> dict[str, Any] | None:
    """What is retained on the problem topic after a result; None where that stays as it is.

    What a newer setting took the place of is no problem, and none is solved by it.
    """
    if result.outcome is Outcome.SUPERSEDED:
        return None
    problem = None
    if result.outcome is not Outcome.ACCEPTED:
        what = "set" if sets.attribute is None else f"set {sets.attribute}"
        because = "" if result.reason is None else f": {result.reason}"
        problem = f"{what}: {_SAID[result.outcome]}{because}"
    return {
        "problem": problem,
        "attribute": sets.attribute,
        "command": result.name,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "command_id": result.id,
        "at": rfc3339(at),
    }


def is_problem(payload: bytes) -> bool:
    """Whether what is published on a problem topic tells of one."""
    try:
        told = orjson.loads(payload)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("problem") is not None


def to_text(sets: SetTopic) -> str:
    """What a command is given along, for whichever node ends it: place and attribute."""
    place = "" if sets.place is None else f"{sets.place[0]}/{sets.place[1]}"
    return f"{place}|{sets.attribute or ''}"


def from_text(charger: ChargerId, text: str | None) -> SetTopic | None:
    """What a command was given along; None where a home did not set it."""
    if text is None:
        return None
    place, _, attribute = text.partition("|")
    evse_id, _, connector_id = place.partition("/")
    return SetTopic(charger, (int(evse_id), int(connector_id)) if place else None, attribute or None)


class Problems:
    """What the problem topics shall hold, until the broker has it: of each place the latest alone."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._waiting: dict[str, dict[str, Any]] = {}
        self._filled = asyncio.Event()

    def put(self, result: CommandResult, sets: SetTopic | None, at: float) -> None:
        """Take a result; nothing comes of it where a home did not ask for it by `set`."""
        told = None if sets is None else problem_of(result, sets, at)
        if sets is None or told is None:
            return
        topic = self._topics.problem(sets.charger, sets.place)
        if topic not in self._waiting and len(self._waiting) >= MOST:
            _log.warning("problem not published: too many wait for the broker", topic=topic)
            return
        self._waiting.pop(topic, None)
        self._waiting[topic] = told
        self._filled.set()

    async def publish(self, publish: Callable[[str, dict[str, Any]], Awaitable[None]]) -> None:
        """Hand them over one after the other, for ever; what `publish` raises goes through, and that one stays."""
        while True:
            while not self._waiting:
                self._filled.clear()
                await self._filled.wait()
            topic, told = next(iter(self._waiting.items()))
            await publish(topic, told)
            if self._waiting.get(topic) is told:
                del self._waiting[topic]

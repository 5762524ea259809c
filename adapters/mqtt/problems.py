"""The problem of a place: the last thing that was asked there, by `set` or by a command that names the place, and did
not end as accepted."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson
import structlog

from adapters.mqtt.topics import Place, SetTopic, Topics
from gateway.core.clock import rfc3339
from gateway.core.commands import CommandResult, Outcome
from gateway.core.errors import LogUnavailable
from gateway.core.health import HealthBoard
from gateway.core.identity import ChargerId
from gateway.core.ports import StateStore

_log = structlog.get_logger(__name__)

SetPlace = tuple[ChargerId, Place | None]
"""Where something was set: None is the charger as a whole."""

CHECK = "mqtt problems"
MOST = 10_000
"""Places whose problem may wait for the broker."""
MAX_FAILURES = 2
"""A problem that was in flight at so many ends of connections may well be their cause."""
RETRY_SECONDS = 1.0
"""After which Redis is asked again whether a charger is known."""
REST_SECONDS = 300.0
"""How long none is published after so many failures in a row: each may cost commands."""

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


def problem_of(result: CommandResult, where: SetTopic, at: float, *, elsewhere: bool = False) -> dict[str, Any]:
    """What is retained on the problem topic after a result; `elsewhere` names the place, as the topic does not."""
    problem = None
    if result.outcome is not Outcome.ACCEPTED:
        what = result.name if where.attribute is None else f"set {where.attribute}"
        if elsewhere and where.place is not None:
            what += f" at evse/{where.place[0]}/connector/{where.place[1]}, which the charger has not"
        because = "" if result.reason is None else f": {result.reason}"
        problem = f"{what}: {_SAID[result.outcome]}{because}"
    return {
        "problem": problem,
        "attribute": where.attribute,
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


def to_text(where: SetTopic) -> str:
    """What a command is given along, for whichever node ends it: place and attribute."""
    place = "" if where.place is None else f"{where.place[0]}/{where.place[1]}"
    return f"{place}|{where.attribute or ''}"


def from_text(charger: ChargerId, text: str | None) -> SetTopic | None:
    """What a command was given along; None where its problem is nobody's."""
    if text is None:
        return None
    place, _, attribute = text.partition("|")
    evse_id, _, connector_id = place.partition("/")
    return SetTopic(charger, (int(evse_id), int(connector_id)) if place else None, attribute or None)


@dataclass(slots=True)
class _Waiting:
    """What came of a setting, and how often in a row the broker refused to be told, or the connection ended."""

    result: CommandResult
    where: SetTopic
    at: float
    failures: int = 0


class Problems:
    """What the problem topics shall hold, until the broker has it: of each place the latest alone.

    Nothing is retained for a charger that is not known, for nobody would ever clear it; of a place that the charger
    has not, its own problem topic tells.

    A broker may hang up on what it refuses, and with the connection go the commands. So what was refused, or in flight
    when a connection ended, lets the others go first and is dropped at the second time; after two in a row all rest,
    and the health board says so until one is taken.
    """

    def __init__(self, topics: Topics, state: StateStore, health: HealthBoard) -> None:
        self._topics = topics
        self._state = state
        self._health = health
        self._waiting: dict[SetPlace, _Waiting] = {}
        self._filled = asyncio.Event()
        self._failures = 0
        self._rests_until = 0.0

    def put(self, result: CommandResult, where: SetTopic | None, at: float) -> None:
        """Take a result; nothing comes of it where it has no place (`where`), or a newer one took its place: that is no
        problem, and none is solved by it."""
        if where is None or result.outcome is Outcome.SUPERSEDED:
            return
        place = (where.charger, where.place)
        before = self._waiting.pop(place, None)
        if before is None and len(self._waiting) >= MOST:
            _log.warning("problem not published: too many wait for the broker", charger=str(where.charger))
            return
        self._waiting[place] = _Waiting(result, where, at, 0 if before is None else before.failures)
        self._filled.set()

    async def publish(self, publish: Callable[[str, dict[str, Any]], Awaitable[bool]]) -> None:
        """Hand them over one after the other, for ever; `publish` returns whether the broker took it, and what it
        raises goes through."""
        while True:
            while not self._waiting:
                self._filled.clear()
                await self._filled.wait()
            await asyncio.sleep(max(0.0, self._rests_until - asyncio.get_running_loop().time()))
            place, one = next(iter(self._waiting.items()))
            try:
                where = await self._told_at(one.where)
            except LogUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if where is not None and not await self._taken(publish, where, place, one):
                continue
            if self._waiting.get(place) is one:
                del self._waiting[place]

    async def _told_at(self, where: SetTopic) -> SetTopic | None:
        """Where a problem is told of; None where nowhere. Raises LogUnavailable."""
        snapshot = await self._state.charger(where.charger)
        if snapshot is None or snapshot.removed:
            return None
        if where.place is None or f"connector/{where.place[0]}/{where.place[1]}" in snapshot.fields:
            return where
        return replace(where, place=None)

    async def _taken(
        self, publish: Callable[[str, dict[str, Any]], Awaitable[bool]], where: SetTopic, place: SetPlace, one: _Waiting
    ) -> bool:
        topic = self._topics.problem(where.charger, where.place)
        try:
            taken = await publish(
                topic, problem_of(one.result, one.where, one.at, elsewhere=where.place != one.where.place)
            )
        except BaseException:
            self._failed(topic, place)
            raise
        if taken:
            self._failures = 0
            self._health.clear(CHECK)
        else:
            self._failed(topic, place)
        return taken

    def _failed(self, topic: str, place: SetPlace) -> None:
        """The broker refused this, or the connection ended while it was in flight."""
        one = self._waiting.pop(place)
        one.failures += 1
        self._failures += 1
        if one.failures < MAX_FAILURES:
            self._waiting[place] = one
        else:
            _log.warning("problem not published: the broker refuses it, or hangs up", topic=topic)
        if self._failures >= MAX_FAILURES:
            self._rests_until = asyncio.get_running_loop().time() + REST_SECONDS
            self._health.set(CHECK, "degraded", f"the broker refuses {topic}, or hangs up at it")
            _log.warning("no problem is published for a while; the gateway needs a right to publish them",
                         topic=topic, seconds=REST_SECONDS)  # fmt: skip

"""The list of tokens that a charger keeps: rules that the versions share.

A list that is longer than a charger takes at a time is sent in parts: a full one first, and differential updates after
it (1.6: section 5.15 and SendLocalListMaxLength; 2.x: use case D01 and ItemsPerMessage).
"""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandInvalid
from gateway.ocpp.endings import ending, refused, status_result
from gateway.ocpp.fields import to_integer
from gateway.ocpp.profile import Answered, Call, Dialogue, Ending, Refused

Entry = dict[str, Any]

UNASKED = 4
"""Tokens that are sent before it is asked how many a charger takes."""

ENVELOPE = 256
"""Bytes of a message that are not its tokens, at most."""


@dataclass(frozen=True, slots=True)
class ListLimits:
    """What a charger takes in one message; None: it does not say."""

    items: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ListDialect:
    """How a version speaks of the list: `call` makes one part of version, kind (Full, Differential) and tokens;
    `version_field` is what a version is called in the answer to GetLocalListVersion."""

    call: Callable[[int, str, list[Entry]], Call]
    version_field: str
    limits: Callable[[], Generator[Call, Answered | Refused, ListLimits]]


def tokens_to_send(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The tokens of send_local_list. Raises CommandInvalid where one stands twice, or a full list removes one."""
    seen: set[str] = set()
    for token in arguments["tokens"]:
        name = token["token"].casefold()
        if name in seen:
            raise CommandInvalid(f"send_local_list: the token {token['token']!r} stands in the list twice")
        seen.add(name)
        if token["remove"] and arguments["update"] == "full":
            raise CommandInvalid("send_local_list: a full list holds what stays; remove is for a differential update")
    tokens: list[dict[str, Any]] = arguments["tokens"]
    return tokens


def sending(dialect: ListDialect, version: int, entries: list[Entry], *, full: bool) -> Dialogue:
    """Send a list in as many parts as the charger needs; the result tells the version that it has then.

    A differential update must have a higher version than the list before (VersionMismatch). So the parts' versions
    rise by one, to the version that was asked for where there is room below it, else beyond.
    """
    parts = [entries]
    if len(entries) > UNASKED:
        parts = _cut(entries, (yield from dialect.limits()))
    below = 0 if full or len(parts) == 1 else (yield from _version_there(dialect))
    first = max(version - len(parts) + 1, below + 1) if below < version else version
    for place, part in enumerate(parts):
        answer = yield dialect.call(first + place, "Full" if full and place == 0 else "Differential", part)
        if isinstance(answer, Refused):
            return refused(answer, after=place)
        ended = ending(answer.payload, {**status_result(answer.payload), "version": first + place})
        if ended.outcome is not Outcome.ACCEPTED:
            return ended if place == 0 else _incomplete(ended, place, len(parts))
    return ended


def _incomplete(ended: Ending, taken: int, parts: int) -> Ending:
    told = f"{ended.reason}: {taken} of {parts} parts were taken, so the list is incomplete; send it again in full"
    return Ending(ended.outcome, told, ended.result, acted=True)


def _version_there(dialect: ListDialect) -> Generator[Call, Answered | Refused, int]:
    """The version of the charger's list, 0 where that is not known."""
    answer = yield Call("GetLocalListVersion", {})
    found = to_integer(answer.payload.get(dialect.version_field)) if isinstance(answer, Answered) else None
    return max(0, found or 0)


def _cut(entries: list[Entry], limits: ListLimits) -> list[list[Entry]]:
    parts: list[list[Entry]] = [[]]
    room = limits.bytes
    for entry in entries:
        size = len(json.dumps(entry, ensure_ascii=False).encode()) + 1
        too_many = limits.items is not None and len(parts[-1]) >= limits.items
        too_long = room is not None and size + ENVELOPE > room
        if parts[-1] and (too_many or too_long):
            parts.append([])
            room = limits.bytes
        parts[-1].append(entry)
        room = None if room is None else room - size
    return parts

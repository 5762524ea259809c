"""Results on their way to the broker: kept, within bounds, while it is away."""

import asyncio
from collections import deque
from dataclasses import dataclass

import structlog

from adapters.mqtt.orders import Reply

_log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 3
"""A result that was in flight at so many connection drops may well be their cause."""


@dataclass(slots=True)
class _Item:
    reply: Reply
    attempts: int = 0


class Outbox:
    """At most `limit` results; what finds no place is dropped with a log line, and can still be asked for over REST."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[_Item] = deque()
        self._filled = asyncio.Event()

    def put(self, reply: Reply) -> None:
        self._add(_Item(reply))

    async def take(self) -> "Parcel":
        """The oldest result; the caller confirms it or leaves it to be tried again."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        item = self._items.popleft()
        item.attempts += 1
        return Parcel(self, item)

    def put_back(self, item: _Item) -> None:
        if item.attempts >= MAX_ATTEMPTS:
            _drop(item, f"{MAX_ATTEMPTS} connections were lost while it was in flight")
        else:
            self._add(item, first=True)

    def _add(self, item: _Item, *, first: bool = False) -> None:
        if len(self._items) >= self._limit:
            _drop(item, f"{self._limit} results wait for the broker already")
            return
        if first:
            self._items.appendleft(item)
        else:
            self._items.append(item)
        self._filled.set()


class Parcel:
    """A result taken out of the box: left without error it is gone, left by one it is put back."""

    def __init__(self, outbox: Outbox, item: _Item) -> None:
        self._outbox = outbox
        self._item = item

    def __enter__(self) -> Reply:
        return self._item.reply

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._outbox.put_back(self._item)


def _drop(item: _Item, reason: str) -> None:
    result = item.reply.result
    _log.warning("result not published", command_id=result.id, charger=str(result.charger), reason=reason)

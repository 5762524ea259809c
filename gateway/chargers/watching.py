"""Watching what a charger reports while a command waits for it."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gateway.core.events import Event

MAX_KEPT = 1000
"""Events that one watch keeps; the oldest beyond are let go."""


class Watch:
    """Events of one type, kept until somebody takes them."""

    def __init__(self, event_type: str) -> None:
        self.event_type = event_type
        self._kept: deque[Mapping[str, Any]] = deque(maxlen=MAX_KEPT)
        self._more = asyncio.Event()
        self._lost = False

    def put(self, data: Mapping[str, Any]) -> None:
        self._kept.append(data)
        self._more.set()

    def lose(self) -> None:
        """The charger is gone: nothing more comes."""
        self._lost = True
        self._more.set()

    async def next(self) -> Mapping[str, Any]:
        """The data of the next event. Raises ConnectionError where none comes any more."""
        while not self._kept:
            if self._lost:
                raise ConnectionError("the charger is gone")
            self._more.clear()
            await self._more.wait()
        return self._kept.popleft()


class Watches:
    """Everything that is watched on one connection."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[Watch] = []

    @contextmanager
    def watch(self, event_type: str) -> Iterator[Watch]:
        """Watch events of a type within the block."""
        watch = Watch(event_type)
        self._open.append(watch)
        try:
            yield watch
        finally:
            self._open.remove(watch)

    def noticed(self, events: Sequence[Event]) -> None:
        """The charger has made these events, and they are stored."""
        for watch in self._open:
            for event in events:
                if event.type == watch.event_type:
                    watch.put(event.data)

    def lose(self) -> None:
        """The connection is gone."""
        for watch in self._open:
            watch.lose()

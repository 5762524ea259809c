"""What projections of other adapters add to the retained topics of chargers, on one shard's connection."""

import asyncio
import random
from collections.abc import Sequence

from adapters.mqtt.login import Message
from adapters.mqtt.topics import Topics
from gateway.core.clock import Clock
from gateway.core.identity import ChargerId
from gateway.core.ports import Projection, Snapshot
from gateway.core.projecting import ProjectionBook


class Projected:
    """Asks the projections, and knows when they want to be asked again; `follow` and `unfollow` frame its life."""

    def __init__(self, book: ProjectionBook, topics: Topics, clock: Clock) -> None:
        self._book, self._topics, self._clock = book, topics, clock
        self._standing: dict[ChargerId, dict[str, str]] = {}
        """What stands for each charger: topic → the projection's name."""
        self._due: dict[ChargerId, float] = {}
        self._stirred = asyncio.Event()
        self._stale: set[str] = set()
        """Topics to be published whether the broker has them or not."""

    def follow(self) -> None:
        self._book.follow(self._publish_again)

    def unfollow(self) -> None:
        self._book.unfollow(self._publish_again)

    def messages(self, snapshot: Snapshot) -> list[Message]:
        """All that is to stand, or to be cleared, for a charger."""
        charger = snapshot.charger
        if snapshot.removed:
            return self.clearing(charger, ())
        found: list[Message] = []
        standing: dict[str, str] = {}
        self._due.pop(charger, None)
        for projection in self._book:
            for topic, payload in projection.messages(snapshot, self._topics):
                found.append((topic, payload))
                if payload:
                    standing[topic] = projection.name
            seconds = projection.due_again(charger)
            if seconds is not None:
                self.look_again(charger, seconds)
        if standing:
            self._standing[charger] = standing
        else:
            self._standing.pop(charger, None)
        return found

    def clearing(self, charger: ChargerId, connectors: Sequence[tuple[int, int]]) -> list[Message]:
        """What clears a removed charger's topics."""
        self._standing.pop(charger, None)
        self._due.pop(charger, None)
        return [message for one in self._book for message in one.clearing(charger, connectors, self._topics)]

    def is_stale(self, topic: str) -> bool:
        """Whether a topic is wanted again though nothing of it changed; only the first who asks is told so."""
        if topic in self._stale:
            self._stale.discard(topic)
            return True
        return False

    async def outdated(self) -> list[ChargerId]:
        """Return when chargers are to be projected again though nothing of them changed: which."""
        while True:
            self._stirred.clear()
            now = self._clock.monotonic()
            due = [charger for charger, at in self._due.items() if at <= now]
            for charger in due:
                del self._due[charger]
            if due:
                return due
            try:
                async with asyncio.timeout(min(self._due.values()) - now if self._due else None):
                    await self._stirred.wait()
            except TimeoutError:
                pass

    def look_again(self, charger: ChargerId, seconds: float) -> None:
        """Have a charger be outdated within so many seconds."""
        at = self._clock.monotonic() + seconds
        self._due[charger] = min(at, self._due.get(charger, at))
        self._stirred.set()

    def _publish_again(self, projection: Projection, seconds: float) -> None:
        for charger, standing in self._standing.items():
            topics = [topic for topic, name in standing.items() if name == projection.name]
            if topics:
                self._stale.update(topics)
                self.look_again(charger, random.uniform(0, seconds))

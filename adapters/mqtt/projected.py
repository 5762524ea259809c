"""What projections of other adapters add to the retained topics of chargers, on one shard's connection."""

import asyncio
import random
from collections.abc import Sequence

from adapters.mqtt.login import Message
from adapters.mqtt.topics import Topics
from gateway.core.identity import ChargerId
from gateway.core.ports import Projection, Snapshot, Touch
from gateway.core.projecting import ProjectionBook


class Projected:
    """Asks the projections, and knows when they want to be asked again; `follow` and `unfollow` frame its life."""

    def __init__(self, book: ProjectionBook, topics: Topics, touch: Touch) -> None:
        self._book, self._topics, self._touch = book, topics, touch
        self._standing: dict[ChargerId, dict[str, str]] = {}
        """What stands for each charger: topic → the projection's name."""
        self._waiting: dict[ChargerId, asyncio.TimerHandle] = {}
        self._stale: set[str] = set()
        """Topics to be published whether the broker has them or not."""

    def follow(self) -> None:
        self._book.follow(self._publish_again)

    def unfollow(self) -> None:
        self._book.unfollow(self._publish_again)
        for charger in [*self._waiting]:
            self._wait_no_more(charger)

    def messages(self, snapshot: Snapshot) -> list[Message]:
        """All that is to stand, or to be cleared, for a charger."""
        charger = snapshot.charger
        if snapshot.removed:
            return self.clearing(charger, ())
        found: list[Message] = []
        standing: dict[str, str] = {}
        self._wait_no_more(charger)
        for projection in self._book:
            for topic, payload in projection.messages(snapshot, self._topics):
                found.append((topic, payload))
                if payload:
                    standing[topic] = projection.name
        due = [seconds for one in self._book if (seconds := one.due_again(charger)) is not None]
        if due:
            self._look_again(charger, min(due))
        if standing:
            self._standing[charger] = standing
        else:
            self._standing.pop(charger, None)
        return found

    def clearing(self, charger: ChargerId, connectors: Sequence[tuple[int, int]]) -> list[Message]:
        """What clears a removed charger's topics."""
        self._standing.pop(charger, None)
        self._wait_no_more(charger)
        return [message for one in self._book for message in one.clearing(charger, connectors, self._topics)]

    def is_stale(self, topic: str) -> bool:
        """Whether a topic is wanted again though nothing of it changed; only the first who asks is told so."""
        if topic in self._stale:
            self._stale.discard(topic)
            return True
        return False

    def _look_again(self, charger: ChargerId, seconds: float) -> None:
        self._wait_no_more(charger)
        self._waiting[charger] = asyncio.get_running_loop().call_later(seconds, self._touch, charger)

    def _wait_no_more(self, charger: ChargerId) -> None:
        waiting = self._waiting.pop(charger, None)
        if waiting is not None:
            waiting.cancel()

    def _publish_again(self, projection: Projection, seconds: float) -> None:
        for charger, standing in self._standing.items():
            topics = [topic for topic, name in standing.items() if name == projection.name]
            if topics:
                self._stale.update(topics)
                self._look_again(charger, random.uniform(0, seconds))

"""Retained topics of chargers: what a snapshot looks like there, and what of it is published already."""

from collections.abc import Iterable, Iterator

from adapters.mqtt.login import Message
from adapters.mqtt.topics import Topics
from gateway.core.identity import ChargerId
from gateway.core.ports import Snapshot

_REMEMBERED = 200_000


class Retained:
    """Turns snapshots into retained messages, leaving out what this connection has published.

    `repeat_after` (seconds) is when an unchanged topic is published all the same; None for never.
    """

    def __init__(self, topics: Topics, repeat_after: float | None) -> None:
        self._topics = topics
        self._repeat_after = repeat_after
        self._published: dict[str, tuple[int, float]] = {}
        self._connectors: dict[ChargerId, set[str]] = {}
        self._again: set[ChargerId] = set()

    def again(self, charger: ChargerId) -> None:
        """Have all of a charger's topics published at its next snapshot, changed or not."""
        self._again.add(charger)

    def forget(self) -> None:
        """Begin anew, on a new connection."""
        self._published.clear()
        self._connectors.clear()

    def messages(self, snapshot: Snapshot, now: float) -> list[Message]:
        """What is to be published to bring the broker in line with a snapshot."""
        charger = snapshot.charger
        again = charger in self._again
        self._again.discard(charger)
        if snapshot.removed:
            return self.clearing(charger, ())
        return [message for message in self._all(charger, snapshot) if again or self.is_due(message, now)]

    def clearing(self, charger: ChargerId, connectors: Iterable[tuple[int, int]]) -> list[Message]:
        """What clears a charger's topics: those of the connectors named, and of all that were seen here."""
        places = {self._topics.connector_state(charger, evse, connector) for evse, connector in connectors}
        places |= self._connectors.pop(charger, set())
        names = [self._topics.availability(charger), self._topics.state(charger), *sorted(places)]
        for name in names:
            self._published.pop(name, None)
        return [(name, b"") for name in names]

    def published(self, message: Message, now: float) -> None:
        """The broker has taken a message."""
        if not message[1]:
            self._published.pop(message[0], None)
            return
        while len(self._published) >= _REMEMBERED:
            del self._published[next(iter(self._published))]
        self._published[message[0]] = (hash(message[1]), now)

    def _all(self, charger: ChargerId, snapshot: Snapshot) -> Iterator[Message]:
        for name, value in snapshot.fields.items():
            if name == "availability":
                yield self._topics.availability(charger), value
            elif name == "charger":
                yield self._topics.state(charger), value
            elif name.startswith("connector/"):
                _, evse, connector = name.split("/", 2)
                topic = self._topics.connector_state(charger, evse, connector)
                self._connectors.setdefault(charger, set()).add(topic)
                yield topic, value

    def is_due(self, message: Message, now: float, *, at_least: float = 0.0) -> bool:
        """Whether the broker has another message there, or had this one long ago (so many seconds `at_least`); what
        clears one that it never got from here is left out."""
        before = self._published.get(message[0])
        if before is None and not message[1]:
            return False
        if before is None or before[0] != hash(message[1]):
            return True
        return self._repeat_after is not None and now - before[1] >= max(self._repeat_after, at_least)

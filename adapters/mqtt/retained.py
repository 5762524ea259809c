"""Retained topics of chargers: what a snapshot looks like there, and what of it is published already."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.mqtt.attributes import attributes, cleared
from adapters.mqtt.login import Message
from adapters.mqtt.topics import Topics
from gateway.core.charger_state import ChargerState
from gateway.core.connector_state import ConnectorState
from gateway.core.identity import ChargerId
from gateway.core.ports import Snapshot

_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class _Emptied:
    """Which attributes of a charger were null when they were told last: a bit for each topic, in their order; `shape`
    tells whether the topics are still the same. A fleet has too many of them to remember each."""

    shape: int
    nulls: int


class Retained:
    """Turns snapshots into retained messages, leaving out what this connection has published.

    `repeat_after` (seconds) is when an unchanged topic is published all the same; None for never. With
    `attribute_topics` every key of a state has a topic of its own, too.
    """

    def __init__(self, topics: Topics, repeat_after: float | None, *, attribute_topics: bool = False) -> None:
        self._topics = topics
        self._repeat_after = repeat_after
        self._attribute_topics = attribute_topics
        self._emptied: dict[ChargerId, _Emptied] = {}
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
        self._emptied.clear()

    def messages(self, snapshot: Snapshot, now: float) -> list[Message]:
        """What is to be published to bring the broker in line with a snapshot."""
        charger = snapshot.charger
        again = charger in self._again
        self._again.discard(charger)
        if snapshot.removed:
            return self.clearing(charger, ())
        found = [message for message in self._all(charger, snapshot) if again or self.is_due(message, now)]
        if self._attribute_topics:
            found += self._due_attributes(charger, snapshot, now, again=again)
        return found

    def clearing(self, charger: ChargerId, connectors: Iterable[tuple[int, int]]) -> list[Message]:
        """What clears a charger's topics: those of the connectors named, and of all that were seen here."""
        places = {self._topics.connector_state(charger, evse, connector) for evse, connector in connectors}
        places |= self._connectors.pop(charger, set())
        names = [self._topics.availability(charger), self._topics.state(charger), *sorted(places)]
        names += [f"{name.removesuffix('/state')}/problem" for name in names[1:]]
        if self._attribute_topics:
            shaped = [(self._topics.state(charger), ChargerState), *((place, ConnectorState) for place in places)]
            names += [topic for name, shape in shaped for topic, _ in cleared(name.removesuffix("/state"), shape)]
        for name in names:
            self._published.pop(name, None)
        self._emptied.pop(charger, None)
        return [(name, b"") for name in names]

    def published(self, message: Message, now: float) -> None:
        """The broker has taken a message, or was asked to clear a topic."""
        if not message[1]:
            self._published.pop(message[0], None)
            return
        while len(self._published) >= _REMEMBERED:
            del self._published[next(iter(self._published))]
        self._published[message[0]] = (hash(message[1]), now)

    def refused(self, charger: ChargerId) -> None:
        """The broker did not let a topic of a charger be cleared: what is null there is told again."""
        self._emptied.pop(charger, None)

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

    def _attributes(self, charger: ChargerId, snapshot: Snapshot) -> Iterator[Message]:
        for name, value in snapshot.fields.items():
            if name == "charger":
                yield from attributes(self._topics.charger(charger), value, ChargerState)
            elif name.startswith("connector/"):
                _, evse, connector = name.split("/", 2)
                yield from attributes(self._topics.connector(charger, evse, connector), value, ConnectorState)

    def _due_attributes(self, charger: ChargerId, snapshot: Snapshot, now: float, *, again: bool) -> list[Message]:
        """What is null is told once on each connection: something may stand there from before."""
        wanted = sorted(self._attributes(charger, snapshot))
        shape = hash(tuple(topic for topic, _ in wanted))
        before = self._emptied.get(charger)
        told = 0 if before is None or before.shape != shape or again else before.nulls
        nulls = sum(1 << index for index, (_, payload) in enumerate(wanted) if not payload)
        self._emptied[charger] = _Emptied(shape, nulls)
        return [
            message
            for index, message in enumerate(wanted)
            if (again or self.is_due(message, now) if message[1] else not told >> index & 1)
        ]

    def is_due(self, message: Message, now: float, *, at_least: float = 0.0) -> bool:
        """Whether the broker has another message there, or had this one long ago (so many seconds `at_least`); what
        clears one that it never got from here is left out."""
        before = self._published.get(message[0])
        if before is None and not message[1]:
            return False
        if before is None or before[0] != hash(message[1]):
            return True
        return self._repeat_after is not None and now - before[1] >= max(self._repeat_after, at_least)

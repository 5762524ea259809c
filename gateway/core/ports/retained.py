"""What adapters add to the broker without knowing it: retained topics of chargers, and topics that they listen to."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from gateway.core.identity import ChargerId
from gateway.core.ports.reading import Snapshot

RetainedMessage = tuple[str, bytes]
"""A topic and what stands there; an empty payload clears it."""

Listener = Callable[[str, bytes], None]
"""Takes the topic and the payload of a message. It is called in the reader of the broker's messages: it must be quick,
and raise nothing."""


class TopicNames(Protocol):
    """Where the gateway's own topics are: `status`, and the branch of each charger (`{prefix}/chargers/{id}`)."""

    @property
    def status(self) -> str: ...

    def charger(self, charger: ChargerId) -> str: ...


class Projection(Protocol):
    """Retained topics that an adapter adds to those of chargers, published with their state by one node at a time."""

    name: str

    def messages(self, snapshot: Snapshot, topics: TopicNames) -> Iterable[RetainedMessage]:
        """All that is to stand on the broker for a charger, or to be cleared there.

        Called for every snapshot that is projected, so that it must be quick where nothing changed. What is published
        already is left out by the caller, unless it is time to repeat it.
        """
        ...

    def due_again(self, charger: ChargerId) -> float | None:
        """In how many seconds `messages` is to be called for the charger though nothing of it changes; None: never."""
        ...

    def clearing(
        self, charger: ChargerId, connectors: Sequence[tuple[int, int]], topics: TopicNames
    ) -> Iterable[RetainedMessage]:
        """What clears the topics of a charger that was removed."""
        ...


class Projections(Protocol):
    """Where adapters put in their Projections when they start."""

    def register(self, projection: Projection) -> None:
        """Raises ValueError for a second one of the same name."""
        ...

    def publish_again(self, projection: Projection, seconds: float) -> None:
        """Have what stands for a projection published again, by the node that does so, spread over so many seconds."""
        ...


class Listeners(Protocol):
    """Where adapters put in what they listen to, when they start."""

    def register(self, topic_filter: str, listener: Listener) -> None: ...

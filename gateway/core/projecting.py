"""The projections and listeners of this node's adapters, put in by those who have them and read by who serves them."""

from collections.abc import Callable, Iterator

from gateway.core.ports.retained import Listener, Projection

Again = Callable[[Projection, float], None]
"""Told to publish all of a projection again, within so many seconds."""


class ProjectionBook:
    """The Projections of this node; implements `Projections`. Whoever publishes them follows it."""

    def __init__(self) -> None:
        self._by_name: dict[str, Projection] = {}
        self._followers: list[Again] = []

    def register(self, projection: Projection) -> None:
        """Raises ValueError for a second one of the same name. To be done by constructors: later it is late."""
        if projection.name in self._by_name:
            raise ValueError(f"there are two projections of the name {projection.name!r}")
        self._by_name[projection.name] = projection

    def __iter__(self) -> Iterator[Projection]:
        return iter(self._by_name.values())

    def publish_again(self, projection: Projection, seconds: float) -> None:
        for follower in [*self._followers]:
            follower(projection, seconds)

    def follow(self, follower: Again) -> None:
        self._followers.append(follower)

    def unfollow(self, follower: Again) -> None:
        """What does not follow (any more) is no mistake."""
        if follower in self._followers:
            self._followers.remove(follower)


class ListenerBook:
    """What this node's adapters listen to; implements `Listeners`."""

    def __init__(self) -> None:
        self._by_filter: dict[str, list[Listener]] = {}

    def register(self, topic_filter: str, listener: Listener) -> None:
        self._by_filter.setdefault(topic_filter, []).append(listener)

    @property
    def filters(self) -> tuple[str, ...]:
        """All topic filters, each once."""
        return tuple(self._by_filter)

    def of(self, topic_filter: str) -> list[Listener]:
        """Those who listen to exactly this filter."""
        return self._by_filter[topic_filter]

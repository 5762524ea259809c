"""When retained state is due: soon after a change, but no charger more often than every so many seconds."""

import heapq
from collections.abc import Iterable

_REMEMBERED = 20_000


class Coalescer:
    """Names that were touched, each due `interval` seconds after it was last taken, at the earliest."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._heap: list[tuple[float, str]] = []
        self._waiting: set[str] = set()
        self._taken: dict[str, float] = {}

    def touch(self, names: Iterable[str], now: float) -> None:
        for name in names:
            if name not in self._waiting:
                self._waiting.add(name)
                taken = self._taken.get(name)
                due = now if taken is None else max(now, taken + self._interval)
                heapq.heappush(self._heap, (due, name))

    def due_at(self) -> float | None:
        """When the next one is due, None where none waits."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: float, most: int) -> list[str]:
        """Those that are due, and that count as taken from now on."""
        names: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(names) < most:
            name = heapq.heappop(self._heap)[1]
            self._waiting.discard(name)
            self._taken[name] = now
            names.append(name)
        if len(self._taken) > _REMEMBERED:
            self._taken = {name: at for name, at in self._taken.items() if at + self._interval > now}
        return names

    def put_back(self, names: Iterable[str], at: float) -> None:
        """Names that were taken in vain: due again at a time."""
        for name in names:
            if name not in self._waiting:
                self._waiting.add(name)
                heapq.heappush(self._heap, (at, name))

"""Metrics for the hot path: plain numbers, turned into Prometheus's families only when the page is asked for.

The client library's own metrics take a lock for every number, for threads that the gateway does not have.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector


class TallyCounter(Collector):
    """A counter with labels; the number of its series is bounded, what comes beyond counts under `other`."""

    def __init__(self, name: str, text: str, labels: Sequence[str], *, limit: int, other: str) -> None:
        self._name, self._text, self._labels = name, text, labels
        self._limit, self._other = limit, other
        self._counts: dict[tuple[Hashable, ...], int] = {}

    def count(self, *labels: Hashable) -> None:
        """Count one."""
        counts = self._counts
        if labels not in counts and len(counts) >= self._limit:
            labels = (self._other,) * len(self._labels)
        counts[labels] = counts.get(labels, 0) + 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for labels, count in self._counts.items():
            family.add_metric([str(label) for label in labels], count)
        yield family


class TallyHistogram(Collector):
    """A histogram without labels."""

    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        self._name, self._text, self._bounds = name, text, bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value into the first bucket whose bound is not below it."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        buckets, total = [], 0
        for bound, count in zip([*map(str, self._bounds), "+Inf"], self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        family = HistogramMetricFamily(self._name, self._text)
        family.add_metric([], buckets, self._sum)
        yield family

"""Prometheus metrics: what the house counts, and the page that is scraped."""

import gc
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

from gateway import __version__
from gateway.tallies import TallyCounter, TallyHistogram

_Child = TypeVar("_Child", bound=MetricWrapperBase)

OTHER = "other"
"""The label value that stands for all that came once a metric has its full number of series."""

_MAX_SERIES = 1000
_MAX_VIOLATION_SERIES = 10_000
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_COMMAND_LATENCIES = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_READ = ("reader", "shard")
_BATCHES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class _Series(Generic[_Child]):
    """A metric's children, looked up once by label values.

    Some labels come from outside (an action may be any text that a charger sends), so their number is bounded.
    """

    def __init__(self, metric: _Child, limit: int = _MAX_SERIES) -> None:
        self._metric = metric
        self._limit = limit
        self._children: dict[tuple[Hashable, ...], _Child] = {}

    def __call__(self, *labels: Hashable) -> _Child:
        child = self._children.get(labels)
        if child is None:
            child = self._make(labels)
        return child

    def _make(self, labels: tuple[Hashable, ...]) -> _Child:
        if len(self._children) >= self._limit:
            return self._metric.labels(*(OTHER for _ in labels))
        child = self._metric.labels(*labels)
        self._children[labels] = child
        return child


class PrometheusObserver:
    """Implements the port `Observer` over a registry of its own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        if hasattr(gc, "callbacks"):
            GCCollector(registry=registry)
        Gauge("ocpp_gateway_build_info", "Version of the gateway", ["version"], registry=registry).labels(
            __version__
        ).set(1)

        def counter(name: str, text: str, *labels: str) -> _Series[Counter]:
            return _Series(Counter(f"ocpp_gateway_{name}", text, labels, registry=registry))

        def gauge(name: str, text: str, *labels: str) -> _Series[Gauge]:
            return _Series(Gauge(f"ocpp_gateway_{name}", text, labels, registry=registry))

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"ocpp_gateway_{name}", text, buckets=buckets, registry=registry)

        self._connections = gauge("connections", "Chargers connected to this node", "version")
        self._opened = counter("connections_opened", "Connections of chargers opened", "version")
        self._closed = counter("connections_closed", "Connections of chargers closed", "version", "reason")
        self._refused = counter("handshakes_refused", "Chargers turned away, by HTTP status", "status")
        self._put_off = Counter(
            "ocpp_gateway_admissions_put_off",
            "Chargers told to come later, as more connected than are let in at once",
            registry=registry,
        )
        self._messages = TallyCounter(
            "ocpp_gateway_messages",
            "OCPP messages, by direction and outcome",
            ("version", "direction", "action", "outcome"),
            limit=_MAX_SERIES,
            other=OTHER,
        )
        self._violations = TallyCounter(
            "ocpp_gateway_charger_violations",
            "Deviations from OCPP, by charger and code",
            ("charger", "code"),
            limit=_MAX_VIOLATION_SERIES,
            other=OTHER,
        )
        self._answer = TallyHistogram(
            "ocpp_gateway_answer_seconds", "From a charger's message to its answer", _LATENCIES
        )
        registry.register(self._messages)
        registry.register(self._violations)
        registry.register(self._answer)
        self._commands = counter("commands", "Commands, by outcome", "name", "outcome")
        self._command = histogram("command_seconds", "From a command to its outcome", _COMMAND_LATENCIES)
        self._commit = histogram("commit_seconds", "From a batch to its receipt by Redis", _LATENCIES)
        self._batch = histogram("commit_batch_size", "Messages that one batch carried", _BATCHES)
        self._delivered = counter("delivered", "Events that a reader's receiver confirmed", "reader", "shard")
        self._undelivered = counter(
            "undelivered", "Events that a reader could not deliver, or to nobody", "reader", "shard", "outcome"
        )
        self._log_size = gauge("log_bytes", "Bytes in a shard of the log", "shard")
        self._log_limit = gauge("log_limit_bytes", "Bytes in a shard of the log at which it is full", "shard")
        self._lag = gauge("reader_lag_seconds", "Age of the oldest event that a reader has not confirmed", *_READ)
        self._lag_size = gauge("reader_lag_bytes", "Bytes of the log that a reader has not confirmed", *_READ)
        self._dead_letters = gauge("dead_letters", "Events put aside, as they can never be delivered", "shard")
        self._leases = gauge("shards_read", "Shards of the log that this node reads", "reader")
        self._depth = gauge("queue_depth", "Entries that wait in a queue", "queue")
        self._up = gauge("up", "Whether Redis and the MQTT broker can be reached", "part")

    def page(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self._registry)

    # ------------------------------------------------------------ Observer

    def connection_opened(self, version: str) -> None:
        self._opened(version).inc()
        self._connections(version).inc()

    def connection_closed(self, version: str, reason: str) -> None:
        self._closed(version, reason).inc()
        self._connections(version).dec()

    def handshake_refused(self, status: int) -> None:
        self._refused(status).inc()

    def admission_put_off(self) -> None:
        self._put_off.inc()

    def message(self, version: str, direction: str, action: str, outcome: str) -> None:
        self._messages.count(version, direction, action, outcome)

    def violations(self, charger: str, codes: Sequence[str]) -> None:
        for code in codes:
            self._violations.count(charger, code)

    def answered(self, seconds: float) -> None:
        self._answer.observe(seconds)

    def command(self, name: str, outcome: str, seconds: float) -> None:
        self._commands(name, outcome).inc()
        self._command.observe(seconds)

    def committed(self, batch: int, seconds: float) -> None:
        self._batch.observe(batch)
        self._commit.observe(seconds)

    def delivered(self, reader: str, shard: int, count: int) -> None:
        self._delivered(reader, shard).inc(count)

    def undelivered(self, reader: str, shard: int, outcome: str, count: int = 1) -> None:
        self._undelivered(reader, shard, outcome).inc(count)

    def log_size(self, shard: int, size: int, limit: int) -> None:
        self._log_size(shard).set(size)
        self._log_limit(shard).set(limit)

    def lag(self, reader: str, shard: int, seconds: float, size: int) -> None:
        self._lag(reader, shard).set(seconds)
        self._lag_size(reader, shard).set(size)

    def dead_letters(self, shard: int, count: int) -> None:
        self._dead_letters(shard).set(count)

    def leases(self, reader: str, shards: int) -> None:
        self._leases(reader).set(shards)

    def depth(self, queue: str, depth: int) -> None:
        self._depth(queue).set(depth)

    def up(self, part: str, up: bool) -> None:
        self._up(part).set(up)

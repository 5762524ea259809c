"""Gateway nodes for chaos: quick to notice a death, and killed at the end whatever became of the test."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.subscriber import Subscriber
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Mosquitto

TERM = 2.0
"""Seconds of silence after which a node counts as dead and its leases are free."""
GRACE = 2.0
"""Seconds that a money message may wait for the log."""

MakeNode = Callable[..., GatewayProcess]


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[MakeNode]:
    """Makes nodes (not started) that share what their URLs name; `settings` as for GatewayProcess."""
    nodes: list[GatewayProcess] = []

    def make(
        redis_url: str | None,
        mqtt_url: str | None,
        *,
        name: str = "node-1",
        settings: dict[str, dict[str, Any]] | None = None,
    ) -> GatewayProcess:
        quick: dict[str, dict[str, Any]] = {
            "redis": {"node_term": TERM, "lease_term": TERM, "projection_interval": 0.1},
            "chargers": {"money_grace": GRACE},
        }
        for section, options in (settings or {}).items():
            quick.setdefault(section, {}).update(options)
        node = GatewayProcess(tmp_path / name, redis_url=redis_url, mqtt_url=mqtt_url, node=name, settings=quick)
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        node.kill()


@pytest.fixture
def subscriber(mosquitto: Mosquitto) -> Iterator[Subscriber]:
    """A persistent session on mosquitto, for every topic of the gateway."""
    with Subscriber(mosquitto.port) as found:
        yield found


@pytest.fixture
def home_subscriber(embedded_broker: EmbeddedBroker) -> Iterator[Subscriber]:
    """The same on the embedded broker, which must not be stopped."""
    with Subscriber(embedded_broker.port) as found:
        yield found


async def start(*nodes: GatewayProcess) -> None:
    """Start nodes at once, without holding up what runs in this loop."""
    await asyncio.gather(*(asyncio.to_thread(node.start) for node in nodes))

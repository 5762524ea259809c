"""Gateway nodes for chaos, killed at the end whatever became of the test.

They bear to be held up by a busy machine; where a death or the grace time is the subject, a test asks for `QUICK`.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.subscriber import Subscriber
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Mosquitto

LEASE = 2.0
"""Seconds of silence after which a shard is read by another: where it lives all the same, events come again."""
TERM = 3.0
"""Seconds of silence after which a quick node counts as dead."""
GRACE = 2.0
"""Seconds that a money message may wait for the log of a quick node."""
QUICK: dict[str, dict[str, Any]] = {"redis": {"node_term": TERM}, "chargers": {"money_grace": GRACE}}
PATIENT_TERM, PATIENT_GRACE = 10.0, 15.0

MakeNode = Callable[..., GatewayProcess]


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[MakeNode]:
    """Makes nodes (not started) of a `kind` that share what their URLs name; `settings` as for GatewayProcess."""
    nodes: list[GatewayProcess] = []

    def make(
        redis_url: str | None,
        mqtt_url: str | None,
        *,
        name: str = "node-1",
        settings: dict[str, dict[str, Any]] | None = None,
        kind: type[GatewayProcess] = GatewayProcess,
    ) -> GatewayProcess:
        patient: dict[str, dict[str, Any]] = {
            "redis": {"node_term": PATIENT_TERM, "lease_term": LEASE, "projection_interval": 0.1},
            "chargers": {"money_grace": PATIENT_GRACE},
        }
        for section, options in (settings or {}).items():
            patient.setdefault(section, {}).update(options)
        node = kind(tmp_path / name, redis_url=redis_url, mqtt_url=mqtt_url, node=name, settings=patient)
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

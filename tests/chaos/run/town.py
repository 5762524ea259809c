"""Two gateway nodes, their Redis and their broker, and a gate on every way between them."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.chaos.run.gates import Gate
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Mosquitto, Server, Valkey

NODES = 2
TERM = 3.0
"""Seconds of silence after which a node counts as dead and its leases are free."""
MONEY_GRACE = 3.0


class Town:
    """All servers of a run. `chargers`, `redis_links` and `broker_links` are the gates, by node.

    `persistent`: the broker keeps sessions and what is queued over a restart (mosquitto). `command` starts a node,
    `settings` are added to its configuration.
    """

    def __init__(
        self,
        folder: Path,
        *,
        persistent: bool,
        missing_grace: float,
        settings: dict[str, dict[str, Any]] | None = None,
        node: type[GatewayProcess] = GatewayProcess,
    ) -> None:
        self.persistent = persistent
        self.redis = Valkey(folder / "valkey")
        self.broker: Server = Mosquitto(folder / "mosquitto") if persistent else EmbeddedBroker(folder / "rumqttd")
        self.nodes: list[GatewayProcess] = []
        self.chargers: list[Gate] = []
        self.redis_links: list[Gate] = []
        self.broker_links: list[Gate] = []
        self._folder, self._stack, self._node = folder, AsyncExitStack(), node
        self._settings: dict[str, dict[str, Any]] = {
            "gateway": {"log_level": "info", "shutdown_deadline": 3.0},
            "redis": {"node_term": TERM, "lease_term": TERM, "projection_interval": 1.0},
            "chargers": {"money_grace": MONEY_GRACE, "missing_messages_grace": missing_grace, "command_timeout": 5.0},
        }
        for section, options in (settings or {}).items():
            self._settings.setdefault(section, {}).update(options)

    async def __aenter__(self) -> Self:
        # Ctrl-C ends the run, which then ends these.
        self.redis.own_session = self.broker.own_session = True
        await asyncio.gather(asyncio.to_thread(self.redis.start), asyncio.to_thread(self.broker.start))
        for number in range(NODES):
            redis_link = await self._stack.enter_async_context(Gate(self.redis.port))
            broker_link = await self._stack.enter_async_context(Gate(self.broker.port))
            node = self._node(
                self._folder / f"node-{number + 1}",
                redis_url=f"redis://127.0.0.1:{redis_link.port}/0",
                mqtt_url=f"mqtt://127.0.0.1:{broker_link.port}",
                node=f"node-{number + 1}",
                settings=self._settings,
            )
            node.own_session = True
            gate = await self._stack.enter_async_context(Gate(node.charger_port))
            self.redis_links.append(redis_link)
            self.broker_links.append(broker_link)
            self.chargers.append(gate)
            self.nodes.append(node)
        try:
            await asyncio.gather(*(asyncio.to_thread(node.start) for node in self.nodes))
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(node.kill) for node in self.nodes), return_exceptions=True)
        await asyncio.gather(asyncio.to_thread(self.redis.kill), asyncio.to_thread(self.broker.kill))
        await self._stack.aclose()

    @property
    def ports(self) -> list[int]:
        """Where chargers connect."""
        return [gate.port for gate in self.chargers]

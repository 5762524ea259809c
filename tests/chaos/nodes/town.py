"""Three nodes on one Valkey and one mosquitto, with a gate between each node and its Redis."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.chaos.run.gates import Gate
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import Mosquitto, Valkey


class Town:
    """All servers of a run. `term`: seconds of silence after which a node counts as dead and its leases are free."""

    def __init__(self, folder: Path, *, nodes: int, term: float, settings: dict[str, dict[str, Any]]) -> None:
        self.redis, self.broker = Valkey(folder / "valkey"), Mosquitto(folder / "mosquitto")
        self.nodes: list[GatewayProcess] = []
        self.links: list[Gate] = []
        self._folder, self._count, self._stack = folder, nodes, AsyncExitStack()
        self._settings: dict[str, dict[str, Any]] = {
            "gateway": {"log_level": "info"},
            "redis": {"node_term": term, "lease_term": term},
            "chargers": {"command_timeout": 5.0},
        }
        for section, options in settings.items():
            self._settings.setdefault(section, {}).update(options)

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
        except BaseException:
            await self._end()
            raise
        return self

    async def _begin(self) -> None:
        # Ctrl-C ends the run, which then ends these.
        self.redis.own_session = self.broker.own_session = True
        await asyncio.gather(asyncio.to_thread(self.redis.start), asyncio.to_thread(self.broker.start))
        for number in range(self._count):
            link = await self._stack.enter_async_context(Gate(self.redis.port))
            name = f"node-{number + 1}"
            node = GatewayProcess(
                self._folder / name,
                redis_url=f"redis://127.0.0.1:{link.port}/0",
                mqtt_url=self.broker.url,
                node=name,
                settings=self._settings,
            )
            node.own_session = True
            self.links.append(link)
            self.nodes.append(node)
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in self.nodes))

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
        """Where chargers connect, by node."""
        return [node.charger_port for node in self.nodes]

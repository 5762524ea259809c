"""The servers that no URL names, started and kept alive by the gateway itself."""

import asyncio
from contextlib import AsyncExitStack

import structlog

from gateway.config import Settings
from gateway.core.errors import EmbeddedServerError
from gateway.embedded.broker import EmbeddedBroker
from gateway.embedded.valkey import EmbeddedValkey

_log = structlog.get_logger(__name__)

RESTART_DELAY = 1.0


def needs_embedded_servers(settings: Settings) -> bool:
    """Whether there is a server that no URL names."""
    return settings.redis.url is None or _needs_broker(settings)


async def with_embedded_servers(settings: Settings, stack: AsyncExitStack) -> Settings:
    """Start what no URL names, for as long as the stack, and fill in the URLs. Raises EmbeddedServerError."""
    data_dir = settings.gateway.data_dir
    keepers = await stack.enter_async_context(_Keepers())
    if settings.redis.url is None:
        url = await keepers.keep("Valkey", EmbeddedValkey(data_dir))
        settings = settings.model_copy(update={"redis": settings.redis.model_copy(update={"url": url})})
    if _needs_broker(settings):
        url = await keepers.keep("MQTT broker", EmbeddedBroker(data_dir, settings.mqtt.embedded_port))
        settings = settings.model_copy(update={"mqtt": settings.mqtt.model_copy(update={"url": url})})
    return settings


def _needs_broker(settings: Settings) -> bool:
    return settings.mqtt.url is None and "mqtt" in settings.gateway.adapters


class _Keepers:
    """Keeps embedded servers alive: starts them, starts them again where they die, stops them at the end."""

    def __init__(self) -> None:
        self._kept: list[tuple[EmbeddedValkey | EmbeddedBroker, asyncio.Task[None]]] = []

    async def __aenter__(self) -> "_Keepers":
        return self

    async def __aexit__(self, *_: object) -> None:
        for server, keeper in reversed(self._kept):
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            await server.stop()

    async def keep(self, name: str, server: EmbeddedValkey | EmbeddedBroker) -> str:
        url = await server.start()
        keeper = asyncio.create_task(self._restart_when_dead(name, server), name=f"embedded {name}: keeper")
        self._kept.append((server, keeper))
        return url

    async def _restart_when_dead(self, name: str, server: EmbeddedValkey | EmbeddedBroker) -> None:
        while True:
            status = await server.wait_died()
            _log.error("embedded server died; it is started again", server=name, status=status)
            while True:
                await asyncio.sleep(RESTART_DELAY)
                try:
                    await server.start()
                    break
                except EmbeddedServerError as error:
                    _log.error("embedded server does not start", server=name, error=str(error))

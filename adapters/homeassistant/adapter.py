"""The Home Assistant adapter: announces chargers through whoever serves the broker, and again when asked to."""

import asyncio
from collections.abc import Callable

import structlog

from adapters.homeassistant.chosen import Chosen
from adapters.homeassistant.config import HomeAssistantConfig
from adapters.homeassistant.documents import Documents
from adapters.homeassistant.projection import Announcements
from gateway.core.adapter import GatewayContext
from gateway.core.errors import LogUnavailable

_log = structlog.get_logger(__name__)

SPREAD_SECONDS = 3.0
"""Over how long announcements are spread that Home Assistant's birth calls for."""
COUNT_SECONDS = 300.0
"""How often all known chargers are counted, those of other nodes, too."""
RETRY_SECONDS = 2.0


class HomeAssistantAdapter:
    """Has the broker hold a discovery document for each device, and published again when Home Assistant is born."""

    name = "homeassistant"

    def __init__(self, config: HomeAssistantConfig, context: GatewayContext) -> None:
        self._config, self._context = config, context
        self._announcements = Announcements(config, Documents(config, context.version), context.clock)
        if config.enabled:
            context.projections.register(self._announcements)
            context.listeners.register(f"{config.discovery_prefix}/status", self._heard)

    async def run(self, started: Callable[[], None]) -> None:
        started()
        if not self._config.enabled:
            await asyncio.Event().wait()
        while True:
            counted = await self._choose()
            await asyncio.sleep(COUNT_SECONDS if counted else RETRY_SECONDS)

    async def _choose(self) -> bool:
        """Find out which chargers are announced; returns whether Redis could tell."""
        chosen = Chosen(self._config)
        try:
            async for charger in self._context.known_chargers():
                chosen.admit(charger)
        except LogUnavailable:
            return False
        if self._announcements.choose(chosen):
            self._context.projections.publish_again(self._announcements, SPREAD_SECONDS)
        return True

    def _heard(self, topic: str, payload: bytes) -> None:
        """Home Assistant's birth message; it is usually retained, so that it comes with every connection, too."""
        if payload == b"online":
            _log.debug("Home Assistant is there", topic=topic)
            self._context.projections.publish_again(self._announcements, SPREAD_SECONDS)

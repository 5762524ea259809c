"""The Home Assistant adapter: announces chargers through whoever serves the broker, and again when asked to."""

import asyncio
from collections.abc import Callable

import structlog

from adapters.homeassistant.config import HomeAssistantConfig
from adapters.homeassistant.documents import Documents
from adapters.homeassistant.projection import Announcements
from gateway.core.adapter import GatewayContext

_log = structlog.get_logger(__name__)

SPREAD_SECONDS = 3.0
"""Over how long announcements are spread that Home Assistant's birth calls for."""


class HomeAssistantAdapter:
    """Has the broker hold a discovery document for each device, and published again when Home Assistant is born."""

    name = "homeassistant"

    def __init__(self, config: HomeAssistantConfig, context: GatewayContext) -> None:
        self._context = context
        self._announcements = Announcements(config, Documents(config, context.version), context.clock)
        if config.enabled:
            context.projections.register(self._announcements)
            context.listeners.register(f"{config.discovery_prefix}/status", self._heard)

    async def run(self, started: Callable[[], None]) -> None:
        started()
        await asyncio.Event().wait()

    def _heard(self, topic: str, payload: bytes) -> None:
        """Home Assistant's birth message; it is usually retained, so that it comes with every connection, too."""
        if payload == b"online":
            _log.debug("Home Assistant is there", topic=topic)
            self._context.projections.publish_again(self._announcements, SPREAD_SECONDS)

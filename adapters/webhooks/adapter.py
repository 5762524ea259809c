"""The webhooks adapter: registers the asker of its endpoint, and holds its connections."""

import asyncio
import ssl
from collections.abc import Callable

import structlog

from adapters.webhooks.asking import WebhookAsker, new_session, shown
from adapters.webhooks.config import WebhooksConfig
from gateway.core.adapter import GatewayContext
from gateway.core.errors import ConfigurationError

_log = structlog.get_logger(__name__)


class WebhooksAdapter:
    """Answers questions by asking an HTTP endpoint; idle where none is set."""

    name = "webhooks"

    def __init__(self, config: WebhooksConfig, context: GatewayContext) -> None:
        self._config = config
        self._context = context

    async def run(self, started: Callable[[], None]) -> None:
        """Serve until cancelled. Raises ConfigurationError for a CA file that does not load."""
        config, context = self._config, self._context
        if config.url is None:
            started()
            await asyncio.Event().wait()
            return
        async with new_session(config, version=context.version, tls=self._tls()) as session:
            context.askers.register(WebhookAsker(config, session, context.clock, context.health))
            _log.info("the webhook can be asked", url=shown(config.url), signed=config.secret is not None)
            started()
            await asyncio.Event().wait()

    def _tls(self) -> ssl.SSLContext | bool:
        if self._config.ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=self._config.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"webhooks.ca_file {self._config.ca_file} does not load: {error}", source="webhooks"
            ) from error

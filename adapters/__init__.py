"""The adapters: each folder faces one kind of business system and imports `gateway.core` only."""

from importlib import import_module
from typing import Any, Protocol

from gateway.core.adapter import Adapter, GatewayContext
from gateway.core.errors import ConfigurationError

ADAPTERS: dict[str, str] = {
    "mqtt": "adapters.mqtt:MqttAdapter",
    "rest": "adapters.rest:RestAdapter",
    "webhooks": "adapters.webhooks:WebhooksAdapter",
    "homeassistant": "adapters.homeassistant:HomeAssistantAdapter",
}
"""Every adapter: its name in the configuration → `module:class`. Adding one is one folder and one line here."""


class AdapterClass(Protocol):
    """What each line of the table leads to: a class that takes its own settings and the gateway's context."""

    name: str

    def __call__(self, config: Any, context: GatewayContext) -> Adapter: ...


def load_adapter(name: str) -> AdapterClass:
    """The class of an adapter; only then is its package imported.

    Raises ConfigurationError for an unknown name, and for a table line whose class bears another name (two lines
    that lead to one adapter).
    """
    target = ADAPTERS.get(name)
    if target is None:
        raise ConfigurationError(f"unknown adapter {name!r}; known are {', '.join(sorted(ADAPTERS))}")
    module, _, attribute = target.partition(":")
    adapter: AdapterClass = getattr(import_module(module), attribute)
    if adapter.name != name:
        raise ConfigurationError(f"adapter {name!r} leads to {target}, which calls itself {adapter.name!r}")
    return adapter

"""The discovery documents of a charger: one device, or where it has several connectors one for each beside it.

https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

import json
from dataclasses import dataclass
from typing import Any

from adapters.homeassistant.charger_components import charger_components
from adapters.homeassistant.components import Component
from adapters.homeassistant.config import HomeAssistantConfig, HomeCharger
from adapters.homeassistant.connector_components import Place, connector_components, where
from adapters.homeassistant.facts import ChargerFacts, ConnectorFacts
from adapters.homeassistant.naming import connector_object_id, entity_slug, object_id
from adapters.homeassistant.words import Words
from gateway.core.identity import ChargerId
from gateway.core.ports import RetainedMessage, TopicNames


class Documents:
    """Makes the documents of chargers; the same facts make the same bytes."""

    def __init__(self, config: HomeAssistantConfig, version: str) -> None:
        self._config, self._version = config, version
        self._words = Words.load(config.language)

    def topic(self, object_id: str) -> str:
        return f"{self._config.discovery_prefix}/device/{object_id}/config"

    def of(self, charger: ChargerId, facts: ChargerFacts, topics: TopicNames) -> list[RetainedMessage]:
        """All documents of a charger, its own first: the others refer to it."""
        branch, known = topics.charger(charger), object_id(charger, prefix_of(topics))
        home = self._config.chargers.get(charger.identity, HomeCharger())
        name = home.name or charger.identity
        made = _Maker(self._config, self._words, self._version, topics.status, branch, home)
        own = charger_components(branch, topics.status, facts, home)
        devices: list[RetainedMessage] = []
        if facts.is_one:
            only = facts.connectors[0]
            parts = connector_components(made.place(only, alone=True), self._words, home, self._config.currency)
            keys = {one.key for one in parts}
            components = [*(one for one in own if one.key not in keys), *parts]
        else:
            keys = {one.key for one in own}
            nothing = ConnectorFacts(1, 1)
            parts = connector_components(made.place(nothing, alone=True), self._words, home, None)
            gone = [Component(one.key, one.platform, shown=False) for one in parts if one.key not in keys]
            components = [*own, *gone]
            devices = [self._connector(made, known, name, one, home) for one in facts.connectors]
        device = {"identifiers": [known], "name": name, **made.described(facts)}
        document = made.document(device, components, unique=known, slug=entity_slug(name))
        return [(self.topic(known), document), *devices]

    def _connector(
        self, made: "_Maker", charger: str, name: str, facts: ConnectorFacts, home: HomeCharger
    ) -> RetainedMessage:
        known = connector_object_id(charger, facts.evse_id, facts.connector_id)
        number = f"{facts.evse_id}" if facts.connector_id == 1 else f"{facts.evse_id}.{facts.connector_id}"
        title = f"{name} {self._words.connector} {number}"
        device = {"identifiers": [known], "name": title, "via_device": charger}
        if home.area is not None:
            device["suggested_area"] = home.area
        parts = connector_components(made.place(facts, alone=False), self._words, home, self._config.currency)
        slug = entity_slug(f"{name} {number}")
        return self.topic(known), made.document(device, parts, unique=known, slug=slug)

    def clearing(
        self, charger: ChargerId, connectors: list[tuple[int, int]], topics: TopicNames
    ) -> list[RetainedMessage]:
        """What removes a charger's devices, those of its connectors first. Home Assistant warns of a document that it
        never had, so that only one that may have been published is cleared."""
        known = object_id(charger, prefix_of(topics))
        subordinate = [connector_object_id(known, *place) for place in connectors] if len(connectors) > 1 else []
        return [(self.topic(one), b"") for one in (*subordinate, known)]


@dataclass(frozen=True, slots=True)
class _Maker:
    """What all documents of one charger share."""

    config: HomeAssistantConfig
    words: Words
    version: str
    status: str
    branch: str
    home: HomeCharger

    def place(self, facts: ConnectorFacts, *, alone: bool) -> Place:
        return Place(self.branch, f"{self.branch}/{where(facts)}", facts, alone)

    def described(self, facts: ChargerFacts) -> dict[str, Any]:
        """The device as it is told in words, as far as it is known."""
        told = {
            "manufacturer": facts.vendor,
            "model": facts.model,
            "serial_number": facts.serial_number,
            "sw_version": facts.firmware_version,
            "suggested_area": self.home.area,
            "configuration_url": self.config.gateway_url,
        }
        return {name: value for name, value in told.items() if value is not None}

    def document(self, device: dict[str, Any], components: list[Component], *, unique: str, slug: str) -> bytes:
        written = {
            "device": device,
            "origin": {"name": "OCPP gateway", "sw_version": self.version},
            "availability": [{"topic": self.status}, {"topic": f"{self.branch}/availability"}],
            "availability_mode": "all",
            "components": {one.key: one.written(unique=unique, slug=slug, words=self.words) for one in components},
        }
        return json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()


def prefix_of(topics: TopicNames) -> str:
    """The prefix of the gateway's topics."""
    return topics.status.removesuffix("/status")

"""Snapshots as the gateway projects them, and the documents that come of them."""

import json
from typing import Any

from adapters.homeassistant.chosen import Chosen
from adapters.homeassistant.config import HomeAssistantConfig
from adapters.homeassistant.documents import Documents
from adapters.homeassistant.projection import Announcements
from gateway.core.charger_state import new_charger
from gateway.core.connector_state import new_connector
from gateway.core.events import to_json
from gateway.core.identity import ChargerId
from gateway.core.ports import Snapshot

BOX = ChargerId("WALLBOX-1")


class Names:
    """The topics of the gateway, as MQTT's adapter names them."""

    def __init__(self, prefix: str = "ocpp") -> None:
        self.prefix, self.status = prefix, f"{prefix}/status"

    def charger(self, charger: ChargerId) -> str:
        return f"{self.prefix}/chargers/{charger.encoded}"


class HandClock:
    """A clock that goes on when the test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def snapshot(*connectors: dict[str, Any], charger: ChargerId = BOX, removed: bool = False, **known: Any) -> Snapshot:
    """A charger with these connectors, numbered as EVSEs of one connector each; `known` is of its own state."""
    fields = {"availability": b"online", "memory": b"{}", "charger": to_json({**new_charger(charger), **known})}
    for number, state in enumerate(connectors, start=1):
        place = (state.pop("evse_id", number), state.pop("connector_id", 1))
        fields[f"connector/{place[0]}/{place[1]}"] = to_json({**new_connector(*place), **state})
    return Snapshot(charger, {} if removed else fields, removed=removed)


class Home:
    """Announcements with a clock of the test's own, and what they have on the broker."""

    def __init__(self, names: Names | None = None, **settings: Any) -> None:
        config = HomeAssistantConfig.model_validate(settings)
        self.clock, self.names = HandClock(), names or Names()
        self.announcements = Announcements(config, Documents(config, "1.2.3"), self.clock)
        self.announcements.choose(Chosen(config))
        self.broker: dict[str, dict[str, Any]] = {}

    def see(self, one: Snapshot, *, after: float = 0.0) -> dict[str, dict[str, Any]]:
        """Show a snapshot after so many seconds; what stands on the broker then, by topic."""
        self.clock.time += after
        for topic, payload in self.announcements.messages(one, self.names):
            if payload:
                self.broker[topic] = json.loads(payload)
            else:
                self.broker.pop(topic, None)
        return self.broker

    def announced(self, one: Snapshot) -> dict[str, dict[str, Any]]:
        """What stands on the broker once a snapshot was looked at for long enough."""
        self.see(one)
        return self.see(one, after=60)

    def components(self, one: Snapshot) -> dict[str, dict[str, Any]]:
        """The components of the charger's own document that are shown."""
        document = next(iter(self.announced(one).values()))
        return {key: part for key, part in document["components"].items() if len(part) > 1}

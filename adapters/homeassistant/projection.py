"""Chargers announced on the broker: which, when, and what of it is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from adapters.homeassistant.chosen import Chosen
from adapters.homeassistant.config import HomeAssistantConfig
from adapters.homeassistant.documents import Documents
from adapters.homeassistant.facts import ChargerFacts, read_facts
from gateway.core.clock import Clock
from gateway.core.identity import ChargerId
from gateway.core.ports import RetainedMessage, Snapshot, TopicNames

_log = structlog.get_logger(__name__)

SETTLE_SECONDS = 2.0
"""How long a charger is looked at before it is announced: it may be just telling what it is, and how many connectors it
has."""
PAUSE_SECONDS = 5.0
"""Between two different announcements of a charger. Home Assistant drops what comes while it is busy with the last."""


@dataclass(slots=True)
class _Announced:
    seen_at: float
    fields: dict[str, bytes] = field(default_factory=dict)
    facts: ChargerFacts | None = None
    """As they stand, with what was seen earlier."""
    told: ChargerFacts | None = None
    told_at: float = 0.0
    documents: list[RetainedMessage] = field(default_factory=list)

    @property
    def has_news(self) -> bool:
        """Whether it is to be announced otherwise than it was; at first only once it has said anything of itself."""
        if self.facts is None or self.facts == self.told:
            return False
        return self.told is not None or self.facts.has_spoken


class Announcements:
    """The Projection of Home Assistant's discovery documents."""

    name = "homeassistant"

    def __init__(self, config: HomeAssistantConfig, documents: Documents, clock: Clock) -> None:
        self._max, self._documents, self._clock = config.max_chargers, documents, clock
        self._announced: dict[ChargerId, _Announced] = {}
        self._chosen: Chosen | None = None
        self._is_full = False

    def choose(self, chosen: Chosen) -> bool:
        """Announce these from now on, and what comes to join them; before the first call nothing is announced. Returns
        whether one that is announced is to be withdrawn."""
        self._chosen = chosen
        return any(one.told is not None and charger not in chosen for charger, one in self._announced.items())

    def messages(self, snapshot: Snapshot, topics: TopicNames) -> Iterable[RetainedMessage]:
        charger = snapshot.charger
        if self._chosen is None:
            return ()
        if not self._chosen.admit(charger):
            return self._withdrawn(charger, topics)
        one = self._announced.get(charger)
        if one is None:
            one = self._announced[charger] = _Announced(self._clock.monotonic())
        if not _is_same(one.fields, snapshot):
            one.fields = {name: value for name, value in snapshot.fields.items() if _matters(name)}
            facts = read_facts(one.fields)
            one.facts = one.facts if facts is None else facts.or_earlier(one.facts)
        if one.facts is not None and one.has_news and self._wait(one) <= 0:
            one.documents = self._documents.of(charger, one.facts, topics)
            one.told, one.told_at = one.facts, self._clock.monotonic()
        return one.documents

    def due_again(self, charger: ChargerId) -> float | None:
        if self._chosen is None:
            return SETTLE_SECONDS
        one = self._announced.get(charger)
        if one is None or not one.has_news or charger not in self._chosen:
            return None
        return max(0.0, self._wait(one))

    def clearing(
        self, charger: ChargerId, connectors: Sequence[tuple[int, int]], topics: TopicNames
    ) -> Iterable[RetainedMessage]:
        one = self._announced.pop(charger, None)
        self._is_full = False
        if self._chosen is not None:
            self._chosen.remove(charger)
        if one is not None and one.facts is not None:
            known = [(connector.evse_id, connector.connector_id) for connector in one.facts.connectors]
            return self._documents.clearing(charger, known, topics) if one.told is not None else ()
        # Announced by another node, or by this one in an earlier life. Without its connectors it was cleared before.
        return self._documents.clearing(charger, [*connectors], topics) if connectors else ()

    def _withdrawn(self, charger: ChargerId, topics: TopicNames) -> Iterable[RetainedMessage]:
        """What clears one that is not among the chosen, where it was announced."""
        if not self._is_full:
            self._is_full = True
            _log.info("not every charger is announced to Home Assistant; [homeassistant] max_chargers is the limit",
                      limit=self._max)  # fmt: skip
        one = self._announced.get(charger)
        if one is None:
            return ()
        if one.told is not None:
            known = [(connector.evse_id, connector.connector_id) for connector in one.told.connectors]
            one.told, one.documents = None, self._documents.clearing(charger, known, topics)
        return one.documents

    def _wait(self, one: _Announced) -> float:
        """Seconds until it may be announced as it is now."""
        from_when = one.seen_at + SETTLE_SECONDS if one.told is None else one.told_at + PAUSE_SECONDS
        return from_when - self._clock.monotonic()


def _matters(name: str) -> bool:
    return name == "charger" or name.startswith("connector/")


def _is_same(known: dict[str, bytes], snapshot: Snapshot) -> bool:
    """Most snapshots of a charger that is announced differ in their measured values; they are few, and soon read."""
    fields = snapshot.fields
    return all(fields.get(name) == value for name, value in known.items()) and known.keys() == {
        name for name in fields if _matters(name)
    }

"""What a charger's retained state tells of what it has, and can do: what its documents are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_LEAST_OFFERED = 6.0
"""IEC 61851-1 knows no lower current, so that an offer of less says nothing of what the charger could."""


@dataclass(frozen=True, slots=True)
class ConnectorFacts:
    """One connector. `measurands` are those of its state; `currency` is None where no cost was told in one."""

    evse_id: int
    connector_id: int
    measurands: frozenset[str] = frozenset()
    has_register: bool = False
    has_cost: bool = False
    currency: str | None = None
    max_offered_a: float | None = None

    def or_earlier(self, earlier: "ConnectorFacts") -> "ConnectorFacts":
        """What was seen once stays seen."""
        offered = [one for one in (self.max_offered_a, earlier.max_offered_a) if one is not None]
        return ConnectorFacts(
            self.evse_id,
            self.connector_id,
            self.measurands | earlier.measurands,
            self.has_register or earlier.has_register,
            self.has_cost or earlier.has_cost,
            self.currency or earlier.currency,
            max(offered, default=None),
        )


@dataclass(frozen=True, slots=True)
class ChargerFacts:
    """A charger as its documents show it."""

    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    connectors: tuple[ConnectorFacts, ...]

    @property
    def is_one(self) -> bool:
        """Whether charger and connector are one device."""
        return len(self.connectors) == 1

    @property
    def has_spoken(self) -> bool:
        """Whether it has said what it is, or what it has: a mistyped address makes a charger that never does."""
        return bool(self.connectors) or self.vendor is not None or self.model is not None

    def or_earlier(self, earlier: "ChargerFacts | None") -> "ChargerFacts":
        """The same with what was seen of its connectors before."""
        if earlier is None:
            return self
        known = {(one.evse_id, one.connector_id): one for one in earlier.connectors}
        connectors = tuple(one.or_earlier(known.get((one.evse_id, one.connector_id), one)) for one in self.connectors)
        return ChargerFacts(self.vendor, self.model, self.serial_number, self.firmware_version, connectors)


def read_facts(fields: Mapping[str, bytes]) -> ChargerFacts | None:
    """The facts in a snapshot's public fields; None where the charger's own is missing, or cannot be read."""
    charger = _object(fields.get("charger"))
    if charger is None:
        return None
    connectors = sorted(
        (_connector(name, _object(value) or {}) for name, value in fields.items() if name.startswith("connector/")),
        key=lambda one: (one.evse_id, one.connector_id),
    )
    return ChargerFacts(
        vendor=_text(charger.get("vendor")),
        model=_text(charger.get("model")),
        serial_number=_text(charger.get("serial_number")),
        firmware_version=_text(charger.get("firmware_version")),
        connectors=tuple(connectors),
    )


def _connector(name: str, state: dict[str, Any]) -> ConnectorFacts:
    _, evse_id, connector_id = name.split("/", 2)
    shown = [one for one in (state.get("transaction"), state.get("last_transaction")) if isinstance(one, dict)]
    priced = [one for one in shown if one.get("cost") is not None]
    offered = state.get("max_offered_a")
    return ConnectorFacts(
        int(evse_id),
        int(connector_id),
        frozenset(one for one in state.get("measurands") or () if isinstance(one, str)),
        state.get("energy_register_wh") is not None,
        bool(priced),
        next((_text(one.get("currency")) for one in priced if one.get("currency")), None),
        float(offered) if isinstance(offered, int | float) and offered >= _LEAST_OFFERED else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _object(value: bytes | None) -> dict[str, Any] | None:
    try:
        parsed = None if value is None else orjson.loads(value)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None

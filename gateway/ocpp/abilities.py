"""What a charger says that its charging profiles may look like, as chargers write it."""

from dataclasses import dataclass
from typing import Any, Literal

from gateway.ocpp.fields import to_integer, to_text

RateUnit = Literal["A", "W"]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a charger says that it can; None is unknown."""

    units: frozenset[RateUnit] = frozenset()
    max_stack_level: int | None = None


def units_of(value: Any) -> frozenset[RateUnit]:
    """The units of a list as chargers write it: `Current,Power`, `A,W`, `Amps` ..."""
    written = (to_text(value) or "").lower().replace(";", ",").replace(" ", ",").split(",")
    found: set[RateUnit] = set()
    if any(word in ("a", "current") or word.startswith("amp") for word in written):
        found.add("A")
    if any(word in ("w", "power") or word.startswith("watt") for word in written):
        found.add("W")
    return frozenset(found)


def level_of(value: Any) -> int | None:
    """A stack level as chargers write it."""
    level = to_integer(value)
    return level if level is not None and level >= 0 else None

"""How chargers are made: drawn from the seed, each in its own way odd."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from tests.chaos.run.truth import Version

Clock = Literal["right", "seconds", "1970", "stuck"]
"""How a charger's clock goes: `seconds` is right, and has whole seconds only."""


@dataclass(frozen=True)
class Traits:
    """How a charger is made. `register`: what its samples count; `unnamed`: they do not say whose they are."""

    clock: Clock = "right"
    register: Literal["lifetime", "kwh", "session"] = "lifetime"
    evses: int = 1
    unnamed: bool = False
    same_ids: bool = False
    """It sends again under the old message id."""
    echoes: float = 0.0
    """How often it sends twice at once."""
    leaps: bool = False
    """It opens a second connection beside the first."""


class Moments:
    """A charger's clock."""

    def __init__(self, kind: Clock) -> None:
        self._kind = kind
        self._shift = datetime.now(UTC).timestamp() if kind == "1970" else 0.0

    def now(self) -> str:
        if self._kind == "stuck":
            return "1970-01-01T00:00:00Z"
        moment = datetime.fromtimestamp(datetime.now(UTC).timestamp() - self._shift, UTC)
        if self._kind == "seconds":
            return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def is_past(self) -> bool:
        return self._kind in ("1970", "stuck")

    @property
    def step(self) -> float:
        """Seconds after which it certainly shows another time."""
        return 1.05 if self._kind == "seconds" else 0.01


def traits_of(seed: str, number: int, version: Version) -> Traits:
    """How the fleet's charger of this number is made."""
    draw = random.Random(f"{seed}/{number}/traits")
    evses = 2 if draw.random() < 0.25 else 1
    clocks = ["right"] * 5 + ["seconds"] * 3 + ["1970"] + (["stuck"] if version == "1.6" else ["1970"])
    clock = draw.choice(clocks)
    registers = ["lifetime"] * 5 + ["kwh"] * 2 + (["session"] if version == "1.6" else [])
    return Traits(
        clock=clock,  # type: ignore[arg-type]
        register=draw.choice(registers),  # type: ignore[arg-type]
        evses=evses,
        unnamed=version == "1.6" and clock in ("right", "seconds") and draw.random() < 0.15,
        same_ids=draw.random() < 0.4,
        echoes=draw.choice([0.0, 0.0, 0.05, 0.3]),
        leaps=draw.random() < 0.2,
    )

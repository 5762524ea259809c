"""What a home sets, and how each of it ended."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

ENDED_BY_NEWER = "superseded"


@dataclass
class Wish:
    """One value that was set. `excused`: it was sent while the broker or the gateway was away, and may be lost."""

    id: str
    charger: str
    attribute: str
    value: str
    at: float
    """By the fast clock."""
    excused: bool
    sent: float = field(default_factory=time.monotonic)
    told: float | None = None
    outcomes: list[str] = field(default_factory=list)
    reasons: list[str | None] = field(default_factory=list)

    @property
    def outcome(self) -> str | None:
        return self.outcomes[0] if self.outcomes else None

    @property
    def failed(self) -> bool:
        """Whether it ended as what a home calls a problem."""
        return self.outcome not in (None, "accepted", ENDED_BY_NEWER)

    def __str__(self) -> str:
        told = "; ".join(f"{a} ({b})" for a, b in zip(self.outcomes, self.reasons, strict=True)) or "nothing told"
        return f"{self.charger} {self.attribute}={self.value}: {told}"


@dataclass(frozen=True)
class Wanted:
    """What a wallbox shall hold by what was accepted: the limit in A, None without one, and whether it is paused."""

    limit_a: float | None = None
    paused: bool = False

    @property
    def allowed_w(self) -> float | None:
        """What that comes to on three phases."""
        if self.paused:
            return 0.0
        return None if self.limit_a is None else self.limit_a * 230 * 3


def wanted(wishes: Iterable[Wish]) -> Wanted:
    """What follows from the accepted ones, in the order in which they were set."""
    limit_a: float | None = None
    paused = False
    for wish in wishes:
        if wish.outcome != "accepted":
            continue
        if wish.attribute == "limit_a":
            limit_a = None if wish.value == "none" else float(wish.value)
        elif wish.attribute == "paused":
            paused = wish.value == "ON"
        elif wish.value == "ON":
            # Whoever starts wants no pause.
            paused = False
    return Wanted(limit_a, paused)

"""The car at an outlet of a virtual charger."""

from dataclasses import dataclass

from gateway.simulator.limits import PHASES


@dataclass(slots=True)
class Car:
    """What a car takes: at most `power_w`, on so many phases, until it is full, and nothing while it is `resting`."""

    power_w: float
    soc: float
    battery_wh: float = 60_000.0
    phases: int = PHASES
    resting: bool = False

    @property
    def is_hungry(self) -> bool:
        """Whether it takes what it is given."""
        return self.soc < 100 and not self.resting

    def takes_w(self, allowed_w: float | None) -> float:
        """What it takes of what all phases together may carry; None: no limit."""
        if not self.is_hungry:
            return 0.0
        return self.power_w if allowed_w is None else max(0.0, min(self.power_w, allowed_w * self.phases / PHASES))

    def charge(self, energy_wh: float) -> None:
        """The battery rises."""
        self.soc = min(100.0, self.soc + 100 * energy_wh / self.battery_wh)

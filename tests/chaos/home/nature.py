"""What a home does not decide: the price of electricity and what the sun gives."""

import random
from math import pi, sin


class Nature:
    """Prices that hold for half an hour, or less on a short day, and a sky with clouds, both drawn from the seed."""

    def __init__(self, seed: str, hours: float) -> None:
        dice = random.Random(f"nature {seed}")
        self.slot = min(0.5, hours / 16)
        """Hours for which a price holds."""
        self.prices = [round(dice.uniform(8, 40), 1) for _ in range(16)]
        self._dice = random.Random(f"sky {seed}")
        self._cloud, self._cloud_ends = 1.0, 0.0

    def slot_at(self, elapsed: float) -> int:
        """Which slot it is, by the seconds since the beginning."""
        return int(elapsed / 3600 / self.slot)

    def is_cheap(self, elapsed: float) -> bool:
        """Whether the price is among the lower ones."""
        return self.prices[self.slot_at(elapsed) % 16] <= sorted(self.prices)[8]

    def surplus_w(self, elapsed: float, hour: float) -> float:
        """What the roof gives beyond what the house takes: noisy, and less under a cloud."""
        if elapsed >= self._cloud_ends:
            self._cloud = self._dice.choice((1.0, 1.0, 0.6, 0.3, 0.1))
            self._cloud_ends = elapsed + self._dice.uniform(60, 900)
        sun = max(0.0, sin((hour - 6) / 14 * pi)) if 6 <= hour <= 20 else 0.0
        return 9_000 * sun * self._cloud * self._dice.uniform(0.93, 1.07) - self._dice.uniform(250, 900)

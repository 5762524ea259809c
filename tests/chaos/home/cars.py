"""Cars that come and go."""

import asyncio
import random
import time
from collections.abc import Callable

from gateway.simulator import Car, Wallbox
from tests.chaos.home.clock import FastTime


class Parking:
    """One car at its wallbox: it comes, stays, pauses by itself for a while, and goes, as the seed has it."""

    def __init__(
        self, wallbox: Wallbox, clock: FastTime, hours: float, seed: str, *, car: Callable[[float], Car]
    ) -> None:
        self.arrivals = self.rests = 0
        self._wallbox, self._clock, self._car = wallbox, clock, car
        self._day = hours * 3600
        self._dice = random.Random(f"{wallbox.identity} {seed}")

    async def live(self, on_leaving: Callable[[], None]) -> None:
        """Come and go until cancelled; `on_leaving` is called where something may be asked of a car that has gone."""
        while True:
            await self._clock.sleep(self._dice.uniform(0.01, 0.06) * self._day)
            self.arrivals += 1
            self._wallbox.plug_in(self._car(self._dice.uniform(15, 85)))
            stay = self._dice.uniform(0.15, 0.3) * self._day
            await self._clock.sleep(stay * self._dice.uniform(0.3, 0.6))
            self.rests += 1
            self._wallbox.rest(True)
            await self._clock.sleep(0.1 * stay)
            self._wallbox.rest(False)
            await self._clock.sleep(0.2 * stay)
            on_leaving()
            self._wallbox.unplug()


async def drive_away(wallbox: Wallbox, seconds: float) -> bool:
    """Let the car go for good; False where its transaction did not end, or was not told, in time."""
    wallbox.unplug()
    deadline = time.monotonic() + seconds
    while wallbox.outlet.transaction is not None or wallbox.unsent:
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(0.02)
    return True

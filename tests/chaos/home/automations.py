"""What a home sets: by the tariff, by the sun, and a hand on the slider."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.chaos.home.clock import FastTime
from tests.chaos.home.hub import Hub
from tests.chaos.home.nature import Nature

LEAST_A = 6.0
AGAIN = 180.0
"""Seconds of the fast clock after which an automation asks again for what has not come true."""


class Gate:
    """Lets automations act, unless somebody looks closely."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    async def passed(self) -> None:
        await self._open.wait()

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()


class Tariff:
    """Charges while it is cheap: starts, pauses and resumes, or stops, by turns."""

    def __init__(self, hub: Hub, charger: str, clock: FastTime, nature: Nature, gate: Gate, seed: str) -> None:
        self._hub, self._charger, self._clock, self._nature, self._gate = hub, charger, clock, nature, gate
        self._dice = random.Random(f"hand {seed}")
        self._asked: tuple[str, str] = "", ""
        self._asked_at = 0.0
        self.limit_a = 16.0

    async def live(self) -> None:
        """Look every minute."""
        async for _ in self._clock.every(60):
            await self._gate.passed()
            state = self._hub.places[self._charger].state
            runs, elapsed = state.get("transaction") is not None, self._clock.elapsed
            if self._nature.is_cheap(elapsed):
                if not runs and state.get("plugged"):
                    self._ask("charging", "ON")
                elif runs and state.get("paused"):
                    self._ask("paused", "OFF")
            elif runs and not state.get("paused"):
                stops = self._nature.slot_at(elapsed) % 3 == 0
                self._ask("charging" if stops else "paused", "OFF" if stops else "ON")

    async def slide(self, pause: float) -> None:
        """A hand on the dashboard's slider now and then: many values in three seconds."""
        while True:
            await self._clock.sleep(self._dice.uniform(0.5, 1.5) * pause)
            for _ in range(15):
                await self._gate.passed()
                self.limit_a = float(self._dice.randint(6, 16))
                self._hub.set(self._charger, "limit_a", self.limit_a)
                await self._clock.sleep(0.2)

    def _ask(self, attribute: str, value: str) -> None:
        now = self._clock.now()
        if self._asked != (attribute, value) or now - self._asked_at >= AGAIN:
            self._asked, self._asked_at = (attribute, value), now
            self._hub.set(self._charger, attribute, value)


class Surplus:
    """Follows the sun: a new limit every ten seconds; too little for a car is a pause, or a limit of nothing."""

    def __init__(self, hub: Hub, charger: str, clock: FastTime, nature: Nature, gate: Gate, seed: str) -> None:
        self._hub, self._charger, self._clock, self._nature, self._gate = hub, charger, clock, nature, gate
        self._dice = random.Random(f"surplus {seed}")
        self._pauses = False
        self._by_limit = False
        self._asked_at = 0.0
        self.limit_a = 0.0

    async def live(self) -> None:
        async for _ in self._clock.every(10):
            await self._gate.passed()
            self._start()
            watts = self._nature.surplus_w(self._clock.elapsed, self._clock.hour_of_day)
            amperes = round(min(32.0, watts / 230), 1)
            if amperes >= LEAST_A:
                if (self._pauses and not self._by_limit) or self._hub.places[self._charger].state.get("paused"):
                    self._hub.set(self._charger, "paused", "OFF")
                self._pauses = False
                self._limit(amperes)
                continue
            if not self._pauses:
                self._pauses, self._by_limit = True, self._dice.random() < 0.5
            if self._by_limit:
                self._limit(0)
            else:
                self._hub.set(self._charger, "paused", "ON")

    def _start(self) -> None:
        """Whoever plugs in wants to charge."""
        state, now = self._hub.places[self._charger].state, self._clock.now()
        if state.get("plugged") and state.get("transaction") is None and now - self._asked_at >= AGAIN:
            self._asked_at = now
            self._hub.set(self._charger, "charging", "ON")

    def _limit(self, amperes: float) -> None:
        self.limit_a = amperes
        self._hub.set(self._charger, "limit_a", amperes)

"""What goes wrong on the way: the broker and the gateway restart, a charger boots, a line fails."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.simulator import Wallbox
from tests.chaos.home.clock import FastTime
from tests.chaos.home.hub import Hub
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import Mosquitto

KINDS = ("broker", "reboot", "gateway", "line")
AFTERMATH = 3.0
"""Seconds after its end in which a mishap still explains why something failed."""


@dataclass
class Mishap:
    """From when to when (monotonic) it explains what failed: at these chargers, or at all."""

    kind: str
    charger: str | None
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None

    def explains(self, charger: str, began: float, ended: float) -> bool:
        return (
            self.charger in (None, charger)
            and began <= (self.ended or began) + AFTERMATH
            and ended >= self.began - AFTERMATH
        )


class Mishaps:
    """Brings about one of each kind, at times of the day that the seed draws."""

    def __init__(
        self,
        hub: Hub,
        wallboxes: dict[str, Wallbox],
        limits: dict[str, Callable[[], float]],
        gateway: GatewayProcess,
        broker: Mosquitto,
    ) -> None:
        self.all: list[Mishap] = []
        self._hub, self._wallboxes, self._limits = hub, wallboxes, limits
        self._gateway, self._broker = gateway, broker

    async def live(self, clock: FastTime, hours: float, seed: str, say: Callable[[str], None]) -> None:
        """All of them, spread over the day, one after the other."""
        dice = random.Random(f"mishaps {seed}")
        kinds = list(KINDS)
        dice.shuffle(kinds)
        for turn, kind in enumerate(kinds):
            await clock.sleep((0.15 + 0.2 * turn + dice.uniform(0, 0.1)) * hours * 3600 - clock.elapsed)
            charger = dice.choice(sorted(self._wallboxes))
            say(f"{clock.hour_of_day:5.2f} h  {kind}{'' if kind in ('broker', 'gateway') else f' of {charger}'}")
            await self.one(kind, charger)

    async def one(self, kind: str, charger: str) -> None:
        match kind:
            case "broker":
                await self._away(kind, self._restart_broker)
            case "gateway":
                await self._away(kind, self._restart_gateway)
            case "reboot":
                with self._noted(kind, charger):
                    boots = self._wallboxes[charger].recorder.report.sent["BootNotification"]
                    self._hub.command(charger, "reset", {"type": "immediate"})
                    await self._hub.until(
                        lambda: self._wallboxes[charger].recorder.report.acknowledged["BootNotification"] > boots,
                        f"{charger} did not boot",
                    )
                    await self._back(charger)
            case _:
                with self._noted(kind, charger):
                    connections = self._wallboxes[charger].recorder.report.connections
                    await self._wallboxes[charger].lose_line()
                    await self._hub.until(
                        lambda: self._wallboxes[charger].recorder.report.connections > connections,
                        f"{charger} did not connect again",
                    )
                    await self._back(charger)

    @contextmanager
    def _noted(self, kind: str, charger: str | None) -> Iterator[None]:
        mishap = Mishap(kind, charger)
        self.all.append(mishap)
        try:
            yield
        finally:
            mishap.ended = time.monotonic()

    def gone(self, charger: str) -> None:
        """A car leaves: what is asked for it in this moment may fail."""
        now = time.monotonic()
        self.all.append(Mishap("car gone", charger, now, now))

    async def _away(self, kind: str, restart: Callable[[], None]) -> None:
        """Restart a part while the home goes on: what was set before must be told, what is set now may be lost."""
        async with self._hub.calm:
            with self._noted(kind, None):
                await self._restarted(restart)

    async def _restarted(self, restart: Callable[[], None]) -> None:
        self._hub.excuse()
        await self._hub.settled()
        await asyncio.to_thread(restart)
        await self._hub.until(lambda: self._hub.online, "the gateway is not online again")
        for charger in self._wallboxes:
            await self._back(charger)
        first, *_ = self._wallboxes
        await self._hub.heard_again(first, self._limits[first])
        for charger in self._wallboxes:
            # What was set and got lost, or whose outcome did, is set again.
            paused = self._hub.places[charger].state.get("paused")
            self._hub.set(charger, "limit_a", self._limits[charger]())
            self._hub.set(charger, "paused", "ON" if paused else "OFF")

    async def _back(self, charger: str) -> None:
        await self._hub.until(lambda: self._hub.places[charger].available, f"{charger} is not available again")

    def _restart_broker(self) -> None:
        self._broker.stop()
        self._broker.start()

    def _restart_gateway(self) -> None:
        self._gateway.stop()
        self._gateway.start()

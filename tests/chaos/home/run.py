"""One day of a home, from its start to its end."""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.simulator import Car, SimulatorOptions, Version, Wallbox
from tests.chaos.home.automations import Gate, Surplus, Tariff
from tests.chaos.home.books import Calls, closer_look, flaws_of_energy, flaws_of_pace, flaws_of_wishes
from tests.chaos.home.cars import Parking, drive_away
from tests.chaos.home.clock import FastTime
from tests.chaos.home.hub import Hub
from tests.chaos.home.mishaps import Mishaps
from tests.chaos.home.nature import Nature
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import Mosquitto, Valkey

WALLBOXES: dict[str, Version] = {"garage": "1.6", "carport": "2.0.1"}
"""The garage follows the tariff, the carport the sun."""
SET_INTERVAL, STATE_INTERVAL, SAMPLE_INTERVAL = 5.0, 30.0, 30.0
"""Seconds of the fast clock, as a home has them by default."""
MARGIN = 48.0
"""Hours by which a day may be too long."""


@dataclass(frozen=True)
class Plan:
    """How long a day, how fast, from which hour on."""

    seed: str
    hours: float = 24.0
    speed: float = 300.0
    hour: float = 6.0
    looks: int = 12
    """How often everything is looked at closely on the way."""


@dataclass
class Outcome:
    """What a day came to."""

    plan: Plan
    flaws: list[str]
    calls: dict[str, tuple[int, float, int]] = field(default_factory=dict)
    """By charger: the most and the median of a minute, and all."""
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    excused: int = 0
    energy: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By charger: transactions, and their Wh."""
    mishaps: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    arrivals: int = 0
    rests: int = 0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return not self.flaws


def new_seed() -> str:
    return secrets.token_hex(4)


class Day:
    """The home and all that belongs to it; `go` lives through the day."""

    def __init__(self, plan: Plan, folder: Path, valkey: Valkey, broker: Mosquitto) -> None:
        self.plan = plan
        self.gateway = GatewayProcess(
            folder,
            redis_url=valkey.url,
            mqtt_url=broker.url,
            settings={
                "mqtt": {
                    "set_interval": SET_INTERVAL / plan.speed,
                    "state_interval": max(0.1, STATE_INTERVAL / plan.speed),
                }
            },
        )
        self._broker = broker

    async def go(self, say: Callable[[str], None]) -> Outcome:
        began = time.monotonic()
        await asyncio.to_thread(self.gateway.start)
        try:
            # No charger's time may lie in the future, not even where the day takes longer than it should.
            clock = FastTime(time.time() - (self.plan.hours + MARGIN) * 3600, self.plan.speed, self.plan.hour)
            async with Hub(self._broker.port, list(WALLBOXES), clock.now) as hub:
                outcome = await self._live(hub, clock, say)
        finally:
            if self.gateway.runs:
                await asyncio.to_thread(self.gateway.stop)
        outcome.seconds = time.monotonic() - began
        return outcome

    async def _live(self, hub: Hub, clock: FastTime, say: Callable[[str], None]) -> Outcome:
        calls = {charger: Calls(clock.now) for charger in WALLBOXES}
        boxes = {charger: self._wallbox(charger, clock, calls[charger]) for charger in WALLBOXES}
        outcome = Outcome(self.plan, hub.flaws)
        async with asyncio.TaskGroup() as tasks:
            for box in boxes.values():
                tasks.create_task(box.run(), name=box.identity)
            try:
                await self._first_readings(hub)
                first = clock.now()
                await self._day(hub, clock, boxes, calls, outcome, say)
                last = clock.now()
                await closer_look(hub, boxes)
                for charger, box in boxes.items():
                    if not await drive_away(box, 60):
                        hub.flaws.append(f"{charger}: its last transaction did not end, or {box.unsent} are unsent")
                await self._close_the_books(hub, calls, outcome, first, last)
            finally:
                for box in boxes.values():
                    box.leave()
        return outcome

    def _wallbox(self, charger: str, clock: FastTime, calls: Calls) -> Wallbox:
        options = SimulatorOptions(
            url=self.gateway.charger_url,
            version=WALLBOXES[charger],
            ids=(charger,),
            interval=SAMPLE_INTERVAL,
            speed=clock.speed,
            begin=clock.now(),
            seed=random.Random(f"{charger} {self.plan.seed}").randrange(1 << 30),
            reconnect_min=0.1,
            reconnect_max=0.5,
        )
        return Wallbox(options, on_event=calls.hear)

    async def _first_readings(self, hub: Hub) -> None:
        """A sensor that begins after the first transaction has would miss some of it."""
        for charger, place in hub.places.items():
            await hub.until(lambda p=place: p.available and p.state.get("plugged") is False, f"{charger} never came")  # type: ignore[misc]
            hub.command(charger, "trigger", {"message": "MeterValues", "evse_id": 1})
            await hub.until(lambda p=place: p.energy.last is not None, f"{charger} never told its register")  # type: ignore[misc]

    async def _day(
        self,
        hub: Hub,
        clock: FastTime,
        boxes: dict[str, Wallbox],
        calls: dict[str, Calls],
        outcome: Outcome,
        say: Callable[[str], None],
    ) -> None:
        plan, gate, nature = self.plan, Gate(), Nature(self.plan.seed, self.plan.hours)
        tariff = Tariff(hub, "garage", clock, nature, gate, plan.seed)
        surplus = Surplus(hub, "carport", clock, nature, gate, plan.seed)
        limits = {"garage": lambda: tariff.limit_a, "carport": lambda: surplus.limit_a}
        mishaps = Mishaps(hub, boxes, limits, self.gateway, self._broker)
        cars: dict[str, Callable[[float], Car]] = {
            "garage": lambda soc: Car(11_000, soc),
            "carport": lambda soc: Car(7_400, soc, battery_wh=40_000, phases=1),
        }
        parkings = {
            charger: Parking(box, clock, plan.hours, plan.seed, car=cars[charger]) for charger, box in boxes.items()
        }
        async with asyncio.TaskGroup() as tasks:
            troubles = tasks.create_task(mishaps.live(clock, plan.hours, plan.seed, say), name="mishaps")
            life = [
                tasks.create_task(tariff.live(), name="tariff"),
                tasks.create_task(tariff.slide(min(7200, plan.hours * 400)), name="slider"),
                tasks.create_task(surplus.live(), name="surplus"),
                tasks.create_task(self._looks(hub, clock, boxes, gate, outcome), name="closer looks"),
            ]
            for charger, parking in parkings.items():
                leaving = lambda c=charger: mishaps.gone(c)  # noqa: E731
                life.append(tasks.create_task(parking.live(leaving), name=f"car of the {charger}"))
            await clock.sleep(plan.hours * 3600 - clock.elapsed)
            await troubles
            # Where restarts took long, little else may have happened.
            await hub.until(
                lambda: outcome.looks > 0 and all(heard.transactions for heard in calls.values()),
                "not every car charged, or nobody looked closely",
            )
            for task in life:
                task.cancel()
        outcome.mishaps = Counter(one.kind for one in mishaps.all if one.kind != "car gone")
        outcome.arrivals = sum(parking.arrivals for parking in parkings.values())
        outcome.rests = sum(parking.rests for parking in parkings.values())
        self._mishaps = mishaps.all

    async def _looks(self, hub: Hub, clock: FastTime, boxes: dict[str, Wallbox], gate: Gate, outcome: Outcome) -> None:
        """A closer look at random instants."""
        dice = random.Random(f"looks {self.plan.seed}")
        while True:
            await clock.sleep(dice.uniform(0.5, 1.5) * self.plan.hours * 3600 / self.plan.looks)
            async with gate.closed(), hub.calm:
                await closer_look(hub, boxes)
            outcome.looks += 1

    async def _close_the_books(
        self, hub: Hub, calls: dict[str, Calls], outcome: Outcome, first: float, last: float
    ) -> None:
        await hub.settled()
        async with self.gateway.client() as rest:
            for charger, place in hub.places.items():
                began = len(calls[charger].transactions)
                await hub.until(
                    lambda p=place, n=began: p.state.get("transaction") is None and len(p.last_transactions) == n,  # type: ignore[misc]
                    f"{charger}: {began} transactions began, the sensors showed {len(place.last_transactions)} ends",
                    20,
                )
                records = await _records(rest, charger)
                hub.flaws += flaws_of_energy(place, records, began)
                outcome.energy[charger] = len(records), sum(record["energy_wh"] or 0 for record in records)
        hub.flaws += flaws_of_wishes(hub.wishes, self._mishaps)
        for charger, heard in calls.items():
            hub.flaws += flaws_of_pace(heard, hub.wishes, charger, SET_INTERVAL)
            every = sum(counted.total() for counted in heard.by_minute.values())
            outcome.calls[charger] = heard.most(first, last), heard.median(first, last), every
            outcome.outcomes[charger] = Counter(
                wish.outcome or "lost" for wish in hub.wishes if wish.charger == charger
            )
        outcome.excused = sum(wish.excused and not wish.outcomes for wish in hub.wishes)


async def _records(rest: Any, charger: str) -> list[dict[str, Any]]:
    """All transactions of a charger."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"charger_id": charger, "limit": 100}
    while True:
        page = (await rest.get("/v1/transactions", params=query)).raise_for_status().json()
        found += page["items"]
        if page.get("next") is None:
            return found
        query["after"] = page["next"]

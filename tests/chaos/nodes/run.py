"""One run: a fleet charges and is commanded while nodes come and go; then all is healed, and the books are checked."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis.asyncio as redis_client

from tests.chaos.nodes.books import ANSWERED, check
from tests.chaos.nodes.charger import Habits
from tests.chaos.nodes.evidence import Breach, Evidence
from tests.chaos.nodes.faults import Injector
from tests.chaos.nodes.herds import Herds
from tests.chaos.nodes.offline import AT_REST
from tests.chaos.nodes.orders import LOST_AFTER, TIMEOUT, Dispatcher
from tests.chaos.nodes.schedule import KINDS, SECONDS, Fault, draw_schedule
from tests.chaos.nodes.timings import Timing, node_log, timings
from tests.chaos.nodes.town import Town
from tests.chaos.run.recorders import PAGE, Rest, end
from tests.chaos.run.recordings import Record
from tests.chaos.subscriber import Subscriber

PROGRESS_SECONDS = 10.0
OPENING_SECONDS = 120.0
REST_SECONDS = 150.0
PULSE_SECONDS = 0.1
STARVING = 10
"""The part of a term by which this process may be late, before what a slow node does is put down to the machine."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to run. `seed` alone decides what goes wrong when, and who says and asks what.

    `schedule` stands in the place of one that is drawn; `empties`: seconds after the start at which Redis loses all it
    has; `settle`: wait, at the end, for the outcome of every command whose node died; `quiet`: seconds of nothing new
    after which nothing more is waited for; `spread`: seconds in which the chargers come at the beginning. `nameless`:
    send commands over MQTT without an id, too. `settings` are added to the nodes' configuration.
    """

    seed: str
    seconds: float = 600.0
    nodes: int = 3
    chargers: int = 3000
    faults: int = 40
    pause: float = 20.0
    patience: float = 15.0
    leaves: float = 0.1
    away: tuple[float, float] = (16.0, 25.0)
    rate: float = 10.0
    term: float = 10.0
    rest: float = 12.0
    spread: float = 20.0
    kinds: Sequence[str] = KINDS
    lasting: Mapping[str, tuple[float, float]] = field(default_factory=lambda: SECONDS)
    schedule: Sequence[Fault] | None = None
    empties: Sequence[float] = ()
    redis_away: tuple[float, float] | None = None
    """(seconds after the start, for so many seconds): Redis stands still for all."""
    settle: bool = True
    quiet: float = 3.0
    nameless: bool = False
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def drawn(self) -> list[Fault]:
        """What is to happen."""
        if self.schedule is not None:
            return list(self.schedule)
        return draw_schedule(
            self.seed,
            seconds=self.seconds,
            count=self.faults,
            nodes=self.nodes,
            kinds=self.kinds,
            lasting=self.lasting,
            rest=self.rest,
        )


@dataclass
class Outcome:
    """How a run went."""

    plan: Plan
    folder: Path
    seconds: float = 0.0
    breaches: list[Breach] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    short_of: list[str] = field(default_factory=list)
    """What the run was asked to do, and did not."""
    faults: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    timings: list[Timing] = field(default_factory=list)
    acknowledgements: list[float] = field(default_factory=list)
    commands: list[float] = field(default_factory=list)
    messages: int = 0
    connections: int = 0
    events: int = 0
    repeats: int = 0
    evidence: Evidence | None = None

    @property
    def good(self) -> bool:
        return not (self.breaches or self.surprises or self.short_of)


class Run:
    """Constructed inside the running loop; `go` does it all."""

    def __init__(self, plan: Plan, folder: Path, say: Say) -> None:
        self._plan, self._folder, self._say = plan, folder, say
        self._town = Town(folder, nodes=plan.nodes, term=plan.term, settings=plan.settings)
        self._stopping = asyncio.Event()
        self._emptied: list[float] = []
        self._starved: list[float] = []
        self.outcome = Outcome(plan, folder)

    def stop(self) -> None:
        """End early: heal and check as at the end."""
        self._stopping.set()

    async def go(self) -> Outcome:
        plan, began = self._plan, time.monotonic()
        habits = Habits(plan.pause, plan.patience, plan.leaves, plan.away)
        async with self._town:
            herds = Herds(
                self._folder, plan.chargers, habits, ports=self._town.ports, seed=plan.seed, spread=plan.spread
            )
            with Subscriber(self._town.broker.port) as subscriber:
                rest = Rest(self._town.nodes)
                try:
                    async with herds:
                        await self._work(herds, rest, subscriber)
                finally:
                    await rest.close()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    async def _work(self, herds: Herds, rest: Rest, subscriber: Subscriber) -> None:
        plan = self._plan
        injector = Injector(self._town, self._say)
        dispatcher = Dispatcher(
            rest,
            subscriber,
            herds.chargers,
            plan.seed,
            nodes=plan.nodes,
            rate=plan.rate,
            nameless=plan.nameless,
        )
        progress = asyncio.create_task(self._progress(herds, injector, dispatcher), name="progress")
        pulse = asyncio.create_task(self._feel_the_pulse(), name="pulse")
        try:
            if not await self._until(lambda: herds.open == herds.count, OPENING_SECONDS + plan.spread):
                self.outcome.surprises.append(f"{herds.count - herds.open} chargers never came")
            ordering = asyncio.create_task(dispatcher.run(), name="orders")
            await self._suffer(injector)
            await end(ordering)
            self._say("all is healed; chargers end what they began")
            orders_until = time.monotonic() + (TIMEOUT + LOST_AFTER if plan.settle else 0.0)
            await herds.finish()
            rests = await self._until(lambda: herds.at_rest == herds.open == herds.count, REST_SECONDS, early=False)
            if not rests:
                self.outcome.surprises.append(f"{herds.count - herds.at_rest} chargers came to no rest")
            await dispatcher.settled()
            running = await dispatcher.collect(until=orders_until)
            evidence = await self._evidence(herds, rest, subscriber, injector, dispatcher)
            evidence.running, evidence.settled = running, plan.settle
            self._sum_up(evidence, injector, dispatcher)
        finally:
            await end(progress, pulse)

    async def _suffer(self, injector: Injector) -> None:
        """Carry the schedule out, and let the fleet charge to the end of its time; less where `stop` was called."""
        plan, began = self._plan, time.monotonic()
        suffering = asyncio.create_task(injector.run(plan.drawn()), name="schedule")
        losing = asyncio.create_task(self._redis_fails(injector, began), name="what becomes of Redis")
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        await asyncio.wait([stopping], timeout=plan.seconds)
        injector.stop()
        await asyncio.gather(suffering, losing)
        stopping.cancel()

    async def _redis_fails(self, injector: Injector, began: float) -> None:
        plan = self._plan
        for at in plan.empties:
            if await self._is_over_by(began + at):
                return
            self._say("Redis loses everything")
            async with redis_client.Redis.from_url(self._town.redis.url) as client:
                await client.flushall()
            self._emptied.append(time.time())
        if plan.redis_away is not None:
            at, seconds = plan.redis_away
            if not await self._is_over_by(began + at):
                await injector.without_redis(seconds)

    async def _is_over_by(self, moment: float) -> bool:
        """Wait for a moment (monotonic); whether the run was stopped before."""
        return not await self._until(lambda: time.monotonic() >= moment, 1e9)

    # ------------------------------------------------------------ the end

    async def _evidence(
        self, herds: Herds, rest: Rest, subscriber: Subscriber, injector: Injector, dispatcher: Dispatcher
    ) -> Evidence:
        """All that is known, once nothing new comes any more."""
        log = await self._settled_log(rest, subscriber)
        looked = time.time()
        shown = {one["id"]: one["availability"] for one in await _listed(rest, "/v1/chargers")}
        retained, heard = _retained(subscriber), subscriber.events()
        # What a charger saw at the look is only sure a while after it.
        await asyncio.sleep(1.5 * AT_REST)
        return Evidence(
            await herds.leave(),
            injector.troubles,
            dispatcher.orders,
            Record("the log", log),
            Record("MQTT", heard),
            shown,
            retained,
            looked,
            self._plan.term,
            tuple(self._emptied),
            starved=tuple(self._starved),
            node_logs=[node_log(node.log_file) for node in self._town.nodes],
        )

    async def _settled_log(self, rest: Rest, subscriber: Subscriber) -> list[dict[str, Any]]:
        """The event log, once it has stood still and the broker has handed over what it has."""
        log: list[dict[str, Any]] = []
        after, quiet_since, deadline = "earliest", time.monotonic(), time.monotonic() + OPENING_SECONDS
        heard = -1
        while time.monotonic() < deadline:
            status, body = await rest.get("/v1/events", after=after, limit=PAGE)
            if status != 200:
                self.outcome.surprises.append(f"GET /v1/events said {status}: {body}")
                break
            after = body["next"]
            log += body["items"]
            if body["items"] or len(subscriber.heard) != heard:
                heard, quiet_since = len(subscriber.heard), time.monotonic()
            elif time.monotonic() - quiet_since > self._plan.quiet:
                break
            if not body["items"]:
                await asyncio.sleep(0.3)
        return log

    def _sum_up(self, evidence: Evidence, injector: Injector, dispatcher: Dispatcher) -> None:
        outcome, plan = self.outcome, self._plan
        outcome.evidence = evidence
        outcome.breaches, outcome.timings = check(evidence), timings(evidence)
        outcome.surprises += injector.surprises
        outcome.faults = Counter(trouble.kind for trouble in injector.troubles)
        outcome.commands = dispatcher.took
        for order in dispatcher.orders:
            outcome.orders["/".join(sorted(order.outcomes)) or "never made"] += 1
        said = [message for facts in evidence.facts for message in facts.messages if message.answered is not None]
        outcome.messages, outcome.acknowledgements = len(said), [one.took for one in said]
        outcome.connections = sum(len(facts.connections) for facts in evidence.facts)
        outcome.events, outcome.repeats = len(evidence.heard.events), evidence.heard.repeats
        planned, answered = len(plan.drawn()), sum(bool(order.outcomes & ANSWERED) for order in dispatcher.orders)
        wanted = {
            "faults": (len(injector.troubles), planned),
            "commands": (len(dispatcher.orders), int(plan.rate * plan.seconds * 0.5)),
            "commands that a charger answered": (answered, int(plan.rate * plan.seconds * 0.15)),
            "messages": (len(said), int(plan.chargers * plan.seconds / plan.pause * 0.25)),
        }
        outcome.short_of = [f"{did} {what} of {asked}" for what, (did, asked) in wanted.items() if did < asked]

    async def _until(self, condition: Callable[[], bool], seconds: float, *, early: bool = True) -> bool:
        """Wait for something; False where it did not come in time (or, if `early`, the run was stopped before)."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or (early and self._stopping.is_set()):
                return False
            await asyncio.sleep(0.1)
        return True

    async def _feel_the_pulse(self) -> None:
        """Note when this machine gives its processes so little time that nodes may seem dead."""
        while True:
            asleep = time.monotonic()
            await asyncio.sleep(PULSE_SECONDS)
            if time.monotonic() - asleep - PULSE_SECONDS > self._plan.term / STARVING:
                self._starved.append(time.time())

    async def _progress(self, herds: Herds, injector: Injector, dispatcher: Dispatcher) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            now = f", now {', '.join(injector.active)}" if injector.active else ""
            self._say(
                f"{time.monotonic() - began:5.0f} s: {herds.open} of {herds.count} connected, {herds.waiting} waiting, "
                f"{len(dispatcher.orders)} commands, {len(injector.troubles)} faults{now}"
            )


async def _listed(rest: Rest, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        status, body = await rest.get(path, limit=PAGE, **after)
        if status != 200:
            raise RuntimeError(f"GET {path} said {status}: {body}")
        items += body["items"]
        if body["next"] is None:
            return items
        after = {"after": body["next"]}


def _retained(subscriber: Subscriber) -> dict[str, str | None]:
    """What each charger's availability topic holds now."""
    found: dict[str, str | None] = {}
    for heard in list(subscriber.heard):
        parts = heard.topic.split("/")
        if len(parts) == 4 and parts[3] == "availability":
            found[parts[2]] = heard.text
    return found

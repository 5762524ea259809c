"""One run: a fleet charges while the schedule is carried out; then all is healed, and the books are checked."""

import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.chaos.run.books import Books
from tests.chaos.run.chargers import Charger, Tally
from tests.chaos.run.faults import Injector, Recovery
from tests.chaos.run.orders import LONGEST_WAIT, LOST_AFTER, TIMEOUT, Dispatcher
from tests.chaos.run.recorders import EventPoller, Rest, TransactionPoller, all_records, end, some_samples
from tests.chaos.run.recordings import Discrepancy
from tests.chaos.run.schedule import ALL, draw_schedule
from tests.chaos.run.town import Town
from tests.chaos.run.traits import traits_of
from tests.chaos.run.truth import Version
from tests.chaos.subscriber import Subscriber
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import Mosquitto

PROGRESS_SECONDS = 10.0
SLOW_TRANSACTION = 15.0
"""Pauses that a charger's transaction takes where much goes wrong: four times as many as usual."""
DRAIN_SECONDS = 120.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to run. `seed` alone decides who charges what, and what goes wrong when.

    `patience`: seconds after which a charger sends again; `missing_grace`: after which the gateway ends a transaction
    that lacks a message; `settle`: wait, at the end, for the outcome of every command whose node died; `silence`:
    seconds of nothing new after which nothing more is waited for; `echoes`: how often every charger sends twice at
    once, at the least. `settings` are added to the nodes' configuration, `node` starts them.
    """

    seed: str
    seconds: float = 600.0
    chargers: int = 50
    faults: int = 45
    pause: float = 1.0
    patience: float = 6.0
    missing_grace: float = 15.0
    orders_pause: float = 0.5
    persistent: bool = field(default_factory=lambda: Mosquitto.binary() is not None)
    kinds: Sequence[str] = ALL
    settle: bool = True
    silence: float = 25.0
    echoes: float = 0.0
    settings: dict[str, dict[str, Any]] | None = None
    node: type[GatewayProcess] = GatewayProcess
    transactions: int = 0
    """How many there must have been at least; 0: as many as the time and the chargers let expect."""

    @property
    def expected_transactions(self) -> int:
        return self.transactions or max(1, int(self.chargers * self.seconds / (SLOW_TRANSACTION * self.pause)))


@dataclass
class Outcome:
    """How a run went."""

    plan: Plan
    seconds: float = 0.0
    discrepancies: list[Discrepancy] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    transactions: int = 0
    messes: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    copies: int = 0
    connections: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    recoveries: list[Recovery] = field(default_factory=list)
    acknowledgements: list[float] = field(default_factory=list)
    events: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By recorder: events, and how many more times they came."""
    orders: Counter[str] = field(default_factory=Counter)
    energy_wh: str = ""
    folder: Path | None = None

    @property
    def good(self) -> bool:
        return not self.discrepancies and not self.troubles and not self.short_of

    @property
    def short_of(self) -> list[str]:
        """What the run was asked to do, and did not: books that add up prove nothing where nothing happened."""
        wanted = {
            "transactions": (self.transactions, self.plan.expected_transactions),
            "faults": (sum(self.faults.values()), self.plan.faults),
        }
        return [f"{did} {what} of {asked}" for what, (did, asked) in wanted.items() if did < asked]


class Run:
    """Constructed inside the running loop; `go` does it all."""

    def __init__(self, plan: Plan, folder: Path, say: Say) -> None:
        self._plan, self._say = plan, say
        self._town = Town(
            folder,
            persistent=plan.persistent,
            missing_grace=plan.missing_grace,
            settings=plan.settings,
            node=plan.node,
        )
        self._stopping = asyncio.Event()
        self._tally = Tally()
        self.outcome = Outcome(plan, folder=folder)

    def stop(self) -> None:
        """End early: heal, drain and check as at the end."""
        self._stopping.set()

    async def go(self) -> Outcome:
        began = time.monotonic()
        async with self._town:
            with ExitStack() as stack:
                subscriber = stack.enter_context(Subscriber(self._town.broker.port)) if self._plan.persistent else None
                rest = Rest(self._town.nodes)
                try:
                    await self._charge(rest, subscriber)
                finally:
                    await rest.close()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    async def _charge(self, rest: Rest, subscriber: Subscriber | None) -> None:
        plan = self._plan
        events, changes = EventPoller(rest), TransactionPoller(rest)
        chargers = self._fleet()
        injector = Injector(self._town, chargers, plan.seed, self._say)
        dispatcher = Dispatcher(rest, subscriber, chargers, plan.seed, pause=plan.orders_pause)
        readers = [asyncio.create_task(events.run()), asyncio.create_task(changes.run())]
        fleet = [asyncio.create_task(charger.run(), name=charger.identity) for charger in chargers]
        orders = asyncio.create_task(dispatcher.run())
        progress = asyncio.create_task(self._progress(chargers, injector, events, subscriber))
        try:
            await self._suffer(injector)
            await end(orders)
            latest = LONGEST_WAIT + TIMEOUT + LOST_AFTER + 5
            orders_until = time.monotonic() + latest if plan.settle else time.monotonic()
            for charger in chargers:
                charger.finish()
            await self._drain(chargers, events, changes, subscriber)
            await dispatcher.settled()
            undecided = await dispatcher.collect(until=orders_until)
            await injector.watched()
            listed = await all_records(rest)
            recordings = {"REST": list(events.events)}
            if subscriber is not None:
                recordings["MQTT"] = subscriber.events()
            books = Books(
                chargers,
                recordings,
                records=listed,
                samples=await some_samples(rest, listed),
                polled=changes.records,
                orders=dispatcher.orders,
                undecided=undecided if plan.settle else [],
            )
            self._sum_up(books, chargers, injector, dispatcher)
            self.outcome.troubles += [*events.problems, *changes.problems]
            for charger in chargers:
                charger.leave()
        finally:
            for task in (*fleet, *readers, orders, progress):
                task.cancel()
            gone = await asyncio.gather(*fleet, *readers, orders, progress, return_exceptions=True)
            self.outcome.troubles += [repr(one) for one in gone if isinstance(one, Exception)]

    def _fleet(self) -> list[Charger]:
        plan = self._plan
        fleet = []
        for number in range(plan.chargers):
            version: Version = "1.6" if number % 2 == 0 else "2.0.1"
            traits = traits_of(plan.seed, number, version)
            fleet.append(
                Charger(
                    f"C{version.replace('.', '')}-{number:03d}",
                    version,
                    replace(traits, echoes=max(traits.echoes, plan.echoes)),
                    seed=plan.seed,
                    ports=self._town.ports,
                    pause=plan.pause,
                    patience=plan.patience,
                    tally=self._tally,
                )
            )
        return fleet

    async def _suffer(self, injector: Injector) -> None:
        """Carry the schedule out, and let the fleet charge to the end of its time; less where `stop` was called."""
        plan = self._plan
        began = time.monotonic()
        schedule = draw_schedule(plan.seed, seconds=plan.seconds, count=plan.faults, kinds=plan.kinds)
        suffering = asyncio.create_task(injector.run(schedule), name="schedule")
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([suffering, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not self._stopping.is_set():
            left = plan.seconds - (time.monotonic() - began)
            await asyncio.wait([stopping], timeout=max(0.0, left))
        stopping.cancel()
        await injector.heal(suffering)

    # ------------------------------------------------------------ the end

    async def _drain(
        self,
        chargers: Sequence[Charger],
        events: EventPoller,
        changes: TransactionPoller,
        subscriber: Subscriber | None,
    ) -> None:
        """Wait until everything was said, told and read, or until that takes too long; the books tell what lacks."""
        self._say("all is healed; the chargers say what they have left")
        deadline = time.monotonic() + DRAIN_SECONDS + self._plan.missing_grace
        while time.monotonic() < deadline and not all(charger.is_done for charger in chargers):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        quiet_since, seen = time.monotonic(), -1
        quiet_for = self._plan.missing_grace + 2.0 if self._waits(chargers, events) else 2.0
        while time.monotonic() < deadline:
            heard = [] if subscriber is None else subscriber.events()
            if len(events.events) + len(heard) != seen:
                quiet_since, seen = time.monotonic(), len(events.events) + len(heard)
            if not self._waits(chargers, events):
                quiet_for = min(quiet_for, 2.0)
            lag = 0 if subscriber is None else _distinct(events.events) - _distinct(heard)
            quiet = time.monotonic() - quiet_since
            if quiet > self._plan.silence or (quiet > quiet_for and events.at_end and changes.at_end and lag <= 0):
                return
            await asyncio.sleep(0.3)

    @staticmethod
    def _waits(chargers: Sequence[Charger], events: EventPoller) -> bool:
        """Whether there are transactions whose end is still to come."""
        ended = {
            event["data"]["transaction_id"] for event in events.events if event["type"] == "ocpp.transaction.ended"
        }
        return len(ended) < sum(len(charger.transactions) for charger in chargers)

    def _sum_up(self, books: Books, chargers: Sequence[Charger], injector: Injector, dispatcher: Dispatcher) -> None:
        outcome, tally = self.outcome, self._tally
        outcome.discrepancies = books.check()
        outcome.troubles += [*injector.troubles, *(f"no recovery from {one}" for one in injector.unrecovered)]
        transactions = [transaction for charger in chargers for transaction in charger.transactions]
        outcome.transactions = len(transactions)
        outcome.messes = Counter(transaction.mess for transaction in transactions)
        outcome.energy_wh = str(sum(one.energy or 0 for one in transactions))
        outcome.messages = sum(len(charger.messages) for charger in chargers)
        outcome.copies, outcome.connections = tally.copies, tally.connections
        outcome.acknowledgements = tally.seconds
        outcome.faults, outcome.recoveries = injector.done, injector.recoveries
        outcome.events = {one.name: (len(one.events), one.repeats) for one in books.recordings}
        for order in dispatcher.orders:
            outcome.orders["/".join(sorted(order.outcomes)) or "never made"] += 1

    async def _progress(
        self,
        chargers: Sequence[Charger],
        injector: Injector,
        events: EventPoller,
        subscriber: Subscriber | None,
    ) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            transactions = sum(len(charger.transactions) for charger in chargers)
            waiting = sum(charger.waiting for charger in chargers)
            heard = "" if subscriber is None else f", {len(subscriber.heard)} heard"
            now = f", now {', '.join(sorted(injector.active))}" if injector.active else ""
            self._say(
                f"{time.monotonic() - began:5.0f} s: {transactions} transactions, {self._tally.acknowledged} "
                f"acknowledged, {waiting} waiting, {len(events.events)} polled{heard}, "
                f"{sum(injector.done.values())} faults{now}"
            )


def _distinct(events: Sequence[dict[str, Any]]) -> int:
    return len({(event["source"], event["id"]) for event in events})


def new_seed() -> str:
    """A seed that nobody chose."""
    return f"{random.SystemRandom().randrange(10**8):08d}"


async def run(plan: Plan, folder: Path | None = None, say: Say = lambda line: print(line, file=sys.stderr)) -> Outcome:
    """One run, in a folder of its own where none is given."""
    folder = folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    return await Run(plan, folder, say).go()

"""Doing to the town what the schedule says, and undoing it."""

import asyncio
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.chaos.run.chargers import Charger
from tests.chaos.run.schedule import Fault
from tests.chaos.run.town import Town

RECOVERY_SECONDS = 60.0


@dataclass(frozen=True)
class Recovery:
    """How long after a fault's end every charger that had something waiting had an answer."""

    kind: str
    seconds: float


class Injector:
    """Carries a schedule out. `note` is told of each fault as it begins."""

    def __init__(self, town: Town, chargers: Sequence[Charger], seed: str, note: Callable[[str], None]) -> None:
        self.done: Counter[str] = Counter()
        self.recoveries: list[Recovery] = []
        self.unrecovered: list[str] = []
        self.active: set[str] = set()
        self.troubles: list[str] = []
        """What a server or node did that nobody had asked of it."""
        self._town, self._chargers, self._note = town, chargers, note
        self._draw = random.Random(f"{seed}/faults")
        self._over = asyncio.Event()
        self._hands: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One for each resource: a node that still stops cannot be paused."""
        self._watches: set[asyncio.Task[None]] = set()

    async def run(self, schedule: Sequence[Fault]) -> None:
        """Everything that is on the schedule; returns when the last fault is healed."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as faults:
            for fault in schedule:
                try:
                    async with asyncio.timeout(max(0.0, fault.at - (time.monotonic() - began))):
                        await self._over.wait()
                    return
                except TimeoutError:
                    pass
                faults.create_task(self._suffer(fault), name=str(fault))

    async def heal(self, suffering: "asyncio.Task[None]") -> None:
        """End `run` (begin no further fault), and put everything right that it left behind."""
        town = self._town
        self._over.set()
        await asyncio.wait([suffering])
        if suffering.exception() is not None:
            self.troubles.append(repr(suffering.exception()))
        town.redis.send(signal.SIGCONT) if town.redis.runs else await asyncio.to_thread(town.redis.start)
        if not town.broker.runs:
            await asyncio.to_thread(town.broker.start)
        for gate in (*town.chargers, *town.redis_links, *town.broker_links):
            gate.delay = 0.0
            gate.cut_muted()
        for node in town.nodes:
            if not node.runs:
                await asyncio.to_thread(node.start, ready=False)
            with suppress(ProcessLookupError):
                os.kill(node.pid, signal.SIGCONT)
            try:
                await asyncio.to_thread(node.wait_ready, 60.0)
            except RuntimeError as error:
                self.troubles.append(f"{node.node} at the end: {error}")

    async def watched(self) -> None:
        """Wait until it is known how long each recovery took."""
        if self._watches:
            await asyncio.wait(self._watches)

    async def _suffer(self, fault: Fault) -> None:
        async with self._hands[fault.resource]:
            await self._suffered(fault)

    async def _suffered(self, fault: Fault) -> None:
        self._note(f"fault  {fault}")
        self.done[fault.kind] += 1
        self.active.add(fault.kind)
        try:
            await self._way(fault.kind)(fault)
        except Exception as error:
            self.troubles.append(f"{fault}: {error!r}")
        self.active.discard(fault.kind)
        watch = asyncio.create_task(self._recovered(fault.kind), name=f"recovery from {fault.kind}")
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)

    async def _recovered(self, kind: str) -> None:
        began = time.monotonic()
        waiting = {one: one.acknowledged for one in self._chargers if one.waiting}
        while waiting and time.monotonic() - began < RECOVERY_SECONDS:
            waiting = {one: so_far for one, so_far in waiting.items() if one.waiting and one.acknowledged == so_far}
            await asyncio.sleep(0.05)
        if waiting:
            self.unrecovered.append(f"{kind}: {', '.join(one.identity for one in waiting)}")
        self.recoveries.append(Recovery(kind, time.monotonic() - began))

    # ------------------------------------------------------------ the kinds

    def _way(self, kind: str) -> Callable[[Fault], Awaitable[None]]:
        if kind.startswith("node_"):
            return self._node
        if kind in ("broker_kill", "broker_term", "redis_kill", "redis_term"):
            return self._server
        if kind == "redis_pause":
            return self._redis_pause
        return self._connections

    async def _node(self, fault: Fault) -> None:
        node = self._town.nodes[fault.node]
        if fault.kind == "node_pause":
            os.kill(node.pid, signal.SIGSTOP)
            await asyncio.sleep(fault.seconds)
            os.kill(node.pid, signal.SIGCONT)
            return
        try:
            await asyncio.to_thread(node.kill if fault.kind == "node_kill" else node.stop)
        except RuntimeError as error:
            self.troubles.append(f"{fault}: {error}")
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(node.start, ready=False)

    async def _server(self, fault: Fault) -> None:
        server = self._town.broker if fault.kind.startswith("broker") else self._town.redis
        await asyncio.to_thread(server.kill if fault.kind.endswith("kill") else server.stop)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(server.start)

    async def _redis_pause(self, fault: Fault) -> None:
        self._town.redis.send(signal.SIGSTOP)
        await asyncio.sleep(fault.seconds)
        self._town.redis.send(signal.SIGCONT)

    async def _connections(self, fault: Fault) -> None:
        where, _, what = fault.kind.rpartition("_")
        if fault.kind == "chargers_half_close":
            where, what = "chargers", "half_close"
        town = self._town
        gates = {"chargers": town.chargers, "redis_link": town.redis_links, "broker_link": town.broker_links}[where]
        gate = gates[fault.node]
        match what:
            case "cut":
                gate.cut(fault.share, self._draw)
            case "half_close":
                gate.half_close(fault.share, self._draw)
            case "mute":
                gate.mute(fault.share, self._draw)
                await asyncio.sleep(fault.seconds)
                gate.cut_muted()
            case "delay":
                gate.delay = fault.share
                await asyncio.sleep(fault.seconds)
                gate.delay = 0.0

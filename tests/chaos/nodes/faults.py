"""Doing to the nodes what the schedule says, undoing it, and noting when which node was in what trouble."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.chaos.nodes.schedule import Fault
from tests.chaos.nodes.town import Town

STOP_SECONDS = 60.0
REDIS_AWAY = "redis away"
READY_SECONDS = 60.0


@dataclass
class Trouble:
    """A fault as it came: from `began` to `ended` (Unix seconds) nothing can be expected of the node.

    `gone`: when a node that was asked to go had gone. None in `ended`: it is not over.
    """

    kind: str
    node: int
    began: float
    gone: float | None = None
    ended: float | None = None


class Injector:
    """Carries a schedule out. `note` is told of each fault as it begins."""

    def __init__(self, town: Town, note: Callable[[str], None]) -> None:
        self.troubles: list[Trouble] = []
        self.surprises: list[str] = []
        """What a node did that nobody had asked of it."""
        self._town, self._note = town, note
        self._over = asyncio.Event()
        self._hands = [asyncio.Lock() for _ in town.nodes]

    @property
    def active(self) -> list[str]:
        return sorted(f"{one.kind} node-{one.node + 1}" for one in self.troubles if one.ended is None)

    async def run(self, schedule: Sequence[Fault]) -> None:
        """Everything that is on the schedule, or up to `stop`; returns when the last fault is healed."""
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

    def stop(self) -> None:
        """Begin no further fault, and end those that last."""
        self._over.set()

    async def without_redis(self, seconds: float) -> None:
        """Let Redis be away for all nodes."""
        self._note(f"Redis is away for {seconds:g} s")
        troubles = [Trouble(REDIS_AWAY, number, time.time()) for number in range(len(self._town.nodes))]
        self.troubles += troubles
        await asyncio.to_thread(self._town.redis.kill)
        await self._last(seconds)
        await asyncio.to_thread(self._town.redis.start)
        for trouble in troubles:
            trouble.ended = time.time()

    async def _suffer(self, fault: Fault) -> None:
        async with self._hands[fault.node]:
            self._note(f"fault  {fault}")
            trouble = Trouble(fault.kind, fault.node, time.time())
            self.troubles.append(trouble)
            ways = {"nap": self._pause, "sleep": self._pause, "cut": self._part, "mute": self._part}
            try:
                await ways.get(fault.kind, self._end_and_start)(fault, trouble)
                await asyncio.to_thread(self._town.nodes[fault.node].wait_ready, READY_SECONDS)
            except Exception as error:
                self.surprises.append(f"{fault}: {error!r}"[:2000])
            trouble.ended = time.time()

    async def _last(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    async def _end_and_start(self, fault: Fault, trouble: Trouble) -> None:
        node = self._town.nodes[fault.node]
        if fault.kind == "kill":
            await asyncio.to_thread(node.kill)
        else:
            code = await asyncio.to_thread(node.stop, STOP_SECONDS)
            if code != 0:
                self.surprises.append(f"{fault}: the node ended with {code}")
        trouble.gone = time.time()
        await self._last(fault.seconds)
        await asyncio.to_thread(node.start, ready=False)

    async def _pause(self, fault: Fault, trouble: Trouble) -> None:
        node = self._town.nodes[fault.node]
        os.kill(node.pid, signal.SIGSTOP)
        try:
            await self._last(fault.seconds)
        finally:
            os.kill(node.pid, signal.SIGCONT)

    async def _part(self, fault: Fault, trouble: Trouble) -> None:
        link = self._town.links[fault.node]
        link.is_shut = True
        if fault.kind == "mute":
            link.mute_all()
        else:
            link.cut_all()
        try:
            await self._last(fault.seconds)
        finally:
            link.is_shut = False
            link.cut_muted()

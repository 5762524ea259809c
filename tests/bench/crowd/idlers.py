"""Silent chargers: `python -m tests.bench.crowd.idlers CONFIG`; told `cut` on stdin they all lose their connections.

Each boots, and then says nothing. Turned away, one half waits as long as Retry-After says, the other half 1 to 10
seconds, as real ones do. Says on stdout, twice a second, how they are.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from tests.chaos.nodes.line import Line, connect

OPEN_SECONDS = 30.0
BOOT_SECONDS = 30.0
AT_ONCE = 50
"""Handshakes of one process at the same time while the crowd gathers."""
STATUS_SECONDS = 0.5
BOOT = '{"chargePointVendor":"Crowd","chargePointModel":"Silent"}'


@dataclass
class Tally:
    """What the chargers of a process have seen together. `settled`: their boot was answered, and they stand.

    `refused`: handshakes answered with 503, `failed` those that were not answered; `unanswered`: boots without an
    answer; `slowest`: the longest that a boot's answer took, in seconds.
    """

    settled: int = 0
    refused: int = 0
    failed: int = 0
    boots: int = 0
    unanswered: int = 0
    lost: int = 0
    slowest: float = 0.0
    settled_at: float = 0.0


class Idler:
    """One charger."""

    def __init__(self, identity: str, port: int, source: str, tally: Tally, gathering: asyncio.Semaphore) -> None:
        self._identity, self._port, self._source, self._tally = identity, port, source, tally
        self._gathering = gathering
        self._draw = random.Random(identity)
        self._obeys = self._draw.random() < 0.5
        self._line: Line | None = None
        self._booted: asyncio.Future[None] | None = None
        self._cut = False

    async def run(self) -> None:
        async with self._gathering:
            await self._come()
        while True:
            assert self._line is not None
            await self._line.gone
            self._tally.settled -= 1
            if not self._cut:
                self._tally.lost += 1
            self._cut = False
            await self._come()

    def cut(self) -> None:
        """Lose the connection, as when the network fails."""
        if self._line is not None and self._line.is_open:
            self._cut = True
            self._line.abort()

    async def _come(self) -> None:
        """Connect and boot, however often it takes."""
        while True:
            line = Line(self._identity, "ocpp1.6", self._on_frame)
            status = await connect(line, self._port, source=self._source, seconds=OPEN_SECONDS)
            if status == 101 and await self._boots(line):
                return
            self._tally.refused += status == 503
            self._tally.failed += status not in (101, 503)
            obeys = self._obeys and line.retry_after is not None
            await asyncio.sleep(line.retry_after if obeys and line.retry_after else self._draw.uniform(1.0, 10.0))

    async def _boots(self, line: Line) -> bool:
        tally, began = self._tally, time.monotonic()
        self._line, self._booted = line, asyncio.get_running_loop().create_future()
        tally.boots += 1
        line.send([2, "boot", "BootNotification", json.loads(BOOT)])
        waits = (self._booted, line.gone)
        await asyncio.wait(waits, timeout=BOOT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not self._booted.done():
            tally.unanswered += 1
            line.abort()
            return False
        tally.settled += 1
        tally.slowest = max(tally.slowest, time.monotonic() - began)
        tally.settled_at = time.time()
        return True

    def _on_frame(self, line: Line, frame: list[Any]) -> None:
        if frame[0] == 3 and line is self._line and self._booted is not None and not self._booted.done():
            self._booted.set_result(None)


async def _tell(tally: Tally) -> None:
    while True:
        print(json.dumps(asdict(tally)), flush=True)
        await asyncio.sleep(STATUS_SECONDS)


async def run(config: dict[str, Any]) -> None:
    tally, gathering = Tally(), asyncio.Semaphore(AT_ONCE)
    ports = config["ports"]
    idlers = [
        Idler(f"CROWD-{number:05d}", ports[number % len(ports)], config["source"], tally, gathering)
        for number in range(config["first"], config["first"] + config["count"])
    ]
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(idler.run(), name="idler") for idler in idlers]
        running.append(tasks.create_task(_tell(tally), name="status"))
        while (word := (await reader.readline()).decode().strip()) == "cut":
            tally.slowest = 0.0
            for idler in idlers:
                idler.cut()
        assert word in ("leave", ""), word
        for task in running:
            task.cancel()


if __name__ == "__main__":
    uvloop.run(run(json.loads(Path(sys.argv[1]).read_text())))

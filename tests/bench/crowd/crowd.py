"""The handle on a crowd, whose chargers live in several processes, each with an address of its own on loopback."""

import asyncio
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.crowd.idlers import Tally

PER_PROCESS = 5000
"""Chargers of one process and address: below the ports that an address has for clients."""


class Crowd:
    """So many silent chargers, spread over processes and over the `ports` of the nodes."""

    def __init__(self, folder: Path, count: int, ports: list[int], *, first: int = 0) -> None:
        self.count = count
        self._folder, self._ports, self._first = folder, ports, first
        self._processes: list[asyncio.subprocess.Process] = []
        self._readers: list[asyncio.Task[None]] = []
        self._tallies: dict[int, Tally] = {}
        self._boots = 0

    async def __aenter__(self) -> Self:
        processes = -(-self.count // PER_PROCESS)
        for number in range(processes):
            share = self.count // processes + (number < self.count % processes)
            first = self._first + sum(self.count // processes + (n < self.count % processes) for n in range(number))
            config = self._folder / f"crowd-{first}.json"
            source = f"127.0.0.{2 + first // PER_PROCESS % 250}"
            told = {"ports": self._ports, "source": source, "first": first, "count": share}
            config.write_text(json.dumps(told))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.bench.crowd.idlers", str(config)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[3],
            )
            self._processes.append(process)
            self._readers.append(asyncio.create_task(self._read(number, process), name=f"crowd {number}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def _read(self, number: int, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self._tallies[number] = Tally(**json.loads(line))

    @property
    def tally(self) -> Tally:
        """All of them together, as of half a second ago."""
        told = list(self._tallies.values())
        return Tally(
            settled=sum(one.settled for one in told),
            refused=sum(one.refused for one in told),
            failed=sum(one.failed for one in told),
            boots=sum(one.boots for one in told),
            unanswered=sum(one.unanswered for one in told),
            lost=sum(one.lost for one in told),
            slowest=max((one.slowest for one in told), default=0.0),
            settled_at=max((one.settled_at for one in told), default=0.0),
        )

    async def settled(self, seconds: float) -> bool:
        """Wait until every charger stands, and has come anew since the last `cut`; False where that takes longer."""
        deadline = time.monotonic() + seconds
        while self.tally.settled < self.count or self.tally.boots < self._boots:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.2)
        return True

    async def cut(self) -> float:
        """Have them all lose their connections; returns when (Unix seconds)."""
        self._boots, began = self.tally.boots + self.count, time.time()
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(b"cut\n")
            await process.stdin.drain()
        return began

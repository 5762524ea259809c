"""The handle that a run has on its chargers, which live in processes of their own."""

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.chaos.nodes.charger import Habits
from tests.chaos.nodes.facts import Facts, load

VERSIONS = ("1.6", "2.0.1", "1.6", "2.1")
REPORT_SECONDS = 60.0
PER_HERD = 1000


class Herds:
    """All chargers of a run; `open`, `waiting` and `at_rest` count them as they were half a second ago."""

    def __init__(
        self, folder: Path, count: int, habits: Habits, *, ports: Sequence[int], seed: str, spread: float
    ) -> None:
        self.count = count
        self.chargers = [f"N{VERSIONS[n % len(VERSIONS)].replace('.', '')}-{n:05d}" for n in range(count)]
        self._folder, self._habits, self._ports, self._seed = folder, habits, list(ports), seed
        self._spread = spread
        self._processes: list[asyncio.subprocess.Process] = []
        self._reports: list[Path] = []
        self._status: dict[int, dict[str, int]] = {}
        self._readers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        herds = -(-self.count // PER_HERD)
        for number in range(herds):
            report = self._folder / f"herd-{number}.report.json"
            config = self._folder / f"herd-{number}.json"
            members = [(self.chargers[n], VERSIONS[n % len(VERSIONS)]) for n in range(number, self.count, herds)]
            config.write_text(json.dumps(self._config(members, report)))
            # In a session of its own: Ctrl-C ends the run, which then ends these.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.chaos.nodes.herd", str(config)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[3],
                start_new_session=True,
            )
            self._processes.append(process)
            self._reports.append(report)
            self._readers.append(asyncio.create_task(self._read(number, process), name=f"herd {number}"))
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

    def _config(self, members: list[tuple[str, str]], report: Path) -> dict[str, Any]:
        return {
            "chargers": members,
            "habits": asdict(self._habits),
            "ports": self._ports,
            "seed": self._seed,
            "spread": self._spread,
            "report": str(report),
        }

    async def _read(self, number: int, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self._status[number] = json.loads(line)

    def _sum(self, name: str) -> int:
        return sum(status[name] for status in self._status.values())

    @property
    def open(self) -> int:
        return self._sum("open")

    @property
    def waiting(self) -> int:
        return self._sum("waiting")

    @property
    def at_rest(self) -> int:
        return self._sum("at_rest")

    async def finish(self) -> None:
        """Have every charger end what it began, and stay."""
        await self._say("finish")

    async def leave(self) -> list[Facts]:
        """End them all; returns what they saw."""
        await self._say("leave")
        async with asyncio.timeout(REPORT_SECONDS):
            await asyncio.gather(*(process.wait() for process in self._processes))
        return [facts for report in self._reports for facts in load(report)]

    async def _say(self, word: str) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{word}\n".encode())
            await process.stdin.drain()

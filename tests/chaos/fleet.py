"""Simulated chargers in the background of a test: what they sent, what was acknowledged, how long that took."""

import asyncio
from collections import Counter
from types import TracebackType
from typing import Self

from gateway.simulator import Acknowledged, SimulatorEvent, SimulatorOptions, SimulatorReport, Version, simulate
from tests.chaos.waiting import until

SAMPLES = frozenset({"MeterValues", "TransactionEvent"})
CHARGING = 3
"""Acknowledged samples after which a charger is in mid-charge."""


class Fleet:
    """Chargers that charge until `finish` is called; then each ends its transaction and leaves."""

    def __init__(self, url: str, version: Version, count: int, *, prefix: str, interval: float = 0.2) -> None:
        self._options = SimulatorOptions(
            url=url,
            version=version,
            count=count,
            id_prefix=prefix,
            interval=interval,
            samples=1_000_000,
            rounds=1,
            call_timeout=20.0,
            leave_timeout=60.0,
            reconnect_min=0.2,
            reconnect_max=0.5,
            record=True,
        )
        self.ids = self._options.identities()
        self.acknowledged: Counter[str] = Counter()
        """Acknowledged samples by charger."""
        self.message_ids: list[str] = []
        """Of all acknowledged messages, in order."""
        self.ended: list[str] = []
        """Why connections ended, in the order in which they did."""
        self.refused: list[str] = []
        self.errors: list[str] = []
        self.slowest = 0.0
        """The longest that an acknowledgement took, in seconds, since this was last set to 0."""
        self._sent_at: dict[str, float] = {}
        self._stop = asyncio.Event()
        self._task: asyncio.Task[SimulatorReport] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(
            simulate(self._options, on_event=self._note, stop=self._stop), name="simulated chargers"
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def finish(self) -> list[Acknowledged]:
        """Let every charger end its charge; returns all that was acknowledged, in order."""
        assert self._task is not None
        self._stop.set()
        report = await self._task
        assert report.unsent == 0, f"{report.unsent} messages were never acknowledged"
        assert report.dropped == 0, "chargers gave messages up"
        return report.records

    def marks(self) -> Counter[str]:
        """How far each charger has come; see `all_beyond`."""
        return Counter(self.acknowledged)

    def all_beyond(self, marks: Counter[str], samples: int = CHARGING) -> bool:
        """Every charger has seen so many samples acknowledged since."""
        return all(self.acknowledged[one] >= marks[one] + samples for one in self.ids)

    def _note(self, event: SimulatorEvent) -> None:
        now = asyncio.get_running_loop().time()
        match event.kind:
            case "sent":
                self._sent_at[event.message_id] = now
            case "acknowledged":
                self.slowest = max(self.slowest, now - self._sent_at.pop(event.message_id, now))
                self.message_ids.append(event.message_id)
                self.acknowledged[event.charger] += event.action in SAMPLES
            case "disconnected":
                self.ended.append(event.detail)
            case "refused":
                self.refused.append(event.detail)
            case "error" | "timeout" | "dropped":
                self.errors.append(f"{event.charger} {event.action} {event.kind} {event.detail}")


async def mid_charge(*fleets: Fleet) -> None:
    """Wait until every charger has seen some more samples acknowledged."""
    marks = [fleet.marks() for fleet in fleets]
    await until(
        lambda: all(fleet.all_beyond(mark) for fleet, mark in zip(fleets, marks, strict=True)),
        "samples of every charger are acknowledged",
    )

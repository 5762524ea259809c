"""Time that runs fast."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class FastTime:
    """A clock that begins at `begin` (Unix seconds) and runs `speed` times as fast as ours."""

    begin: float
    speed: float
    hour: float
    """The hour of the day at which it begins."""
    born: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        return self.begin + (time.monotonic() - self.born) * self.speed

    @property
    def elapsed(self) -> float:
        """Its seconds since the beginning."""
        return self.now() - self.begin

    @property
    def hour_of_day(self) -> float:
        return (self.hour + self.elapsed / 3600) % 24

    async def sleep(self, seconds: float) -> None:
        """Let so many of its seconds pass."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    async def every(self, seconds: float) -> AsyncIterator[None]:
        """Again and again; what is late by more than one turn leaves turns out."""
        due = self.now()
        while True:
            yield
            due = max(due + seconds, self.now())
            await self.sleep(due - self.now())

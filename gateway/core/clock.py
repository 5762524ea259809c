"""Time as an argument: what asks for the time takes a Clock, so that tests can hand in their own."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Wall time and monotonic time, both in seconds."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; its zero means nothing."""
        ...


class SystemClock:
    """The machine's own clocks, with nothing in between: they are read several times for each message."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


@lru_cache(maxsize=256)
def rfc3339(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds: `2026-11-21T08:00:00.000Z`."""
    milliseconds = int(seconds * 1000)
    return f"{_whole_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


def instant(text: str) -> float:
    """The Unix seconds of an RFC 3339 time; one without a zone is UTC. Raises ValueError."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=64)
def _whole_second(seconds: int) -> str:
    # Cached because thousands of messages a second ask for the same one, as one message asks for the same moment.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")

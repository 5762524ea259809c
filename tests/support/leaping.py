"""Time that a test has pass at once: what waits for a moment finds that it has come, however busy the machine is."""

import asyncio

from gateway.core.clock import SystemClock


class LeapingClock:
    """The machine's clocks plus what the test leapt over, and so the clock of the loop in which it is made."""

    def __init__(self) -> None:
        self._ahead = 0.0
        system, loop = SystemClock(), asyncio.get_running_loop()
        self._now, self._monotonic, self._time = system.now, system.monotonic, loop.time
        loop.time = lambda: self._time() + self._ahead  # type: ignore[method-assign]

    def now(self) -> float:
        return self._now() + self._ahead

    def monotonic(self) -> float:
        return self._monotonic() + self._ahead

    def leap(self, seconds: float) -> None:
        """Have so many seconds pass now. Whatever waits for less is next, also what the test itself waits for."""
        self._ahead += seconds

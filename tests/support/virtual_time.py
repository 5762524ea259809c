"""Time that passes only while everybody waits for it: hours take no time, however slow the machine is."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

START = 1_800_000_000.0
"""The Unix time at which virtual time begins."""


class _Skipping(selectors.DefaultSelector):
    """Does not wait: what would have been waited for has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everybody waits, and nobody ever comes")
        self.passed += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.passed


class VirtualClock:
    """The running loop's virtual time as a Clock."""

    def now(self) -> float:
        return START + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine for which time is virtual."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)

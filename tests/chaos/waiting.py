"""Waiting for conditions: polled with a deadline, never slept for."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

POLL = 0.05


async def until(
    condition: Callable[[], object] | Callable[[], Awaitable[object]], what: str, *, seconds: float = 60.0
) -> None:
    """Poll until the condition holds; fail after `seconds`, saying what was awaited."""
    deadline = time.monotonic() + seconds
    while True:
        held = condition()
        if inspect.isawaitable(held):
            held = await held
        if held:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(POLL)


async def holds_for(seconds: float, condition: Callable[[], object], what: str) -> None:
    """Fail where the condition is broken within `seconds`: for laws that say "never", where time is under test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"broken: {what}"
        await asyncio.sleep(POLL)

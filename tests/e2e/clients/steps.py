"""What a charger tells the test: one JSON line per step on stdout; the first failure ends it with its reason."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable

DEADLINE = 240.0


def step(name: str, **fields: object) -> None:
    print(json.dumps({"step": name, **fields}), flush=True)


def fail(reason: str) -> None:
    """End the process at once: whatever the library would make of it, a deviation is a failure."""
    step("failed", reason=reason)
    os._exit(1)


def expect(holds: bool, reason: str) -> None:
    if not holds:
        fail(reason)


class _Failing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else ""
        fail(f"{record.getMessage()} {error!r}")


def strict_logger() -> logging.Logger:
    """A logger for the `ocpp` package, which only logs what it cannot read: here that is a failure."""
    logger = logging.getLogger("strict-charger")
    logger.setLevel(logging.ERROR)
    logger.addHandler(_Failing())
    return logger


def main(live: Callable[[str, str, int], Awaitable[None]]) -> None:
    """Run `live(url, identity, rounds)` with the arguments of the command line."""
    url, identity, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 2

    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE):
            await live(url, identity, rounds)

    try:
        asyncio.run(bounded())
    except TimeoutError:
        fail(f"not done after {DEADLINE:g} s")
    except Exception as error:
        fail(f"{type(error).__name__}: {error}")
    step("done")

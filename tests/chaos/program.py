"""What the programs of this folder share: seed and folder, a clean end on Ctrl-C, and the exit code."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

Tell = Callable[[str], None]
"""Takes a line of what happens meanwhile."""


class Ending(Protocol):
    """How a run ended."""

    @property
    def good(self) -> bool: ...


E = TypeVar("E", bound=Ending)


def options(program: str, description: str | None, *, seed: str) -> argparse.ArgumentParser:
    """The options that all have; `seed` says what the seed decides."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.chaos.{program}", description=description)
    parser.add_argument("--seed", default="", help=f"decides {seed}; drawn if absent")
    parser.add_argument("--keep", type=Path, help="folder for the logs; they are kept there whatever the outcome")
    return parser


def stopped_by_signals(stop: Callable[[], None]) -> None:
    """Have a run end early, with its books looked at, on Ctrl-C and SIGTERM."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def carried_out(
    program: str,
    run: Callable[[Path, Tell], Coroutine[Any, Any, E]],
    told: Callable[[E], str],
    *,
    announced: str,
    keep: Path | None,
) -> int:
    """Run, and print what came of it; the exit code. The logs of a good run go away, unless they shall be kept."""
    folder = keep or Path(tempfile.mkdtemp(prefix=f"{program}-"))

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    tell(f"{announced}\nlogs in {folder}")
    ending = _in_a_loop(run(folder, tell))
    print(told(ending))
    if ending.good and keep is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if ending.good else 1


def _in_a_loop(work: Coroutine[Any, Any, E]) -> E:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)

"""Helpers of the tests of embedded servers."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def server_pids(data_dir: Path) -> set[int]:
    """Every process, guard or server, that works for this data folder."""
    found = set()
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and (
                process.cwd().startswith(str(data_dir)) or any(str(data_dir) in part for part in process.cmdline()[1:])
            ):
                found.add(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()

"""This machine: its clock, and the disk under the data."""

import ctypes
import os
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.cli.doctor.findings import Finding, Findings

_CLOCK = Findings("clock")
_DISK = Findings("disk")

_LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
_SKEW_SECONDS, _BAD_SKEW_SECONDS = 2.0, 30.0
_LITTLE, _TOO_LITTLE = 1024**3, 200 * 1024**2
_NTP = "have it kept by NTP: sudo timedatectl set-ntp true (or install chrony); chargers take their time from it"
_UNSYNCHRONISED = 0x40  # STA_UNSYNC of Linux's timex.h


class _Timex(ctypes.Structure):
    """The head of Linux's struct timex, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def is_kept() -> bool | None:
    """Whether something (NTP) keeps the system's clock; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    timex = _Timex()
    try:
        if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return not timex.status & _UNSYNCHRONISED


def examine_clock(*, ahead: float | None, kept: bool | None) -> Iterator[Finding]:
    """The clock, by which chargers set theirs. `ahead`: seconds that Redis's clock is ahead of it, where known."""
    now = time.time()
    told = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if now < _LONG_AGO:
        yield _CLOCK.problem(f"it says {told}, which is long past", _NTP)
        return
    if ahead is not None and abs(ahead) >= _SKEW_SECONDS:
        skew = f"it says {told}; Redis's is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} it"
        make = _CLOCK.problem if abs(ahead) >= _BAD_SKEW_SECONDS else _CLOCK.warning
        yield make(skew, _NTP + "; the same on Redis's machine")
    elif kept is False:
        yield _CLOCK.warning(f"it says {told}, and nothing keeps it right", _NTP)
    elif kept is None:
        yield _CLOCK.ok(f"it says {told}; whether something keeps it right cannot be seen here")
    else:
        yield _CLOCK.ok(f"it says {told}, and is kept by NTP")


def examine_disk(folder: Path) -> Iterator[Finding]:
    """Room and rights where the embedded servers keep their data."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        yield _DISK.problem(
            f"{folder} cannot be written by this user",
            "give it to the gateway's user, or set [gateway] data_dir (--data-dir)",
        )
        return
    free = shutil.disk_usage(place).free
    told = f"{free / 1024**3:.1f} GiB free for {folder}"
    if free < _TOO_LITTLE:
        yield _DISK.problem(told, "make room: with a full disk chargers are not answered any more")
    elif free < _LITTLE:
        yield _DISK.warning(told, "make room, or lower [redis] log_max_bytes and log_hard_max_bytes")
    else:
        yield _DISK.ok(told)

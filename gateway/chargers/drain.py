"""Chargers sent away when a node stops: at a paced rate, for they all go to the other nodes."""

import asyncio
import random
from collections.abc import Callable, Iterable

import structlog

from gateway.chargers.connection import Connection
from gateway.chargers.door import STOPPING
from gateway.chargers.surroundings import Spawn
from gateway.chargers.websocket import CLOSE_TIMEOUT

_log = structlog.get_logger(__name__)

FINISH_SECONDS = 3.0
"""How long a charger may take to answer what it was asked, before it is sent away all the same."""

SERVICE_RESTART = 1012
"""The close code that tells a charger to come again soon (RFC 6455's registry)."""


async def send_away(connections: Iterable[Connection], *, rate: float, seconds: float, spawn: Spawn) -> None:
    """Close all connections, in no order, at `rate` per second; faster where `seconds` would not suffice for that.

    Returns when the last one was told; `spawn` runs what remains to be done for each.
    """
    leaving = list(connections)
    random.shuffle(leaving)
    patience = min(FINISH_SECONDS, seconds / 4)
    time_to_tell = max(seconds - patience - CLOSE_TIMEOUT, seconds / 2)
    pace = max(rate, len(leaving) / time_to_tell) if rate else float("inf")
    if 0 < rate < pace:
        _log.warning("chargers are sent away faster than at the configured rate, as time is short", rate=rate,
                     pace=round(pace), advice="raise [gateway] shutdown_deadline")  # fmt: skip
    loop = asyncio.get_running_loop()
    began = loop.time()
    for connection, after in zip(leaving, moments(len(leaving), pace), strict=True):
        await asyncio.sleep(max(0.0, began + after - loop.time()))
        spawn(connection.leave(SERVICE_RESTART, STOPPING, seconds=patience))


def moments(count: int, pace: float, jitter: Callable[[], float] = random.random) -> list[float]:
    """When each of `count` chargers is told: at random moments, `pace` of them in each second from now on."""
    return sorted(jitter() * count / pace for _ in range(count))

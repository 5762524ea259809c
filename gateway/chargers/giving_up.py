"""Giving a charger up, so that others see that nobody holds it."""

import asyncio

import structlog

from gateway.core.errors import LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.ports import Ownership

_log = structlog.get_logger(__name__)

ATTEMPTS = 30
RETRY = 1.0
"""Seconds between attempts."""


async def give_up(ownership: Ownership, charger: ChargerId, epoch: int) -> None:
    """Release a charger; where Redis is away, again and again for half a minute. Never raises.

    One that stays claimed all the same is free as soon as it connects again, or when this node ends.
    """
    for _ in range(ATTEMPTS):
        try:
            await ownership.release(charger, epoch)
            return
        except LogUnavailable:
            await asyncio.sleep(RETRY)
    _log.warning("charger not released", charger=str(charger), epoch=epoch)

"""A charger's new password: what it has taken by a command is what it must give at its next connection."""

import asyncio

import structlog

from gateway.core.errors import LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.ports import Ownership

_log = structlog.get_logger(__name__)

RETRY = 0.25
"""Seconds between two attempts to store it while Redis is away."""


async def change_password(charger: ChargerId, password: bytes, ownership: Ownership) -> None:
    """Accept the new password and no more the old one (A01.FR.03).

    A charger of which no password is kept goes on without: it may well be known by other means.
    """
    while True:
        try:
            if await ownership.change_password(charger, password):
                _log.info("charger password changed", charger=str(charger))
            return
        except LogUnavailable:
            await asyncio.sleep(RETRY)

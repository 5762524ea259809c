"""Whether this node slept (was paused, or starved): its chargers may have gone to others meanwhile."""

import asyncio

SLEPT = 2.0
"""Seconds without upkeep from which on this node was asleep."""


class Sleeping:
    """One connection's. Times are monotonic seconds.

    `in_doubt` tells whether the node slept since a commit last showed whose the charger is; such a commit ends it.
    """

    __slots__ = ("_kept_up_at", "_loop", "in_doubt")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._kept_up_at = self._loop.time()
        self.in_doubt = False

    def kept_up(self, now: float) -> None:
        """The node is awake, and says so every second or so."""
        self.in_doubt = self.in_doubt or now - self._kept_up_at > SLEPT
        self._kept_up_at = now

    @property
    def may_have_moved(self) -> bool:
        """Whether the charger may be another node's: the node slept, or sleeps until this very moment."""
        return self.in_doubt or self._loop.time() - self._kept_up_at > SLEPT

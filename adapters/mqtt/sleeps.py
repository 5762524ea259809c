"""Since when a message may have been waiting that is read now: since this process fell asleep, where it did."""

from gateway.core.clock import Clock

SLEPT = 3.0
"""Seconds without a sign of being awake from which on it was asleep: paused, starved, or its machine suspended."""
CATCHING_UP = 2.0
"""Seconds after it woke in which what it reads may have come while it slept."""


class Sleeps:
    """Notices that this process slept; `awake` must be called every second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._awake_at = self._asleep_from = clock.now()
        self._caught_up_at = 0.0

    def awake(self) -> None:
        """Say that this process is awake."""
        now = self._clock.now()
        if now - self._awake_at > SLEPT:
            self._asleep_from, self._caught_up_at = self._awake_at, now + CATCHING_UP
        self._awake_at = now

    def came_at(self) -> float:
        """When a message that is read now has come at the earliest (Unix seconds); now, unless this process slept."""
        now = self._clock.now()
        if now - self._awake_at > SLEPT:
            return self._awake_at
        return self._asleep_from if now < self._caught_up_at else now

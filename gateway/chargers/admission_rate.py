"""How many chargers are let in per second: a token bucket, and a line for those that find it empty.

When power or a network comes back, a whole fleet connects at once. Let in together, all of them would be slow, time
out and come again. So each that finds the bucket empty is told when its turn is, as `Retry-After`; turns are handed out
at the rate of the bucket, so that the fleet is in after (its size - burst) / rate seconds. Chargers keep to it or not:
one that comes before its turn keeps its place and does not lengthen the line; one that comes after its turn takes what
is kept for those whose turn it is; one that never comes back is struck off, and others take its place.
"""

import math
import random
from collections import OrderedDict
from collections.abc import Callable

import structlog

_log = structlog.get_logger(__name__)

TURN_KEPT = 5.0
"""Seconds after its turn for which a charger's place is kept from those whose turn it is not."""

LONGEST_LINE = 100_000
"""Chargers that have a place in the line. What comes beyond is told to come after all of them."""

TOLD_EVERY = 10.0
"""Seconds between two lines in the log, however many are told to come later."""


class TokenBucket:
    """`rate` tokens a second, `burst` at the most; full at first. Time is an argument (monotonic seconds)."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate, self.burst = rate, max(1.0, burst)
        self._tokens, self._filled_at = self.burst, now

    def tokens(self, now: float) -> float:
        """What is in it."""
        self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        return self._tokens

    def take(self) -> None:
        """Take one; one that is not there yet is owed."""
        self._tokens -= 1


class AdmissionRate:
    """Decides for each charger that comes whether it is let in now. `rate` 0 lets in all."""

    def __init__(self, rate: float, burst: int, *, now: float, jitter: Callable[[], float] = random.random) -> None:
        self._bucket = TokenBucket(rate, burst, now)
        self._jitter = jitter
        # Both are in the order of their turns, as turns are handed out in order: the earliest stands in front.
        self._waiting: OrderedDict[str, float] = OrderedDict()
        self._due: OrderedDict[str, float] = OrderedDict()
        self._last_turn = now
        self._put_off = self._let_in = 0
        self._told_at = float("-inf")

    @property
    def line(self) -> int:
        """Chargers that were told to come later and have not come since, nor let their turn pass."""
        return len(self._waiting) + len(self._due)

    def admit(self, who: str, now: float) -> int | None:
        """None where the charger may come in; else the whole seconds after which it is to come again."""
        rate = self._bucket.rate
        if not rate:
            return None
        self._look_at_turns(now)
        # Half of a full bucket is anybody's: else it would run over while those are waited for that never come back.
        kept = 0 if who in self._due else min(len(self._due), int(self._bucket.burst / 2))
        if self._bucket.tokens(now) >= kept + 1:
            self._bucket.take()
            self._waiting.pop(who, None)
            self._due.pop(who, None)
            self._let_in += 1
            return None
        self._put_off += 1
        return max(1, math.ceil(self._turn_of(who, now) - now + self._jitter()))

    def tell(self, now: float) -> None:
        """Sum up in the log what became of those that came, now and then while there is a line."""
        self._look_at_turns(now)
        if not self._put_off or now - self._told_at < TOLD_EVERY:
            return
        _log.warning("more chargers connect than are let in at once", told_to_come_later=self._put_off,
                     let_in=self._let_in, in_line=self.line, rate=self._bucket.rate)  # fmt: skip
        self._put_off = self._let_in = 0
        self._told_at = now

    def _turn_of(self, who: str, now: float) -> float:
        turn = self._waiting.get(who)
        if turn is None:
            turn = max(self._last_turn, now) + 1 / self._bucket.rate
            if len(self._waiting) < LONGEST_LINE:
                self._due.pop(who, None)
                self._waiting[who] = self._last_turn = turn
        return turn

    def _look_at_turns(self, now: float) -> None:
        while self._waiting and next(iter(self._waiting.values())) <= now:
            who, turn = self._waiting.popitem(last=False)
            self._due[who] = turn
        while self._due and next(iter(self._due.values())) < now - TURN_KEPT:
            self._due.popitem(last=False)

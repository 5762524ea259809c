"""Ids for messages that bear none. Every node that hears a message makes the same of it, so that what one node does
with it another can find."""

from collections.abc import Callable
from hashlib import blake2b

PERIOD = 300.0
"""Seconds in which equal messages are told apart by counting them."""
EDGE = 10.0
"""Seconds by which the clocks of nodes may differ."""
_MOST = 100_000

Part = bytes | str | None


class Sighting:
    """The ids of one message; `after` leads on to the next ones where those turn out to be another's."""

    def __init__(self, count: Callable[[], tuple[str, ...]], *, may_lag: bool) -> None:
        self._count = count
        self._counted = [count()]
        self.may_lag = may_lag
        """This node may have missed equal messages of the period, so that the ids may be those of one of them."""

    @property
    def ids(self) -> tuple[str, ...]:
        return self._counted[0]

    def after(self, command_id: str) -> tuple[str, ...]:
        """What follows the id of a request that the message makes: the same with the next count.

        All requests of the message are told the same; what theirs bears behind the message's own id stays.
        """
        place = next(at for at, ids in enumerate(self._counted) if command_id.startswith(ids[0]))
        suffix = command_id.removeprefix(self._counted[place][0])
        if place + 1 == len(self._counted):
            self._counted.append(self._count())
        return tuple(f"{one}{suffix}" for one in self._counted[place + 1])


class Sightings:
    """Counts messages that are alike; one node's.

    `heard_since` (Unix seconds) is when it began to hear them without a gap: what came before, it did not count.
    """

    def __init__(self) -> None:
        self.heard_since = 0.0
        self._counts: dict[tuple[int, bytes], int] = {}
        self._period = 0

    def sighting(self, *parts: Part, now: float) -> Sighting:
        """What `ids` tells of a message, and what follows should it be another's."""
        began = now // PERIOD * PERIOD - EDGE
        return Sighting(lambda: self.ids(*parts, now=now), may_lag=self.heard_since > began)

    def ids(self, *parts: Part, now: float) -> tuple[str, ...]:
        """The id of a message that is told by its parts, then those that another node may have given it instead, for
        whose clock it came in the period before or after."""
        digest, period, into = _digest(parts), int(now // PERIOD), now % PERIOD
        self._forget(period)
        count = self._counts.get((period, digest), 0)
        self._counts[period, digest] = count + 1
        ids = [_id(digest, period, count)]
        if into < EDGE:
            ids.append(_id(digest, period - 1, self._counts.get((period - 1, digest), 0)))
        if into > PERIOD - EDGE:
            ids.append(_id(digest, period + 1, 0))
        return tuple(ids)

    def _forget(self, period: int) -> None:
        if period != self._period or len(self._counts) > _MOST:
            kept = {key: count for key, count in self._counts.items() if period - 1 <= key[0] <= period}
            self._period, self._counts = period, kept if len(kept) <= _MOST else {}


def _digest(parts: tuple[Part, ...]) -> bytes:
    whole = blake2b(digest_size=16)
    for part in parts:
        told = (
            b"-" if part is None else b"+" + (part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part)
        )
        whole.update(len(told).to_bytes(8, "big") + told)
    return whole.digest()


def _id(digest: bytes, period: int, count: int) -> str:
    return blake2b(
        digest + period.to_bytes(8, "big", signed=True) + count.to_bytes(8, "big"), digest_size=16
    ).hexdigest()

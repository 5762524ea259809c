"""Ids for messages that bear none. Every node that hears a message makes the same of it, so that what one node does
with it another can find."""

from hashlib import blake2b

PERIOD = 300.0
"""Seconds in which equal messages are told apart by counting them."""
EDGE = 10.0
"""Seconds by which the clocks of nodes may differ."""
_MOST = 100_000

Part = bytes | str | None


class Sightings:
    """Counts messages that are alike; one node's."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, bytes], int] = {}
        self._period = 0

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

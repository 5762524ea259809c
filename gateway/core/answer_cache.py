"""Decisions of business systems on tokens, kept for as long as these said they hold."""

from gateway.core.answers import AuthorizeAnswer
from gateway.core.asking import Said
from gateway.core.clock import instant
from gateway.core.identity import ChargerId
from gateway.core.reports import Token

SIZE = 20_000
"""Decisions that a node remembers; the oldest beyond is forgotten."""


_Key = tuple[ChargerId, str, str | None]


class AnswerCache:
    """What was decided for a charger and a token. `most_seconds` 0 remembers nothing; times are Unix seconds."""

    def __init__(self, most_seconds: float, *, size: int = SIZE) -> None:
        self._most_seconds, self._size = most_seconds, size
        self._known: dict[_Key, tuple[Said[AuthorizeAnswer], float]] = {}

    def get(self, charger: ChargerId, token: Token, now: float) -> Said[AuthorizeAnswer] | None:
        key = _key(charger, token)
        said, until = self._known.get(key, (None, 0.0))
        if said is not None and now >= until:
            del self._known[key]
            return None
        return said

    def put(self, charger: ChargerId, token: Token, said: Said[AuthorizeAnswer], now: float) -> None:
        """Remember a yes that tells how long it holds."""
        key, answer = _key(charger, token), said.answer
        self._known.pop(key, None)
        if answer is None or answer.status != "accepted" or answer.expires_at is None:
            return
        until = min(instant(answer.expires_at), now + self._most_seconds)
        if until <= now:
            return
        self._known[key] = (said, until)
        if len(self._known) > self._size:
            del self._known[next(iter(self._known))]


def _key(charger: ChargerId, token: Token) -> _Key:
    return charger, token.id.casefold(), token.type

"""What the id-token list says of a token, and whether there is a list at all."""

from typing import Any

from pydantic import ValidationError

from gateway.core.answers import AuthorizeAnswer
from gateway.core.clock import Clock, instant, rfc3339
from gateway.core.identity import ChargerId
from gateway.core.patterns import matches
from gateway.core.ports import IdToken, TokenStore
from gateway.core.reports import Token

EMPTINESS_HOLDS = 0.2
"""Seconds for which a node believes that the list is empty, or is not, before it looks again: short, as until then who
has just stored a first token sees every other one accepted."""


class TokenList:
    """The list as a chain asks it. Every method raises LogUnavailable."""

    def __init__(self, store: TokenStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._empty = True
        self._looked_at = float("-inf")

    async def is_empty(self) -> bool:
        """From memory, but for a few looks a second."""
        if self._clock.monotonic() - self._looked_at >= EMPTINESS_HOLDS:
            self._empty = await self._store.is_empty()
            self._looked_at = self._clock.monotonic()
        return self._empty

    async def standing(self, charger: ChargerId, token: Token) -> AuthorizeAnswer | None:
        """What its entry says of a token at a charger; None where it has none. One round trip to Redis."""
        if not token.id.strip():
            return None
        entry = await self._store.find(token.id)
        if entry is None or not _same_type(entry, token):
            return None
        expires = _instant(entry.expires_at)
        said: dict[str, Any] = {
            "status": _status(entry, charger, expires, self._clock.now()),
            "expires_at": None if expires is None else rfc3339(expires),
            "group": entry.group,
        }
        try:
            return AuthorizeAnswer.model_validate(said)
        except ValidationError:
            # Entries are checked when they come in; whatever this one is, it is no yes, and must not stop a charger.
            return AuthorizeAnswer(status="invalid")


def _same_type(entry: IdToken, token: Token) -> bool:
    """OCPP 1.6 tells no type: then nothing speaks against the entry."""
    return entry.type is None or token.type is None or entry.type.casefold() == token.type.casefold()


def _instant(expires_at: str | None) -> float | None:
    """A time that cannot be read is long past."""
    try:
        return None if expires_at is None else instant(expires_at)
    except (ValueError, OverflowError):
        return 0.0


def _status(entry: IdToken, charger: ChargerId, expires: float | None, now: float) -> str:
    if entry.status != "accepted":
        return entry.status
    if expires is not None and expires <= now:
        return "expired"
    return "accepted" if not entry.chargers or matches(entry.chargers, charger) else "not_at_this_location"

"""What the id-token list says of a token, and whether there is a list at all."""

from typing import Any

import structlog
from pydantic import ValidationError

from gateway.core.answers import AuthorizeAnswer
from gateway.core.clock import Clock, instant, rfc3339
from gateway.core.identity import ChargerId
from gateway.core.patterns import matches
from gateway.core.ports import IdToken, ListStanding, TokenStore
from gateway.core.reports import Token

_log = structlog.get_logger(__name__)

EMPTINESS_HOLDS = 0.2
"""Seconds for which a node believes that there is a list, or is none, before it looks again: short, as until then who
has just stored a first token sees every other one accepted."""


_CHANGES = {
    "none": "there is no list of id tokens any more, as Redis lost it: any token may charge",
    "listed": "there is a list of id tokens: a token that is not on it may not charge",
    "emptied": 'the list of id tokens is empty: no token may charge. Set [answers] authorize = ["local"] to accept any',
}


class TokenList:
    """The list as a chain asks it. Every method raises LogUnavailable."""

    def __init__(self, store: TokenStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._standing: ListStanding = "none"
        self._looked_at = float("-inf")

    async def exists(self) -> bool:
        """Whether a list was ever stored; one that was emptied is a list still, and has no token. From memory, but for
        a few looks a second."""
        if self._clock.monotonic() - self._looked_at >= EMPTINESS_HOLDS:
            standing, before = await self._store.standing(), self._standing
            self._standing, self._looked_at = standing, self._clock.monotonic()
            if standing != before:
                _log.warning(_CHANGES[standing])
        return self._standing != "none"

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

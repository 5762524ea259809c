"""Who may charge, and who may use the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gateway.core.ports.stores import Page


@dataclass(slots=True, frozen=True)
class IdToken:
    """An entry of the id-token list. `id` keeps its spelling and is compared without case.

    `status` is AuthorizationStatus in snake_case, `expires_at` RFC 3339 (after it the token is `expired`), `chargers`
    the patterns (`*`, `?`) of the only chargers where it counts, none: everywhere.
    """

    id: str
    status: str = "accepted"
    type: str | None = None
    expires_at: str | None = None
    group: str | None = None
    chargers: tuple[str, ...] = ()
    note: str | None = None


ListStanding = Literal["none", "listed", "emptied"]
"""Whether a list of id tokens was never stored, holds entries, or was emptied again."""


class TokenStore(Protocol):
    """The id-token list of the fleet. Every method raises LogUnavailable where Redis cannot be asked."""

    async def find(self, token_id: str) -> IdToken | None: ...

    async def standing(self) -> ListStanding:
        """Whether there is a list. A first one that is stored in parts is there with its last part."""
        ...

    async def put(self, tokens: Sequence[IdToken]) -> None:
        """Add entries, or replace those of the same id.

        Up to a thousand are stored all or none; where more are given and Redis goes away, the first thousands may be
        there: put them again. Until then a first list counts as none.
        """
        ...

    async def remove(self, token_id: str) -> bool:
        """False where there was none."""
        ...

    async def list(self, *, after: str | None = None, limit: int = 100) -> Page:
        """Entries (IdToken) in the order of their ids. Raises NotFound for a cursor that is none of ours."""
        ...


Scope = Literal["metrics", "read", "command", "admin"]


@dataclass(slots=True, frozen=True)
class ApiKey:
    """An API key without its secret."""

    id: str
    name: str
    scope: Scope
    created_at: float


class ApiKeys(Protocol):
    """API keys, stored as hashes. Raises LogUnavailable."""

    async def create(self, name: str, scope: Scope, *, secret: str | None = None) -> tuple[ApiKey, str]:
        """A new key and its secret, which is shown this once."""
        ...

    async def create_first(self, name: str, scope: Scope) -> tuple[ApiKey, str] | None:
        """The same, but only while there is no key at all; else None. Of nodes that start together one makes it."""
        ...

    async def verify(self, secret: str) -> ApiKey | None: ...

    async def list(self) -> Sequence[ApiKey]: ...

    async def revoke(self, key_id: str) -> None:
        """Raises NotFound."""
        ...

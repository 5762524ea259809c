"""Who may do what: API keys as Bearer token or Basic user name, with scopes
metrics < read < command < admin."""

import hmac
from collections import OrderedDict
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer, SecurityScopes
from pydantic import SecretStr

from adapters.rest import problems
from gateway.core.clock import Clock
from gateway.core.ports import ApiKey, ApiKeys, Scope

_RANK: dict[str, int] = {"metrics": 0, "read": 1, "command": 2, "admin": 3}
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ocpp-gateway", Basic realm="ocpp-gateway", charset="UTF-8"'}

CACHE_SECONDS = 5.0
"""How long a verified key stays valid here after it was revoked on another node."""
CACHE_SIZE = 1024

_BEARER = HTTPBearer(auto_error=False, scheme_name="bearer", description="An API key as Bearer token")
_BASIC = HTTPBasic(auto_error=False, scheme_name="basic", description="An API key as user name; no password")


class Gate:
    """Verifies API keys, and remembers the verdict for a few seconds, so that Redis is not asked per request."""

    def __init__(
        self,
        *,
        keys: ApiKeys,
        clock: Clock,
        admin_key: SecretStr | None,
        metrics_key: SecretStr | None,
        dev: bool,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._configured: list[tuple[bytes, ApiKey]] = []
        if admin_key is not None:
            self._configure(admin_key, "admin_key", "admin")
        if metrics_key is not None:
            self._configure(metrics_key, "metrics_key", "metrics")
        self._dev = dev
        self._verdicts: OrderedDict[bytes, tuple[ApiKey | None, float]] = OrderedDict()

    def _configure(self, secret: SecretStr, option: str, scope: Scope) -> None:
        key = ApiKey("configured", f"{option} of the configuration", scope, 0.0)
        self._configured.append((secret.get_secret_value().encode(), key))

    async def admit(self, secret: str | None, needed: Scope) -> ApiKey:
        """The key that the request came with. Raises HttpProblem (401, 403), LogUnavailable."""
        if self._dev:
            return ApiKey("dev", "serve --dev", "admin", 0.0)
        if secret is None:
            detail = "Send an API key: 'Authorization: Bearer <key>', or Basic with the key as user name."
            raise problems.HttpProblem(problems.UNAUTHENTICATED, detail, headers=_CHALLENGE)
        key = await self._verified(secret)
        if key is None:
            detail = (
                "This API key is unknown or was revoked; an admin can make a new one (POST /v1/api-keys). Where no key "
                "is left, set rest.admin_key in the configuration: it counts as one of scope admin."
            )
            raise problems.HttpProblem(problems.UNAUTHENTICATED, detail, headers=_CHALLENGE)
        if _RANK[key.scope] < _RANK[needed]:
            detail = f"This needs an API key of scope {needed}; yours ({key.name}) has scope {key.scope}."
            raise problems.HttpProblem(problems.FORBIDDEN, detail)
        return key

    def forget(self) -> None:
        """Forget all verdicts: a key was revoked."""
        self._verdicts.clear()

    async def _verified(self, secret: str) -> ApiKey | None:
        given = secret.encode("utf-8", "surrogatepass")
        for secret_bytes, configured in self._configured:
            if hmac.compare_digest(given, secret_bytes):
                return configured
        digest = sha256(given).digest()
        known = self._verdicts.get(digest)
        if known is not None and known[1] > self._clock.monotonic():
            return known[0]
        key = await self._keys.verify(secret)
        self._verdicts[digest] = (key, self._clock.monotonic() + CACHE_SECONDS)
        self._verdicts.move_to_end(digest)
        while len(self._verdicts) > CACHE_SIZE:
            self._verdicts.popitem(last=False)
        return key


async def _authorize(
    scopes: SecurityScopes,
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    basic: Annotated[HTTPBasicCredentials | None, Security(_BASIC)],
) -> None:
    gate: Gate = request.app.state.services.gate
    secret = bearer.credentials if bearer is not None else basic.username if basic is not None else None
    needed = max(scopes.scopes, key=lambda scope: _RANK[scope])
    request.state.api_key = await gate.admit(secret, needed)  # type: ignore[arg-type]


def needs(scope: Scope) -> Any:
    """The dependency of a route that only keys of this scope, or a higher one, may use."""
    return Security(_authorize, scopes=[scope])


def key_of(request: Request) -> ApiKey:
    """The key that an admitted request came with."""
    key: ApiKey = request.state.api_key
    return key

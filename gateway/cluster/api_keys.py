"""API keys: random, shown once, stored as hashes."""

import hashlib
import secrets
from collections.abc import Sequence

import orjson

from gateway.cluster.keys import API_KEYS
from gateway.cluster.lane import Lane
from gateway.cluster.scripts import script
from gateway.core.clock import Clock
from gateway.core.errors import NotFound
from gateway.core.ports import ApiKey, Scope

PREFIX = "ogw_"


class StoredApiKeys:
    """The ApiKeys. A key's secret has 256 random bits, so a plain fast hash of it gives nothing away."""

    def __init__(self, lane: Lane, *, clock: Clock) -> None:
        self._lane, self._clock = lane, clock

    async def create(self, name: str, scope: Scope, *, secret: str | None = None) -> tuple[ApiKey, str]:
        secret = secret or _new_secret()
        key = self._new_key(name, scope)
        await self._lane.call("HSET", API_KEYS, _digest(secret), _stored(key))
        return key, secret

    async def create_first(self, name: str, scope: Scope) -> tuple[ApiKey, str] | None:
        secret, key = _new_secret(), self._new_key(name, scope)
        made = await self._lane.script(script("first_key"), [API_KEYS], [_digest(secret), _stored(key)])
        return (key, secret) if made else None

    async def verify(self, secret: str) -> ApiKey | None:
        stored = await self._lane.call("HGET", API_KEYS, _digest(secret))
        return None if stored is None else _key(stored)

    async def list(self) -> Sequence[ApiKey]:
        """All keys, oldest first."""
        return sorted((key for _, key in await self._all()), key=lambda key: (key.created_at, key.id))

    async def revoke(self, key_id: str) -> None:
        """Raises NotFound."""
        digests = [digest for digest, key in await self._all() if key.id == key_id]
        if not digests or not await self._lane.call("HDEL", API_KEYS, *digests):
            raise NotFound(f"no API key {key_id}")

    def _new_key(self, name: str, scope: Scope) -> ApiKey:
        return ApiKey(secrets.token_hex(6), name, scope, self._clock.now())

    async def _all(self) -> Sequence[tuple[bytes, ApiKey]]:
        flat = await self._lane.call("HGETALL", API_KEYS)
        return [(flat[at], _key(flat[at + 1])) for at in range(0, len(flat), 2)]


def _new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _stored(key: ApiKey) -> bytes:
    return orjson.dumps({"id": key.id, "name": key.name, "scope": key.scope, "created_at": key.created_at})


def _key(stored: bytes) -> ApiKey:
    fields = orjson.loads(stored)
    return ApiKey(fields["id"], fields["name"], fields["scope"], fields["created_at"])

"""What operators store per charger: its Basic-auth password, as a keyed fast hash, and the subprotocol to prefer.

A slow hash would let a node verify a few dozen handshakes a second, when thousands of chargers come back at once. The
hash is keyed with a secret of the database instead, salted per charger, and a password is long and random by OCPP's
own rules (16 to 40 characters).
"""

import hmac
import secrets
from hashlib import blake2b

from gateway.cluster.keys import SECRET, Keys
from gateway.cluster.link import Lane
from gateway.core.identity import ChargerId
from gateway.core.ports import ChargerSettings

_SALT_BYTES = 16


class Settings:
    """The SettingsStore, and the check of a password. Every method raises LogUnavailable."""

    def __init__(self, lane: Lane, keys: Keys) -> None:
        self._lane, self._keys = lane, keys

    async def get(self, charger: ChargerId) -> ChargerSettings:
        key = self._keys.charger(charger).settings
        subprotocol, check = await self._lane.call("HMGET", key, "subprotocol", "password")
        return ChargerSettings(subprotocol.decode() if subprotocol else None, check is not None)

    async def set_subprotocol(self, charger: ChargerId, subprotocol: str | None) -> None:
        await self._set(charger, "subprotocol", subprotocol)

    async def set_password(self, charger: ChargerId, password: bytes | None) -> None:
        if password is None:
            await self._set(charger, "password", None)
            return
        salt = secrets.token_bytes(_SALT_BYTES)
        await self._set(charger, "password", salt + _hash(password, salt, await self._secret()))

    async def check_password(self, charger: ChargerId, password: bytes) -> bool:
        """True where this is the charger's password; false also where it has none."""
        stored, secret = await self._lane.calls(
            [("HGET", self._keys.charger(charger).settings, "password"), ("GET", SECRET)]
        )
        if not stored or not secret:
            return False
        salt, digest = stored[:_SALT_BYTES], stored[_SALT_BYTES:]
        return hmac.compare_digest(digest, _hash(password, salt, secret))

    async def _secret(self) -> bytes:
        """The database's secret, made where it has none."""
        _, secret = await self._lane.calls([("SET", SECRET, secrets.token_bytes(32), "NX"), ("GET", SECRET)])
        return bytes(secret)

    async def _set(self, charger: ChargerId, field: str, value: str | bytes | None) -> None:
        key = self._keys.charger(charger).settings
        await self._lane.call(*(("HDEL", key, field) if value is None else ("HSET", key, field, value)))


def _hash(password: bytes, salt: bytes, secret: bytes) -> bytes:
    return blake2b(password, key=secret, salt=salt, digest_size=32).digest()

"""What operators store per charger: its Basic-auth password, as a keyed fast hash, the subprotocol to prefer, and how
its boots are answered.

A slow hash would let a node verify a few dozen handshakes a second, when thousands of chargers come back at once. The
hash is keyed with a secret of the database instead, salted per charger, and a password is long and random by OCPP's
own rules (16 to 40 characters).
"""

import hmac
import secrets
from collections.abc import Mapping
from hashlib import blake2b

import orjson

from gateway.cluster.keys import SECRET, Keys
from gateway.cluster.lane import Lane
from gateway.core.identity import ChargerId
from gateway.core.ports import ChargerSettings, Registration

_SALT_BYTES = 16
_REGISTRATIONS: Mapping[bytes | None, Registration] = {
    b"accepted": "accepted",
    b"pending": "pending",
    b"rejected": "rejected",
}


class Settings:
    """The SettingsStore, and the check of a password. Every method raises LogUnavailable."""

    def __init__(self, lane: Lane, keys: Keys) -> None:
        self._lane, self._keys = lane, keys

    async def get(self, charger: ChargerId) -> ChargerSettings:
        keys = self._keys.charger(charger)
        (subprotocol, check, registration), state = await self._lane.calls(
            [("HMGET", keys.settings, "subprotocol", "password", "registration"), ("HGET", keys.state, "charger")]
        )
        return ChargerSettings(
            subprotocol.decode() if subprotocol else None,
            check is not None,
            *_make(state),
            registration=_REGISTRATIONS.get(registration),
        )

    async def set_subprotocol(self, charger: ChargerId, subprotocol: str | None) -> None:
        await self._set(charger, "subprotocol", subprotocol)

    async def set_registration(self, charger: ChargerId, registration: Registration | None) -> None:
        await self._set(charger, "registration", registration)

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


def _make(state: bytes | None) -> tuple[str | None, str | None, str | None]:
    """Vendor, model and firmware of a snapshot's field `charger`, None where they are not known."""
    try:
        told = orjson.loads(state or b"{}")
        vendor, model, firmware = (told.get(name) for name in ("vendor", "model", "firmware_version"))
    except (ValueError, AttributeError):
        return None, None, None
    return _text(vendor), _text(model), _text(firmware)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _hash(password: bytes, salt: bytes, secret: bytes) -> bytes:
    return blake2b(password, key=secret, salt=salt, digest_size=32).digest()

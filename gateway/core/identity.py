"""Who a charger is: tenant and identity, and how the two are spelt in topics, URLs and Redis keys."""

import zlib
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

_RESERVED = frozenset("/+#%$")

MAX_IDENTITY_LENGTH = 48
"""OCPP 2.0.1 part 4, section 3.1.1: an identity has at most 48 characters; 1.6J has no limit of its own."""


def percent_encode(text: str) -> str:
    """Encode `/ + # % $`, controls and non-ASCII as UTF-8 with upper-case hex; leave all else as it is."""
    if text.isascii() and text.isprintable() and _RESERVED.isdisjoint(text):
        return text
    return "".join(
        char
        if char.isascii() and char.isprintable() and char not in _RESERVED
        else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in text
    )


def percent_decode(text: str) -> str:
    """Undo `percent_encode`; raises ValueError where the bytes are not UTF-8."""
    return unquote(text, encoding="utf-8", errors="strict")


@dataclass(frozen=True, slots=True, order=True)
class ChargerId:
    """A charger's identity within a tenant; the default tenant is unnamed ("").

    `encoded` is the identity as it stands in topics, URLs and keys; `source` is the CloudEvents source; `key` is
    `<tenant>:<encoded identity>`, the part of a Redis key that names the charger.
    """

    identity: str
    tenant: str = ""
    encoded: str = field(init=False, compare=False, repr=False)
    source: str = field(init=False, compare=False, repr=False)
    key: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "encoded", percent_encode(self.identity))
        object.__setattr__(self, "key", f"{percent_encode(self.tenant).replace(':', '%3A')}:{self.encoded}")
        path = "/chargers/" + quote(self.identity, safe="~!'()*:;=@,&-._")
        object.__setattr__(self, "source", f"/tenants/{quote(self.tenant)}{path}" if self.tenant else path)

    def __str__(self) -> str:
        return f"{self.tenant}/{self.identity}" if self.tenant else self.identity

    @classmethod
    def from_key(cls, key: str) -> "ChargerId":
        tenant, _, encoded = key.partition(":")
        return cls(percent_decode(encoded), percent_decode(tenant))

    def shard(self, shards: int) -> int:
        """The shard that this charger belongs to: stable across nodes, versions and platforms."""
        return zlib.crc32(self.key.encode()) % shards

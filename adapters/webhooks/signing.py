"""Signatures as Standard Webhooks has them (standardwebhooks.com): pure functions."""

import base64
import hmac
from hashlib import sha256

PREFIX = "whsec_"
RESERVED_HEADERS = frozenset(
    {
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    }
)
"""What every request bears anyway, or what says where it ends."""


def signing_key(secret: str) -> bytes:
    """The key that a secret stands for. Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(
            "a secret is whsec_ and the base64 of 24 to 64 random bytes; make one by: "
            'echo "whsec_$(openssl rand -base64 32)"'
        )
    return key


def signed_headers(key: bytes | None, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that name a message, and with a key sign it."""
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if key is not None:
        signed = f"{message_id}.{timestamp}.".encode() + body
        digest = hmac.new(key, signed, sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers

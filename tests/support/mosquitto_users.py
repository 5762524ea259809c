"""A mosquitto that asks for a password, and has an ACL."""

import base64
import hashlib
from pathlib import Path

from tests.support.servers import Mosquitto


def guarded(folder: Path, *, user: str, password: str, acl: str) -> Mosquitto:
    """It knows one user, with the rights of `acl` (lines of an ACL file); not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("passwords", f"{user}:{_hashed(password)}\n"), ("acl", f"user {user}\n{acl}\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    lines = ("allow_anonymous false", f"password_file {folder}/passwords", f"acl_file {folder}/acl")
    return Mosquitto(folder, *lines)


def _hashed(password: str) -> str:
    """As mosquitto keeps it: PBKDF2 with SHA-512."""
    salt = b"twelve bytes"
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"$7$101${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"

"""Redis servers with exactly the users of deploy/redis, and one more for the test's own questions."""

from pathlib import Path

import redis

from tests.support.servers import Valkey

FOLDER = Path(__file__).parents[2] / "deploy" / "redis"
PASSWORD = "a-password-of-tests"
_ADMIN = "user default on >admin ~* &* +@all"


def users(folder: Path, *, without: str = "", instead: str = "") -> Path:
    """The committed file, with our password, and `without` one of its words."""
    rules = (FOLDER / "users.acl").read_text().replace(">change-me", f">{PASSWORD}").split()
    assert not without or without in rules
    rules = [instead if word == without else word for word in rules]
    path = folder / "users.acl"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{_ADMIN}\n{' '.join(word for word in rules if word)}\n")
    return path


def login(server: Valkey) -> str:
    """The URL of the gateway's user."""
    return server.url.replace("//", f"//gateway:{PASSWORD}@")


def admin(server: Valkey) -> "redis.Redis[bytes]":
    return redis.Redis(port=server.port, password="admin")


def refusals(server: Valkey) -> list[str]:
    """What the server refused anybody for want of a right or a password, by its own log."""
    with admin(server) as client:
        return [f"{entry['username']}: {entry['reason']} {entry['object']}" for entry in client.acl_log(128)]

"""What is asked of a database before it is used: that it is there, new enough, durable, and cut as we think."""

import asyncio

import structlog

from gateway.cluster.keys import DEFAULT_SHARDS, SHARDS
from gateway.cluster.link import Backoff, Lane
from gateway.core.errors import ConfigurationError, LogUnavailable

log = structlog.get_logger(__name__)

_OLDEST = (6, 2)
_SAY_SO_EVERY = 10.0


async def wait_for_redis(lane: Lane, address: str) -> dict[str, str]:
    """Redis's own account of itself (INFO); waits while it is away, and says so."""
    backoff, waited = Backoff(), _SAY_SO_EVERY
    while True:
        try:
            return _parsed(await lane.call("INFO"))
        except LogUnavailable as error:
            if waited >= _SAY_SO_EVERY:
                log.warning("waiting for redis", address=address, problem=str(error))
                waited = 0.0
            wait = backoff.next()
            waited += wait
            await asyncio.sleep(wait)


def check_server(info: dict[str, str]) -> None:
    """Raises ConfigurationError where the server is too old; warns where it may lose what it was given."""
    version = info.get("redis_version", "0")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < _OLDEST:
        raise ConfigurationError(f"Redis {version} is too old: 6.2 or newer, or Valkey, is needed")
    if info.get("aof_enabled") != "1":
        log.warning(
            "redis keeps no append-only file: what chargers were told is stored is lost when it restarts",
            remedy="set appendonly yes and appendfsync always in its configuration",
        )
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        log.warning("redis may throw data away when it is full", maxmemory_policy=policy, remedy="set noeviction")


async def settle_shards(lane: Lane, configured: int | None) -> int:
    """The number of shards, which the database's first user sets.

    Raises ConfigurationError where another number is configured, LogUnavailable.
    """
    _, stored = await lane.calls([("SET", SHARDS, configured or DEFAULT_SHARDS, "NX"), ("GET", SHARDS)])
    shards = int(stored)
    if configured is not None and configured != shards:
        raise ConfigurationError(
            f"shards is {configured}, but this Redis database was first used with {shards}, and that cannot be "
            f"changed: set shards to {shards} or leave it out, or use an empty database"
        )
    return shards


def _parsed(info: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in info.decode(errors="replace").splitlines() if not line.startswith("#"))
    return {name: value.strip() for name, _, value in lines if name}

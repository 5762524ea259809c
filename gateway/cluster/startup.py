"""What is asked of a database before it is used: that it is there, new enough, durable, and cut as we think."""

import asyncio
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from gateway.cluster.backoff import Backoff
from gateway.cluster.keys import CLUSTER_SHARDS, DEFAULT_SHARDS, SHARDS
from gateway.cluster.lane import Lane
from gateway.cluster.link import Link
from gateway.cluster.wire import explained, lacks_right
from gateway.core.errors import ConfigurationError, LogUnavailable

log = structlog.get_logger(__name__)

_OLDEST = (6, 2)
_SAY_SO_EVERY = 10.0

Info = dict[str, str]


async def wait_for_redis(lane: Lane, link: Link) -> dict[str, Info]:
    """Each primary's account of itself (INFO), by its address; waits while one is away, and says so.

    Raises ConfigurationError where waiting will not help.
    """
    backoff, waited = Backoff(), _SAY_SO_EVERY
    while True:
        try:
            return {address: account(reply) for address, reply in (await lane.each("INFO")).items()}
        except LogUnavailable as error:
            if link.cluster is not None and link.cluster.unfit is not None:
                raise link.cluster.unfit from error
            if waited >= _SAY_SO_EVERY:
                log.warning("waiting for redis", address=link.address, problem=str(error))
                waited = 0.0
            wait = backoff.next()
            waited += wait
            await asyncio.sleep(wait)


def check_servers(infos: dict[str, Info], link: Link) -> None:
    """Raises ConfigurationError where the servers cannot be used so; warns where one may lose what it was given."""
    for address, info in infos.items():
        check_server(info, address)
        if info.get("cluster_enabled") == "1" and link.cluster is None:
            raise ConfigurationError(
                f"Redis at {address} is a node of a Cluster: begin its URL with redis+cluster:// (or rediss+cluster://)"
            )


def check_server(info: Info, address: str = "") -> None:
    """Raises ConfigurationError where the server is too old; warns where it may lose what it was given."""
    if too_old(info):
        raise ConfigurationError(
            f"Redis {info.get('redis_version', '0')} is too old: 6.2 or newer, or Valkey, is needed"
        )
    for gap in shortcomings(info):
        log.warning(gap.told, address=address, **gap.facts, remedy=gap.remedy)


def too_old(info: Info) -> bool:
    """Whether a server is older than what the gateway needs."""
    numbers = tuple(int(part) for part in info.get("redis_version", "0").split(".")[:2] if part.isdigit())
    return numbers < _OLDEST


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """How a server may lose what it was given, and how that is mended."""

    told: str
    remedy: str
    facts: dict[str, str]


def shortcomings(info: Info) -> list[Shortcoming]:
    """How this server may lose what it was given."""
    found = []
    if info.get("aof_enabled") != "1":
        told = "redis keeps no append-only file: what chargers were told is stored is lost when it restarts"
        found.append(Shortcoming(told, "set appendonly yes and appendfsync always in its configuration", {}))
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        facts = {"maxmemory_policy": policy}
        found.append(Shortcoming("redis may throw data away when it is full", "set noeviction", facts))
    return found


async def settle_shards(lane: Lane, link: Link, configured: int | None) -> int:
    """The number of shards, which the database's first user sets.

    Raises ConfigurationError where another number is configured, LogUnavailable.
    """
    default = DEFAULT_SHARDS if link.cluster is None else CLUSTER_SHARDS
    _, stored = await lane.calls([("SET", SHARDS, configured or default, "NX"), ("GET", SHARDS)])
    shards = int(stored)
    if configured is not None and configured != shards:
        raise ConfigurationError(
            f"shards is {configured}, but this Redis database was first used with {shards}, and that cannot be "
            f"changed: set shards to {shards} or leave it out, or use an empty database"
        )
    return shards


def account(info: bytes | RedisError) -> Info:
    """A server's account of itself, of what it replied to INFO. Raises ConfigurationError, LogUnavailable."""
    if isinstance(info, RedisError):
        raise (ConfigurationError if lacks_right(info) else LogUnavailable)(explained(info)) from info
    lines = (line.partition(":") for line in info.decode(errors="replace").splitlines() if not line.startswith("#"))
    return {name: value.strip() for name, _, value in lines if name}

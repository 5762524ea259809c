"""Whether the Redis user may do what the gateway does, tried on keys of its own before anything depends on it."""

import re

from redis.exceptions import RedisError

from gateway.cluster.address import told
from gateway.cluster.keys import MOST_SHARDS, shard_prefix
from gateway.cluster.lane import Lane
from gateway.cluster.link import Link
from gateway.cluster.wire import Call, explained, lacks_right
from gateway.core.errors import ConfigurationError

# As Redis 6 and 7, and Valkey, say it.
_NO_KEY = re.compile(r"permissions to access (a|the|one of the) .*key", re.IGNORECASE)

_PROBES: tuple[tuple[str | int, ...], ...] = (
    ("SET", "{}", 1, "PX", 60_000),
    ("GET", "{}"),
    ("EXISTS", "{}"),
    ("EXPIRE", "{}", 60),
    ("PEXPIRE", "{}", 60_000),
    ("DEL", "{}"),
    ("MGET", "{}"),
    ("PTTL", "{}"),
    ("HSET", "{}", "f", 1),
    ("HSETNX", "{}", "f", 1),
    ("HEXISTS", "{}", "f"),
    ("HLEN", "{}"),
    ("HGET", "{}", "f"),
    ("HMGET", "{}", "f"),
    ("HGETALL", "{}"),
    ("HKEYS", "{}"),
    ("HDEL", "{}", "f"),
    ("SADD", "{}", "m"),
    ("SMEMBERS", "{}"),
    ("SREM", "{}", "m"),
    ("ZADD", "{}", 0, "m"),
    ("ZCARD", "{}"),
    ("ZSCORE", "{}", "m"),
    ("ZRANGE", "{}", 0, -1),
    ("ZRANGEBYSCORE", "{}", "-inf", "+inf"),
    ("ZREVRANGEBYSCORE", "{}", "+inf", "-inf"),
    ("ZRANGEBYLEX", "{}", "-", "+"),
    ("ZREMRANGEBYSCORE", "{}", "-inf", "-inf"),
    ("ZREM", "{}", "m"),
    ("RPUSH", "{}", "m"),
    ("LRANGE", "{}", 0, -1),
    ("LTRIM", "{}", 1, 0),
    ("XADD", "{}", "*", "f", 1),
    ("XLEN", "{}"),
    ("XRANGE", "{}", "-", "+"),
    ("XREVRANGE", "{}", "+", "-"),
    ("XREAD", "STREAMS", "{}", "0-0"),
    ("XTRIM", "{}", "MAXLEN", 0),
    ("XDEL", "{}", "0-1"),
    ("DEL", "{}"),
)
"""Each command that the gateway or a script uses, harmless, on one key: `{}`. They are tried in this order."""


async def check_rights(lane: Lane, link: Link, *, node: str, waits: bool) -> None:
    """Raises ConfigurationError that names what is refused, on any primary; LogUnavailable."""
    for address, key in _keys_to_try(link, node).items():
        probes: list[Call] = [tuple(key if part == "{}" else part for part in probe) for probe in _PROBES]
        probes += [("TIME",), ("EVALSHA", "0" * 40, 1, key), ("EVAL", "return 1", 1, key), ("SCRIPT", "LOAD", "return")]
        if waits:
            probes.append(("WAIT", 0, 1))
        missing = {
            _what(probe, reply): explained(reply)
            for probe, reply in zip(probes, await lane.tries(probes, at=key), strict=True)
            if isinstance(reply, RedisError) and lacks_right(reply)
        }
        if missing:
            raise ConfigurationError(f"Redis at {address} refuses {', '.join(missing)}: {next(iter(missing.values()))}")


def _keys_to_try(link: Link, node: str) -> dict[str, str]:
    """A key for each primary that holds a shard, by its address."""
    found: dict[str, str] = {}
    for shard in range(MOST_SHARDS):
        key = f"{shard_prefix(shard)}rights:{node}"
        server = None if link.cluster is None else link.cluster.server_of(key)
        found.setdefault(link.address if server is None else told(server), key)
    return found


def _what(probe: Call, refusal: RedisError) -> str:
    """What is refused: the command, or its key."""
    return "the keys ocpp:*" if _NO_KEY.search(str(refusal)) else str(probe[0]).lower()

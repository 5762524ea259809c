"""Whether the Redis user may do what the gateway does, tried on keys of its own before anything depends on it."""

from collections.abc import Sequence

from redis.exceptions import NoScriptError, RedisError

from gateway.cluster.address import told
from gateway.cluster.keys import Keys
from gateway.cluster.lane import Lane
from gateway.cluster.link import Link
from gateway.cluster.wire import Call, explained, lacks_right
from gateway.core.errors import ConfigurationError

_PROBES: tuple[tuple[str | int, ...], ...] = (
    ("SET", "{}", 1, "PX", 60_000),
    ("GET", "{}"),
    ("EXISTS", "{}"),
    ("EXPIRE", "{}", 60),
    ("PEXPIRE", "{}", 60_000),
    ("DEL", "{}"),
    ("MGET", "{}"),
    ("HSET", "{}", "f", 1),
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
    ("ZRANGEBYSCORE", "{}", "-inf", "+inf"),
    ("ZREVRANGEBYSCORE", "{}", "+inf", "-inf"),
    ("ZRANGEBYLEX", "{}", "-", "+"),
    ("ZREMRANGEBYSCORE", "{}", "-inf", "-inf"),
    ("ZREM", "{}", "m"),
    ("RPUSH", "{}", "m"),
    ("LRANGE", "{}", 0, -1),
    ("LTRIM", "{}", 1, 0),
    ("XADD", "{}", "*", "f", 1),
    ("XRANGE", "{}", "-", "+"),
    ("XREVRANGE", "{}", "+", "-"),
    ("XREAD", "STREAMS", "{}", "0-0"),
    ("XTRIM", "{}", "MAXLEN", 0),
    ("XDEL", "{}", "0-1"),
    ("XINFO", "STREAM", "{}"),
    ("DEL", "{}"),
)
"""Each command that the gateway or a script uses, harmless, on one key: `{}`. They are tried in this order."""


async def check_rights(lane: Lane, link: Link, keys: Keys, *, node: str, waits: bool) -> None:
    """Raises ConfigurationError that names every command which is refused, on every primary; LogUnavailable."""
    for address, key in _keys_to_try(link, keys, node).items():
        probes: list[Call] = [tuple(key if part == "{}" else part for part in probe) for probe in _PROBES]
        probes += [("TIME",), ("EVALSHA", "0" * 40, 1, key), ("EVAL", "return 1", 1, key), ("SCRIPT", "LOAD", "return")]
        if waits:
            probes.append(("WAIT", 0, 1))
        missing = [
            (_name(probe), explained(reply))
            for probe, reply in zip(probes, await lane.tries(probes, at=key), strict=True)
            if isinstance(reply, RedisError) and not isinstance(reply, NoScriptError) and lacks_right(reply)
        ]
        if missing:
            names = ", ".join(name for name, _ in missing)
            raise ConfigurationError(
                f"the Redis user lacks rights at {address}: {names}. The first refusal: {missing[0][1]}"
            )


def _keys_to_try(link: Link, keys: Keys, node: str) -> dict[str, str]:
    """A key for each primary that holds shards, by its address."""
    cluster = link.cluster
    found: dict[str, str] = {}
    for shard in keys.all_shards():
        key = f"{shard.prefix}rights:{node}"
        server = None if cluster is None else cluster.server_of(key)
        found.setdefault(link.address if server is None else told(server), key)
    return found


def _name(probe: Sequence[object]) -> str:
    return str(probe[0]).lower()

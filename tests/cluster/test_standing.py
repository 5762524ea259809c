"""What is told of the log to those who watch: its size, the readers' lag, dead letters, who reads it."""

from dataclasses import dataclass, field

import redis

from gateway.cluster.standing import Standing
from gateway.core.clock import SystemClock
from gateway.core.errors import DeliveryImpossible, DeliveryRefused
from tests.cluster.support import CP1, Counts, FakeReader, Node, eventually, message, reading, running
from tests.cluster.test_bounds import accounted
from tests.support.servers import Valkey


@dataclass
class Board(Counts):
    """What the last look told, of shard 0."""

    size: tuple[int, int] = (0, 0)
    lags: dict[str, tuple[float, int]] = field(default_factory=dict)
    dead: int = -1

    def log_size(self, shard: int, size: int, limit: int) -> None:
        self.size = (size, limit)

    def lag(self, reader: str, shard: int, seconds: float, size: int) -> None:
        self.lags[reader] = (seconds, size)

    def dead_letters(self, shard: int, count: int) -> None:
        self.dead = count


def watching(node: Node) -> tuple[Standing, Board]:
    board, cluster = Board(), node.cluster
    standing = Standing(cluster._lane, cluster._keys, cluster._config, clock=SystemClock(), observer=board)
    return standing, board


async def test_tells_how_far_a_reader_is_behind_and_that_it_has_come_after(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1, log_hard_max_bytes=1_000_000) as node:
        standing, board = watching(node)
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        reader = FakeReader(None, *[DeliveryRefused("an ACL says no", topic="t")] * 1000)
        async with reading(node, reader):
            await node.cluster.log.commit(message(CP1, epoch, 1))
            await eventually(lambda: reader.ids == ["event-1"])
            await eventually(lambda: stored_cursor(valkey))
            await standing.look()
            assert board.lags == {"mqtt": (0.0, 0)}
            before = accounted(valkey)[0]
            await node.cluster.log.commit(message(CP1, epoch, 2))
            await eventually(lambda: len(reader.attempts) >= 2)
            await standing.look()
            seconds, size = board.lags["mqtt"]
            assert board.size == (accounted(valkey)[0], 1_000_000)
            assert size == board.size[0] - before > 0
            assert 0 <= seconds < 100


def stored_cursor(valkey: Valkey) -> bool:
    with redis.Redis.from_url(valkey.url) as client:
        return client.get("ocpp:{s00}:cursor:mqtt") == client.xrevrange("ocpp:{s00}:log", count=1)[0][0]


async def test_a_reader_that_nobody_runs_any_more_is_not_behind(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        standing, board = watching(node)
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        await node.cluster.log.commit(message(CP1, epoch, 1))
        with redis.Redis.from_url(valkey.url) as client:
            client.zadd("ocpp:readers", {"retired": SystemClock().now()})
            await standing.look()
            assert board.lags["retired"][1] == accounted(valkey)[0]
            client.zrem("ocpp:readers", "retired")
        await standing.look()
        assert board.lags["retired"] == (0.0, 0)


async def test_tells_how_many_dead_letters_there_are(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        standing, board = watching(node)
        await standing.look()
        assert board.dead == 0
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        reader = FakeReader(DeliveryImpossible("too large", confirmed=0))
        async with reading(node, reader):
            await node.cluster.log.commit(message(CP1, epoch, 1))
            await eventually(lambda: "parked" in node.counts.outcomes)
        await standing.look()
        assert board.dead == 1

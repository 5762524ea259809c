"""What is asked of a database before it is used, and that every script keeps to one slot."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import ValidationError
from structlog.testing import capture_logs

from gateway.cluster.startup import check_server
from gateway.core.errors import ConfigurationError
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from gateway.core.transaction_query import TransactionQuery
from tests.cluster.support import CP1, FakeReader, Node, eventually, message, reading, running
from tests.support.servers import RedisServer, Valkey
from tests.support.topologies import ClusterNode


async def test_the_number_of_shards_is_set_by_the_first_and_checked(valkey: Valkey) -> None:
    async with running(valkey.url, shards=2):
        pass
    async with running(valkey.url) as node:
        assert node.cluster._keys.shards == 2
    with pytest.raises(ConfigurationError, match="set shards to 2"):
        await Node(valkey.url, shards=3).start()


@pytest.mark.parametrize("url", [None, "http://localhost", "redis://localhost:notaport/0", "localhost:6379"])
async def test_a_url_that_cannot_work_is_refused(url: str | None) -> None:
    with pytest.raises((ConfigurationError, ValidationError)):
        await Node(url).start()


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"redis_version": "7.2.4", "aof_enabled": "1", "maxmemory_policy": "noeviction"}, []),
        ({"redis_version": "7.2.4", "aof_enabled": "0"}, ["append-only"]),
        ({"redis_version": "6.2.0", "aof_enabled": "1", "maxmemory_policy": "allkeys-lru"}, ["throw data away"]),
    ],
)
def test_a_server_that_may_lose_data_is_warned_of(info: dict[str, str], words: list[str]) -> None:
    with capture_logs() as lines:
        check_server(info)
    assert len(lines) == len(words)
    assert all(word in line["event"] for word, line in zip(words, lines, strict=True))


def test_a_server_that_is_too_old_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"6\.2"):
        check_server({"redis_version": "6.0.16"})


@pytest.fixture
def unix_valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path / "v", "--unixsocket", str(tmp_path / "v" / "s"), "--requirepass", "hush")
    server.start()
    yield server
    server.stop()


async def test_a_unix_socket_and_a_password_are_understood(unix_valkey: Valkey) -> None:
    async with running(f"unix://:hush@{unix_valkey.folder}/s") as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        assert await node.cluster.log.commit(message(CP1, epoch, 1)) is None
        assert "hush" not in node.cluster._link.address


@pytest.fixture
def cluster_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey in cluster mode, all slots on it: it refuses calls whose keys lie in several slots."""
    server = ClusterNode(tmp_path / "v")
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("CLUSTER ADDSLOTSRANGE 0 16383")
    yield server
    server.stop()


@pytest.fixture
def plain_redis(tmp_path: Path) -> Iterator[Valkey]:
    """Redis itself, where the machine has it."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    server = RedisServer(tmp_path / "r")
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize(("server", "scheme"), [("cluster_valkey", "redis+cluster:"), ("plain_redis", "redis:")])
async def test_every_call_keeps_to_one_slot_and_to_what_redis_knows(
    server: str, scheme: str, request: pytest.FixtureRequest
) -> None:
    async with running(request.getfixturevalue(server).url.replace("redis:", scheme)) as node:
        cluster = node.cluster
        await eventually(lambda: node.health.level() == "ok")
        chargers = [ChargerId(f"CP{number}") for number in range(12)]
        reader = FakeReader()
        async with reading(node, reader):
            for number, charger in enumerate(chargers):
                epoch = (await cluster.ownership.claim(charger)).epoch
                record = {f"t{number}": b"{}"}
                fields = {"charger": b"{}", "memory": b'{"active":["t%d","u"]}' % number}
                await cluster.log.commit(message(charger, epoch, number, key="k", fields=fields, transactions=record))
                assert len((await cluster.ownership.claim(charger)).transactions) == 1
            await eventually(lambda: len(reader.entries) == len(chargers))
        assert len((await cluster.state.transactions(TransactionQuery())).items) == len(chargers)
        await cluster._trimmer.trim()
        epoch = (await cluster.ownership.claim(chargers[0])).epoch
        await cluster.log.commit(Commit(chargers[0], epoch, []))
        await cluster.ownership.release(chargers[0], epoch)
        await cluster.state.remove_charger(chargers[0])
        await cluster.later.schedule(chargers[1], "kind", 0.0, b"")
        await eventually(lambda: not node.hooks.works.empty())

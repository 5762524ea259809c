"""With replicas, a receipt is given only when they have the commit, too."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from gateway.cluster.scripts import script
from gateway.cluster.wire import REPLY_SECONDS, Wire
from tests.cluster.support import CP1, eventually, message, running
from tests.support.servers import Valkey


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Valkey, Valkey]]:
    """A primary and its replica."""
    (tmp_path / "primary").mkdir()
    (tmp_path / "replica").mkdir()
    primary = Valkey(tmp_path / "primary", "--repl-diskless-sync-delay", "0")
    primary.start()
    replica = Valkey(tmp_path / "replica", "--replicaof", "127.0.0.1", str(primary.port))
    replica.start()
    yield primary, replica
    replica.stop()
    primary.stop()


def replicas(primary: Valkey) -> int:
    with redis.Redis.from_url(primary.url) as client:
        return sum(1 for name, state in client.info("replication").items() if name.startswith("slave") and state)


def waits(client: redis.Redis) -> int:
    """How many WAITs have come back."""
    return int(client.info("commandstats")["cmdstat_wait"]["calls"])


async def test_a_commit_waits_for_the_replica(pair: tuple[Valkey, Valkey]) -> None:
    primary, replica = pair
    await eventually(lambda: replicas(primary) == 1)
    options = {"wait_for_replicas": 1, "replica_timeout": 0.3, "shards": 1}
    async with running(primary.url, **options) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        assert await node.cluster.log.commit(message(CP1, epoch, 1)) is None
        with redis.Redis.from_url(replica.url) as client:
            assert client.xlen("ocpp:{s00}:log") == 1
        replica.kill()
        waiting = asyncio.create_task(node.cluster.log.commit(message(CP1, epoch, 2)))
        check = await eventually(lambda: (found := node.health.checks().get("log")) and found.level != "ok" and found)
        assert "0 of 1 replicas" in check.detail
        assert not waiting.done()
        replica.start()
        async with asyncio.timeout(60):
            assert await waiting is None
        await eventually(lambda: node.health.checks()["log"].level == "ok")
        with redis.Redis.from_url(primary.url) as client:
            assert client.xlen("ocpp:{s00}:log") == 2, "what was sent again was stored once"


async def test_a_commit_that_is_sent_again_on_a_new_connection_waits_for_the_replica_too(
    pair: tuple[Valkey, Valkey],
) -> None:
    primary, replica = pair
    await eventually(lambda: replicas(primary) == 1)
    options = {"wait_for_replicas": 1, "replica_timeout": 0.3, "shards": 1}
    async with running(primary.url, **options) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        assert await node.cluster.log.commit(message(CP1, epoch, 1)) is None
        replica.kill()
        waiting = asyncio.create_task(node.cluster.log.commit(message(CP1, epoch, 2)))
        await eventually(lambda: (found := node.health.checks().get("log")) and found.level != "ok")
        with redis.Redis.from_url(primary.url) as client:
            for _ in range(3):
                client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                waited = waits(client)
                # One may have been on its way on the old connection; the next is the new one's.
                await eventually(lambda waited=waited: waits(client) > waited + 1)  # type: ignore[misc]
                assert not waiting.done(), "no replica has it"
        replica.start()
        async with asyncio.timeout(60):
            assert await waiting is None


async def test_replicas_are_waited_for_on_the_connection_that_wrote(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another one, made a moment later, a new primary would be asked, which may have nothing of it."""
    exchanged: list[bytes] = []
    exchange = Wire.exchange

    async def remembered(self: Wire, packed: Sequence[bytes], *, seconds: float = REPLY_SECONDS) -> list[Any]:
        exchanged.append(b"".join(packed))
        return await exchange(self, packed, seconds=seconds)

    monkeypatch.setattr(Wire, "exchange", remembered)
    async with running(valkey.url, wait_for_replicas=1, replica_timeout=0.1) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        waiting = asyncio.create_task(node.cluster.log.commit(message(CP1, epoch, 1)))
        await eventually(lambda: (found := node.health.checks().get("log")) and found.level != "ok")
        waiting.cancel()
        await asyncio.wait([waiting])
    carrying = [one for one in exchanged if script("commit").sha.encode() in one]
    assert carrying
    assert all(b"WAIT" in one for one in carrying)
    assert all(one in carrying for one in exchanged if b"$4\r\nWAIT" in one and b"rights:" not in one)

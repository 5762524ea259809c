"""Redis goes away and comes back: commits wait, nothing acknowledged is lost, nothing is doubled under a new id."""

import asyncio
import signal
from collections import Counter

import pytest
import redis

from gateway.core.errors import LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from tests.cluster.support import CP1, Node, event, eventually, message, running
from tests.cluster.test_commit import logged
from tests.support.servers import Valkey


async def stream(node: Node, charger: ChargerId, epoch: int, acknowledged: list[str], stop: asyncio.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        name = f"{charger}/{number}"
        answer = await node.cluster.log.commit(
            message(charger, epoch, name, key=name if number % 2 else None, answer=b"ok")
        )
        assert answer is None
        acknowledged.append(f"event-{name}")


async def test_valkey_killed_under_a_stream_of_commits(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        chargers = [ChargerId(f"CP{number}") for number in range(20)]
        epochs = [(await node.cluster.ownership.claim(charger)).epoch for charger in chargers]
        acknowledged: list[str] = []
        stop = asyncio.Event()
        tasks = [
            asyncio.create_task(stream(node, charger, epoch, acknowledged, stop))
            for charger, epoch in zip(chargers, epochs, strict=True)
        ]
        for _ in range(3):
            so_far = len(acknowledged)
            await eventually(lambda so_far=so_far: len(acknowledged) > so_far + 400)
            await asyncio.to_thread(valkey.kill)
            await eventually(lambda: node.health.level() == "degraded")
            await asyncio.to_thread(valkey.start)
        so_far = len(acknowledged)
        await eventually(lambda: len(acknowledged) > so_far + 400)
        stop.set()
        await asyncio.gather(*tasks)
        await eventually(lambda: node.health.level() == "ok")
        assert False in node.counts.redis
        assert node.counts.redis[-1] is True
    assert Counter(logged(valkey)) == Counter(acknowledged)
    for charger in chargers:
        own = [name for name in logged(valkey) if name.startswith(f"event-{charger}/")]
        assert own == [f"event-{charger}/{number}" for number in range(1, len(own) + 1)]


@pytest.mark.parametrize("key", [None, "k"])
async def test_a_batch_whose_fate_is_unknown_is_stored_once(valkey: Valkey, key: str | None) -> None:
    async with running(valkey.url) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        committer = node.cluster.log
        writer = committer._settle(CP1.shard(node.cluster._keys.shards))
        original = writer._call
        calls = []

        def remembered(shard, batch):
            calls.append(original(shard, batch))
            return calls[-1]

        writer._call = remembered
        commits = [Commit(CP1, epoch, [event(n)], key=key and f"{key}{n}", answer=b"x") for n in range(3)]
        await asyncio.gather(*map(committer.commit, commits))
        replies = await node.cluster._lane.calls(calls)
        assert replies[0] == [0, 0, 0]
        assert logged(valkey) == ["event-0", "event-1", "event-2"]


async def test_while_redis_is_away_claims_fail_in_bounded_time_and_commits_wait(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        await asyncio.to_thread(valkey.kill)
        async with asyncio.timeout(30):
            with pytest.raises(LogUnavailable):
                await node.cluster.ownership.claim(CP1)
        waiting = asyncio.create_task(node.cluster.log.commit(message(CP1, epoch, 1)))
        abandoned = asyncio.create_task(node.cluster.log.commit(message(CP1, epoch, 2)))
        await eventually(lambda: node.health.checks()["redis"].level == "degraded")
        assert not waiting.done()
        abandoned.cancel()
        await asyncio.to_thread(valkey.start)
        assert await asyncio.wait_for(waiting, 60) is None
        assert logged(valkey) == ["event-1"]


async def test_a_node_started_before_redis_waits_for_it(valkey: Valkey) -> None:
    await asyncio.to_thread(valkey.kill)
    node = Node(valkey.url)
    starting = asyncio.create_task(node.start())
    await eventually(lambda: "redis" in node.health.checks())
    assert not starting.done()
    await asyncio.to_thread(valkey.start)
    await asyncio.wait_for(starting, 60)
    await node.cluster.ownership.claim(CP1)
    await node.stop()


async def test_scripts_are_taught_again_after_they_were_flushed(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        with redis.Redis.from_url(valkey.url) as client:
            epoch = (await node.cluster.ownership.claim(CP1)).epoch
            client.script_flush()
            assert await node.cluster.log.commit(message(CP1, epoch, 1)) is None
            client.script_flush()
            assert (await node.cluster.ownership.claim(CP1)).epoch > epoch


async def test_a_redis_that_hangs_counts_as_away(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        valkey.send(signal.SIGSTOP)
        waiting = asyncio.create_task(node.cluster.log.commit(message(CP1, epoch, 1)))
        await eventually(lambda: node.health.level() == "degraded")
        assert not waiting.done()
        valkey.send(signal.SIGCONT)
        assert await asyncio.wait_for(waiting, 60) is None
        assert logged(valkey) == ["event-1"]

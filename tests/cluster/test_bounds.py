"""The log is bounded by bytes and age; what a reader has not confirmed stays until the hard limit."""

import asyncio
import signal

import orjson
import pytest
import redis

from gateway.cluster import lane as lane_module
from gateway.cluster import shard_reader
from gateway.core.identity import ChargerId
from tests.cluster.support import CP1, FakeReader, Node, eventually, eventually_async, message, reading, running
from tests.cluster.test_commit import logged
from tests.support.servers import Valkey

BODY = b"x" * 936


async def fill(node: Node, count: int, charger: ChargerId = CP1, first: int = 0) -> int:
    """Entries of 1,000 bytes and a few."""
    epoch = (await node.cluster.ownership.claim(charger)).epoch
    for number in range(first, first + count):
        commit = message(charger, epoch, number)
        (commit.events[0],) = [type(commit.events[0])(f"event-{number}", "t", BODY)]
        await node.cluster.log.commit(commit)
    return epoch


def accounted(valkey: Valkey) -> tuple[int, int]:
    """Bytes in the log of shard 0 as accounted, and as they are."""
    with redis.Redis.from_url(valkey.url) as client, client.pipeline() as both_at_once:
        both_at_once.hmget("ocpp:{s00}:log_size", "total", "base")
        both_at_once.xrange("ocpp:{s00}:log")
        (total, base), entries = both_at_once.execute()
    real = sum(64 + sum(len(v) for k, v in fields.items() if k != b"n") for _, fields in entries)
    return int(total or 0) - int(base or 0), real


async def test_the_log_is_trimmed_to_its_size(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1, log_max_bytes=20_000) as node:
        await fill(node, 60)
        await node.cluster._trimmer.trim()
        counted, real = accounted(valkey)
        assert counted == real
        assert 15_000 < real <= 20_000
        assert logged(valkey)[-1] == "event-59"


async def test_the_log_is_trimmed_by_age(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1, log_max_age=0.2) as node:
        await fill(node, 3)
        await eventually(lambda: logged(valkey) == [])
        await fill(node, 1, first=7)
        counted, real = accounted(valkey)
        assert counted == real


async def test_what_a_reader_has_not_confirmed_is_kept(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1, log_max_bytes=5_000) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await fill(node, 5)
            await eventually(lambda: len(reader.ids) == 5)
        await fill(node, 30, first=5)
        await node.cluster._trimmer.trim()
        assert logged(valkey)[-30:] == [f"event-{number}" for number in range(5, 35)]
        again = FakeReader()
        async with reading(node, again):
            await eventually(lambda: len(again.ids) == 30)
            await eventually(lambda: accounted(valkey)[1] <= 5_000)


async def test_a_full_log_takes_nothing_until_there_is_room(valkey: Valkey) -> None:
    options = {"shards": 1, "log_max_bytes": 5_000, "log_hard_max_bytes": 20_000}
    async with running(valkey.url, **options) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: reader.open_shards)
        filling = asyncio.create_task(fill(node, 40))
        await eventually(lambda: "log" in node.health.checks())
        assert node.health.checks()["log"].level == "degraded"
        assert not filling.done()
        assert accounted(valkey)[1] < 22_000
        async with reading(node, reader):
            await asyncio.wait_for(filling, 60)
            await eventually(lambda: len(reader.ids) == 40)
        assert node.health.checks()["log"].level == "ok"


async def test_the_oldest_are_dropped_with_an_event_that_says_so(valkey: Valkey) -> None:
    options = {"shards": 1, "log_hard_max_bytes": 20_000, "on_log_full": "drop_oldest"}
    other = ChargerId("CP2")
    async with running(valkey.url, **options) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: reader.open_shards)
        await fill(node, 1, other)
        await asyncio.wait_for(fill(node, 40, first=1), 60)
        counted, real = accounted(valkey)
        assert counted == real
        async with reading(node, reader):
            # What is dropped while it reads is told behind the last event.
            await eventually(lambda: "event-40" in reader.ids and _told_dropped(reader) >= _unseen(reader, 40))
        assert _unseen(reader, 40) > 0
        gaps = [orjson.loads(entry.body) for entry in reader.entries if entry.type == "ocpp.log.gap"]
        assert "/chargers/CP2" in {gap["source"] for gap in gaps}
        assert len({gap["id"] + gap["source"] for gap in gaps}) == len(gaps)


def _told_dropped(reader: FakeReader) -> int:
    """How many events of CP1 were dropped, as the reader was told."""
    gaps = [orjson.loads(entry.body) for entry in reader.entries if entry.type == "ocpp.log.gap"]
    return sum(gap["data"]["dropped"] for gap in gaps if gap["source"] == "/chargers/CP1")


def _unseen(reader: FakeReader, count: int) -> int:
    return len({f"event-{number}" for number in range(1, count + 1)} - set(reader.ids))


async def test_a_reader_that_no_node_runs_any_more_is_not_waited_for(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1, log_max_bytes=5_000, reader_retention=0.5) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: reader.open_shards)
        await fill(node, 30)
        trimmer = node.cluster._trimmer
        await eventually_async(trimmer.trim, lambda _: accounted(valkey)[1] <= 5_000)


async def test_a_batch_for_a_reader_is_bounded_in_bytes(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_reader, "_BATCH_BYTES", 20_000)
    async with running(valkey.url, shards=1) as node:
        await fill(node, 300)
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: len(reader.ids) == 300)
        sizes = [len(batch) for batch in reader.attempts]
        assert max(sizes) <= shard_reader._FIRST_BATCH
        assert max(sizes[1:]) <= 20_000 / len(BODY)


async def test_no_more_than_so_many_calls_wait_for_redis(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        lane = node.cluster._lane
        await lane.call("PING")
        valkey.send(signal.SIGSTOP)
        try:
            calls = [asyncio.create_task(lane.call("PING")) for _ in range(lane_module._MOST + 2 * lane_module._FLIGHT)]
            _, still = await asyncio.wait(calls, return_when=asyncio.FIRST_EXCEPTION)
            assert len(still) >= lane_module._MOST
            refused = [call.exception() for call in calls if call.done()]
            assert {str(error) for error in refused} == {"too many wait for Redis"}
        finally:
            valkey.send(signal.SIGCONT)
        await asyncio.wait(calls)

"""The log for those who keep their own cursor: everything once, in order, and a loss is told."""

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from gateway.cluster.wire import Call
from gateway.core.errors import CursorExpired, NotFound
from gateway.core.events import StampedEvent
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit, Feed
from gateway.core.transaction_query import TransactionQuery
from tests.cluster.support import CP1, Node, message, running
from tests.support.servers import Valkey

FLEET = [ChargerId(f"CP{number}") for number in range(6)]


async def committed(node: Node, count: int, *, first: int = 0) -> None:
    for charger in FLEET:
        epoch = (await node.cluster.ownership.claim(charger)).epoch
        for number in range(first, first + count):
            await node.cluster.log.commit(message(charger, epoch, f"{charger}/{number}"))


async def read_on(feed: Feed, cursor: str, limit: int) -> tuple[list[tuple[str, str]], str]:
    """All that is there behind a cursor, page by page."""
    found: list[tuple[str, str]] = []
    while True:
        page = await feed.read(cursor, limit=limit)
        assert len(page.items) <= limit
        if not page.items:
            return found, page.next
        found += [(str(entry.charger), entry.id) for entry in page.items]
        cursor = page.next


@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_every_entry_comes_once_and_in_the_order_of_its_charger(valkey: Valkey, limit: int) -> None:
    async with running(valkey.url) as node:
        feed = node.cluster.feed
        await committed(node, 4)
        found, cursor = await read_on(feed, await feed.earliest(), limit)
        await committed(node, 3, first=4)
        more, _ = await read_on(feed, cursor, limit)
        for charger in FLEET:
            ids = [event for owner, event in found + more if owner == str(charger)]
            assert ids == [f"event-{charger}/{number}" for number in range(7)]


async def test_one_entry_is_found_by_its_charger_and_position_alone(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        feed = node.cluster.feed
        await committed(node, 2)
        kept = (await feed.read(await feed.earliest(), limit=100)).items
        for entry in kept:
            assert await feed.entry(entry.charger, entry.position) == entry
        stranger = next(charger for charger in FLEET if charger != kept[0].charger)
        assert await feed.entry(stranger, kept[0].position) is None
        for position in ("0-1", "-", "+", "nonsense", f"{2**64}-0"):
            assert await feed.entry(kept[0].charger, position) is None


async def test_the_latest_cursor_stands_behind_everything(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        feed = node.cluster.feed
        assert (await feed.read(await feed.latest(), limit=10)).items == []
        await committed(node, 2)
        cursor = await feed.latest()
        assert (await feed.read(cursor, limit=10)).items == []
        await committed(node, 1, first=2)
        assert len((await feed.read(cursor, limit=100)).items) == len(FLEET)


async def test_a_feed_is_filtered_by_type_and_charger(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        feed = node.cluster.feed
        kinds = ["ocpp.transaction.started", "ocpp.meter.values", "ocpp.transaction.ended"]
        for charger in FLEET:
            epoch = (await node.cluster.ownership.claim(charger)).epoch
            events = [StampedEvent(f"{charger}-{kind}", kind, b"{}") for kind in kinds]
            await node.cluster.log.commit(Commit(charger, epoch, events))
        begin = await feed.earliest()
        page = await feed.read(begin, limit=100, types=["ocpp.transaction.*"])
        assert [entry.type for entry in page.items].count("ocpp.transaction.ended") == len(FLEET)
        assert {entry.type for entry in page.items} == {kinds[0], kinds[2]}
        page = await feed.read(begin, limit=100, types=["ocpp.meter.values"], charger=FLEET[2])
        assert [(entry.charger, entry.type) for entry in page.items] == [(FLEET[2], "ocpp.meter.values")]


async def test_a_cursor_that_was_overtaken_by_the_trimming_is_told_so(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1, log_max_bytes=4096, log_hard_max_bytes=1024**2) as node:
        cluster = node.cluster
        epoch = (await cluster.ownership.claim(CP1)).epoch
        old = await cluster.feed.earliest()
        await cluster.log.commit(message(CP1, epoch, 0))
        kept = (await cluster.feed.read(old, limit=1)).next
        for number in range(1, 2000):
            await cluster.log.commit(message(CP1, epoch, number))
        last = await cluster.feed.latest()
        await cluster._trimmer.trim()
        for cursor in (old, kept):
            with pytest.raises(CursorExpired) as expired:
                await cluster.feed.read(cursor, limit=10)
        found, _ = await read_on(cluster.feed, expired.value.earliest, 500)
        assert found[-1][1] == "event-1999"
        assert (await cluster.feed.read(last, limit=10)).items == []


async def test_what_is_trimmed_in_the_middle_of_reading_is_read_or_told(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cluster.trimmer._TRIM_EVERY", 600.0)
    async with running(valkey.url, shards=1, log_max_bytes=1024) as node:
        cluster = node.cluster
        calls = cluster._lane.calls
        asked: list[object] = []

        async def trimmed_between(given: Sequence[Call], **more: Any) -> list[Any]:
            replies = []
            for call in given:
                replies += await calls([call], **more)
                asked.append(call[0])
                if asked[-1] in ("XRANGE", "HMGET") and len({"XRANGE", "HMGET"} & set(asked)) == 1:
                    monkeypatch.undo()
                    await cluster._trimmer.trim()
            return replies

        epoch = (await cluster.ownership.claim(CP1)).epoch
        begin = await cluster.feed.earliest()
        for number in range(100):
            await cluster.log.commit(message(CP1, epoch, number))
        monkeypatch.setattr(cluster._lane, "calls", trimmed_between)
        with pytest.raises(CursorExpired):
            await cluster.feed.read(begin, limit=1000)
        assert asked, "it was trimmed in between"


async def test_a_cursor_of_before_redis_lost_its_data_is_told_so(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1, node_term=0.5) as node:
        await committed(node, 3)
        cursors = [await node.cluster.feed.earliest(), await node.cluster.feed.latest()]
        with redis.Redis.from_url(valkey.url) as client:
            client.flushall()
        async with asyncio.timeout(60):
            await node.hooks.forgot.wait()
        await committed(node, 50)
        for cursor in cursors:
            with pytest.raises(CursorExpired) as expired:
                await node.cluster.feed.read(cursor, limit=10)
        found, _ = await read_on(node.cluster.feed, expired.value.earliest, 500)
        assert len(found) == 50 * len(FLEET)


async def test_a_cursor_behind_what_a_failover_left_of_the_log_has_expired(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        await committed(node, 3)
        cursor = await node.cluster.feed.latest()
        assert (await node.cluster.feed.read(cursor, limit=10)).items == []
        with redis.Redis.from_url(valkey.url) as client:
            ((position, _),) = client.xrevrange("ocpp:{s00}:log", count=1)
            client.xdel("ocpp:{s00}:log", position)
            client.hincrby("ocpp:{s00}:log_size", "total", -1)
        with pytest.raises(CursorExpired):
            await node.cluster.feed.read(cursor, limit=10)


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "position",
    ["\u0661-\u0662", "x-1", "1", f"{2**64}-0", "1-0-0", "1-0\n", "", f"{'9' * 500}-0"],
)
async def test_a_forged_position_is_no_cursor_anywhere(valkey: Valkey, position: str) -> None:
    async with running(valkey.url, shards=1) as node:
        incarnation = json.loads(base64.urlsafe_b64decode(await node.cluster.feed.latest() + "=="))[0]
        with pytest.raises(NotFound):
            await node.cluster.feed.read(forged(incarnation, position, 0), limit=10)
        if position:
            with pytest.raises(NotFound):
                await node.cluster.state.dead_letters(after=forged(0, position))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
async def test_a_forged_time_is_no_cursor(valkey: Valkey, number: float) -> None:
    async with running(valkey.url, shards=1) as node:
        for listed in (
            node.cluster.state.transactions(TransactionQuery(), after=forged(number, "x")),
            node.cluster.state.changed_transactions(TransactionQuery(), since=0, after=forged(number, "x")),
        ):
            with pytest.raises(NotFound):
                await listed


@pytest.mark.parametrize("number", [-1, -5, 2**63, 10**400])
async def test_a_forged_number_is_no_cursor(valkey: Valkey, number: int) -> None:
    async with running(valkey.url, shards=1) as node:
        for listed in (
            node.cluster.state.chargers(after=forged(number, "x")),
            node.cluster.state.dead_letters(after=forged(number, "1-0")),
            node.cluster.feed.read(forged("", "1-0", number), limit=10),
        ):
            with pytest.raises(NotFound):
                await listed


@pytest.mark.parametrize("cursor", ["", "rubbish", "WzFd", "WyJ4IiwxXQ"])
async def test_a_cursor_that_is_none_of_ours_is_refused(valkey: Valkey, cursor: str) -> None:
    async with running(valkey.url, shards=1) as node:
        with pytest.raises(NotFound):
            await node.cluster.feed.read(cursor, limit=10)

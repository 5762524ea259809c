"""Transactions as they are listed."""

import asyncio
from typing import Any

import orjson
import pytest
import redis

from gateway.cluster.cursors import unseal
from gateway.cluster.transactions import _SETTLED_MS
from gateway.core.errors import CursorExpired, NotFound
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from gateway.core.transaction_query import TransactionQuery
from tests.cluster.support import Node, event, eventually_async, running
from tests.cluster.test_stores import pages
from tests.support.servers import Valkey

FLEET = [ChargerId(f"CP{number}") for number in range(5)]
ALL = TransactionQuery()


async def stored(node: Node, charger: ChargerId, transaction: str, **fields: Any) -> None:
    epoch = (await node.cluster.ownership.claim(charger)).epoch
    record = orjson.dumps({"id": transaction, **fields})
    await node.cluster.log.commit(Commit(charger, epoch, [], transactions={transaction: record}))


async def thirty(node: Node) -> None:
    for number in range(30):
        await stored(node, FLEET[number % 5], f"t{number}", status="ended" if number % 3 else "active")


async def settled() -> None:
    await asyncio.sleep((_SETTLED_MS + 5) / 1000)


async def test_the_latest_change_comes_first(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        state = node.cluster.state
        await thirty(node)
        await settled()
        await stored(node, FLEET[0], "t0", ended=True)
        everything = await pages(lambda **more: state.transactions(ALL, **more), limit=7)
        assert everything[0] == {"id": "t0", "ended": True}
        assert sorted(item["id"] for item in everything) == sorted(f"t{number}" for number in range(30))
        own = TransactionQuery(charger=FLEET[1])
        found = await pages(lambda **more: state.transactions(own, **more), limit=2)
        assert {item["id"] for item in found} == {"t1", "t6", "t11", "t16", "t21", "t26"}
        assert await state.transaction("t0") == {"id": "t0", "ended": True}
        assert await state.transaction("nothing") is None


@pytest.mark.parametrize("limit", [1, 4, 100])
async def test_a_filter_finds_all_and_nothing_else_whatever_the_page(valkey: Valkey, limit: int) -> None:
    async with running(valkey.url) as node:
        await thirty(node)
        query = TransactionQuery(status="active")
        found = await pages(lambda **more: node.cluster.state.transactions(query, **more), limit=limit)
        assert sorted(item["id"] for item in found) == sorted(f"t{number}" for number in range(0, 30, 3))


@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_who_polls_gets_every_change_once_and_in_order(valkey: Valkey, limit: int) -> None:
    async with running(valkey.url) as node:
        state = node.cluster.state
        cursor: str | None = None

        async def poll() -> list[str]:
            nonlocal cursor
            await settled()
            found: list[str] = []
            while True:
                page = await state.changed_transactions(ALL, since=0, after=cursor, limit=limit)
                assert len(page.items) <= limit
                found += [item["id"] for item in page.items]
                cursor = page.cursor
                if not page.more:
                    return found

        assert await poll() == []
        await thirty(node)
        assert sorted(await poll()) == sorted(f"t{number}" for number in range(30))
        assert await poll() == []
        await stored(node, FLEET[3], "t3", ended=True)
        await settled()
        await stored(node, FLEET[4], "t30")
        assert await poll() == ["t3", "t30"]


async def test_who_polls_hears_of_an_end_that_comes_together_with_an_update(valkey: Valkey) -> None:
    """The message that fills a gap: it is carried by `updated`, and the end that waited for it follows at once."""
    kinds = {"opened": ["started"], "ticked": ["updated"], "filled": ["updated", "ended"]}
    async with running(valkey.url) as node:
        charger = FLEET[0]
        epoch = (await node.cluster.ownership.claim(charger)).epoch
        told: dict[str, list[str]] = {}
        cursor: str | None = None
        for word, types in kinds.items():
            record = orjson.dumps({"id": "t", "word": word})
            events = [event(f"{word} {kind}", f"ocpp.transaction.{kind}") for kind in types]
            await node.cluster.log.commit(Commit(charger, epoch, events, transactions={"t": record}))
            await settled()
            page = await node.cluster.state.changed_transactions(ALL, since=0, after=cursor)
            cursor = page.cursor
            told[word] = [item["word"] for item in page.items]
        assert told == {"opened": ["opened"], "ticked": [], "filled": ["filled"]}


async def test_a_transaction_is_listed_that_begins_with_an_update_and_again_where_the_listing_was_lost(
    valkey: Valkey,
) -> None:
    async with running(valkey.url) as node:
        charger, state = FLEET[0], node.cluster.state
        epoch = (await node.cluster.ownership.claim(charger)).epoch
        own = TransactionQuery(charger=charger)

        async def updated(number: int, samples: dict[str, bytes]) -> list[str]:
            events = [event(f"update {number}", "ocpp.transaction.updated")]
            record = {"t": b'{"id":"t"}'}
            await node.cluster.log.commit(Commit(charger, epoch, events, transactions=record, samples=samples))
            return [item["id"] for item in (await state.transactions(own)).items]

        def lose() -> None:
            with redis.Redis.from_url(valkey.url) as client:
                for listing in client.keys("*transactions"):
                    client.delete(listing)

        assert await updated(0, {"t": b"[0]"}) == ["t"]
        lose()
        assert await updated(1, {}) == ["t"]
        lose()
        found = [await updated(number, {"t": b"[0]"}) for number in range(2, 102)]
        assert found[-1] == ["t"]


async def test_changes_begin_at_a_time(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        await stored(node, FLEET[0], "old")
        await settled()
        since = (await node.cluster.ownership.claim(FLEET[0])).redis_time
        await stored(node, FLEET[0], "new")
        await settled()
        page = await node.cluster.state.changed_transactions(ALL, since=since)
        assert [item["id"] for item in page.items] == ["new"]


async def test_a_change_within_the_very_millisecond_of_a_time_is_since_it(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        await stored(node, FLEET[0], "t")
        await settled()
        first = await node.cluster.state.changed_transactions(ALL, since=0)
        assert first.cursor is not None
        changed_ms, _ = unseal(first.cursor, float, str)
        page = await node.cluster.state.changed_transactions(ALL, since=(changed_ms + 0.9) / 1000)
        assert [item["id"] for item in page.items] == ["t"]
        page = await node.cluster.state.changed_transactions(ALL, since=(changed_ms + 2) / 1000)
        assert page.items == []


async def test_who_was_away_until_the_log_was_trimmed_reads_every_transaction(valkey: Valkey) -> None:
    async with running(valkey.url, log_max_age=0.2) as node:
        log, state = node.cluster.log, node.cluster.state
        left_at = await node.cluster.feed.earliest()
        for number, charger in enumerate(FLEET):
            epoch = (await node.cluster.ownership.claim(charger)).epoch
            record = orjson.dumps({"id": f"t{number}"})
            ended = event(f"ended {number}", "ocpp.transaction.ended")
            await log.commit(Commit(charger, epoch, [ended], transactions={f"t{number}": record}))

        async def is_trimmed() -> bool:
            try:
                # What is the earliest may be trimmed before it is read.
                return (await node.cluster.feed.read(await node.cluster.feed.earliest(), limit=1)).items == []
            except CursorExpired:
                return False

        await eventually_async(is_trimmed)
        with pytest.raises(CursorExpired):
            await node.cluster.feed.read(left_at, limit=1)
        page = await state.changed_transactions(ALL, since=0)
        assert sorted(item["id"] for item in page.items) == [f"t{number}" for number in range(5)]


async def test_a_record_goes_with_its_samples_and_listings_when_its_time_is_up(valkey: Valkey) -> None:
    charger = FLEET[0]

    async def charged(node: Node, name: str) -> None:
        epoch = (await node.cluster.ownership.claim(charger)).epoch
        records, samples = {name: orjson.dumps({"id": name})}, {name: b"[1]"}
        await node.cluster.log.commit(Commit(charger, epoch, [], transactions=records, samples=samples))

    async with running(valkey.url) as node:
        await charged(node, "kept")
    async with running(valkey.url, transaction_retention=0.3) as node:
        state = node.cluster.state
        await charged(node, "old")

        async def is_gone() -> bool:
            await stored(node, charger, "new")
            return await state.transaction("old") is None and await state.samples("old") == []

        await eventually_async(is_gone)
        assert await state.transaction("kept") == {"id": "kept"}
        assert await state.samples("kept") == [1]
        await node.cluster._trimmer.trim()
        with redis.Redis.from_url(valkey.url) as client:
            listed = {key: client.zrange(key, 0, -1) for key in client.scan_iter("*transactions")}
        assert [members for members in listed.values() if b"old" in members] == []


async def test_a_cursor_that_is_none_of_ours_is_refused(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        with pytest.raises(NotFound):
            await node.cluster.state.transactions(ALL, after="rubbish")
        with pytest.raises(NotFound):
            await node.cluster.state.changed_transactions(ALL, since=0, after="rubbish")

"""The log, written: what is acknowledged is there, once, and only for the owner."""

import asyncio

import pytest
import redis

from gateway.core.errors import OwnershipLost
from gateway.core.events import StampedEvent
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from tests.cluster.support import CP1, FakeReader, event, eventually, message, reading, running
from tests.support.servers import Valkey


def logged(valkey: Valkey) -> list[str]:
    """The ids of all events in the log, shard by shard."""
    with redis.Redis.from_url(valkey.url) as client:
        keys = sorted(client.keys("ocpp:{s*}:log"))
        return [fields[b"i"].decode() for key in keys for _, fields in client.xrange(key)]


async def test_a_commit_leaves_event_snapshot_transaction_and_answer(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        cluster = node.cluster
        claim = await cluster.ownership.claim(CP1)
        assert claim.fields == {}
        assert claim.previous_node is None
        stored = await cluster.log.commit(
            Commit(
                CP1,
                claim.epoch,
                [event(1), event(2)],
                key="start/1",
                answer=b'{"transactionId":7}',
                fields={"availability": b"online", "memory": b'{"active":["tx-1"]}'},
                transactions={"tx-1": b'{"id":"tx-1"}'},
                samples={"tx-1": b'[{"value":1},{"value":2}]'},
            )
        )
        assert stored is None
        assert await cluster.state.samples("tx-1") == [{"value": 1}, {"value": 2}]
        assert await cluster.state.samples("tx-2") == []
        assert logged(valkey) == ["event-1", "event-2"]
        again = await cluster.ownership.claim(CP1)
        assert again.epoch > claim.epoch
        assert again.fields["availability"] == b"online"
        assert again.transactions == {"tx-1": b'{"id":"tx-1"}'}
        assert again.previous_node == "node-a"
        assert node.hooks.closed == [("CP1", again.epoch)]


async def test_a_repeat_gets_the_stored_answer_and_appends_nothing(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        first = message(CP1, epoch, 1, key="k", answer=b"first")
        assert await node.cluster.log.commit(first) is None
        assert await node.cluster.log.commit(message(CP1, epoch, 2, key="k", answer=b"second")) == b"first"
        later = (await node.cluster.ownership.claim(CP1)).epoch
        assert await node.cluster.log.commit(message(CP1, later, 3, key="k", answer=b"third")) == b"first"
        assert logged(valkey) == ["event-1"]


async def test_a_stale_epoch_is_refused(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        old = (await node.cluster.ownership.claim(CP1)).epoch
        await node.cluster.ownership.claim(CP1)
        with pytest.raises(OwnershipLost) as lost:
            await node.cluster.log.commit(message(CP1, old, 1))
        assert not lost.value.forgotten
        await node.cluster.ownership.release(CP1, old)
        assert logged(valkey) == []


async def test_an_emptied_database_is_noticed(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        claim = await node.cluster.ownership.claim(CP1)
        with redis.Redis.from_url(valkey.url) as client:
            client.flushall()
        with pytest.raises(OwnershipLost) as lost:
            await node.cluster.log.commit(message(CP1, claim.epoch, 1))
        assert lost.value.forgotten
        await asyncio.wait_for(node.hooks.forgot.wait(), 60)
        assert (await node.cluster.ownership.claim(CP1)).epoch > claim.epoch


async def test_one_batch_gathers_what_many_chargers_send(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        chargers = [ChargerId(f"CP {number}/é:{{x}}") for number in range(100)]
        claims = await asyncio.gather(*map(node.cluster.ownership.claim, chargers))
        await asyncio.gather(
            *(
                node.cluster.log.commit(message(c, k.epoch, n))
                for n, (c, k) in enumerate(zip(chargers, claims, strict=True))
            )
        )
        assert len(node.counts.batches) < 20
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: len(reader.entries) == 100)
        assert {entry.charger for entry in reader.entries} == set(chargers)


async def test_text_that_is_no_unicode_is_stored_all_the_same(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        for answer in (None, b"first"):
            assert await node.cluster.log.commit(message(CP1, epoch, 1, key="tag \ud800", answer=b"first")) == answer
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: len(reader.entries) == 1)


async def test_a_commit_that_cannot_be_sent_harms_no_other(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        broken = message(CP1, epoch, 1, fields={"x": None})
        results = await asyncio.gather(
            node.cluster.log.commit(broken), node.cluster.log.commit(message(CP1, epoch, 2)), return_exceptions=True
        )
        assert isinstance(results[0], TypeError)
        assert results[1] is None
        assert logged(valkey) == ["event-2"]


async def test_large_messages_are_split_into_several_calls(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        large = [StampedEvent(f"event-{n}", "t", b"x" * 1_000_000) for n in range(12)]
        await asyncio.gather(*(node.cluster.log.commit(Commit(CP1, epoch, [one])) for one in large))
        assert len(node.counts.batches) >= 3
        assert logged(valkey) == [one.id for one in large]


async def test_a_commit_that_redis_refuses_is_given_back_alone(valkey: Valkey) -> None:
    """Damage to one charger's keys stops neither its shard nor is it acknowledged."""
    chargers = [charger for charger in (ChargerId(f"CP{n}") for n in range(100)) if charger.shard(4) == 0][:5]
    async with running(valkey.url) as node:
        epochs = {charger: (await node.cluster.ownership.claim(charger)).epoch for charger in chargers}
        damaged = chargers[2]
        with redis.Redis.from_url(valkey.url) as client:
            (state,) = client.keys(f"ocpp:*:{damaged.key}:state") or [f"ocpp:{{s00}}:{damaged.key}:state"]
            client.delete(state)
            client.set(state, "no hash")
        commits = [
            Commit(charger, epochs[charger], [event(n)], key=f"k{n}", answer=b"x", fields={"charger": b"{}"})
            for n, charger in enumerate(chargers)
        ]
        async with asyncio.timeout(60):
            outcomes = await asyncio.gather(*map(node.cluster.log.commit, commits), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [type(None)] * 2 + [RuntimeError] + [type(None)] * 2
        assert logged(valkey) == ["event-0", "event-1", "event-3", "event-4"]
        assert await node.cluster.log.commit(message(chargers[0], epochs[chargers[0]], 9)) is None


async def test_a_transaction_is_recalled_by_its_names_and_by_its_id(valkey: Valkey) -> None:
    async with running(valkey.url, transaction_retention=3600) as node:
        ownership, log = node.cluster.ownership, node.cluster.log
        epoch = (await ownership.claim(CP1)).epoch
        for number in (1, 2):
            known = f"tx-{number}"
            record = {known: b'{"id":"%s"}' % known.encode()}
            await log.commit(
                message(CP1, epoch, number, key=known, transactions=record, names={f"name|{number}": known})
            )
        await log.commit(message(CP1, epoch, 3, names={"first": "tx-1", "gone": "tx-0"}, samples={"tx-1": b"[]"}))
        assert await ownership.recall(CP1, ["name|2"]) == b'{"id":"tx-2"}'
        assert await ownership.recall(CP1, ["unheard of", "gone", "first", "name|2"]) == b'{"id":"tx-1"}'
        assert await ownership.recall(CP1, ["tx-2"]) == b'{"id":"tx-2"}'
        assert await ownership.recall(CP1, ["unheard of"]) is None
        assert await ownership.recall(ChargerId("CP2"), ["first"]) is None
        assert logged(valkey) == ["event-1", "event-2", "event-3"]
        with redis.Redis.from_url(valkey.url) as client:
            assert all(0 < client.pttl(key) <= 3_600_000 for key in client.keys("*:named:*"))


async def test_a_name_is_not_given_to_a_repeat(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        for known in ("tx-1", "tx-2"):
            record = {known: b'{"id":"%s"}' % known.encode()}
            await node.cluster.log.commit(
                message(CP1, epoch, 1, key="k", answer=b"a", transactions=record, names={"n": known})
            )
        assert await node.cluster.ownership.recall(CP1, ["n"]) == b'{"id":"tx-1"}'

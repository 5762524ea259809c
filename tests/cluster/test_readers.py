"""The log, read: in order, at least once, from the cursor on, whatever the receiver does."""

import asyncio
import statistics
import time
from collections.abc import Sequence

import pytest
import redis

from gateway.core.errors import DeliveryImpossible, DeliveryInterrupted, DeliveryRefused
from gateway.core.events import TOUCH
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit, LogEntry
from tests.cluster.support import CP1, QUICK_LEASES, FakeReader, Node, eventually, message, reading, running
from tests.support.servers import Valkey


async def fill(node: Node, *numbers: int, charger: ChargerId = CP1) -> int:
    epoch = (await node.cluster.ownership.claim(charger)).epoch
    for number in numbers:
        await node.cluster.log.commit(message(charger, epoch, number))
    return epoch


def events(*numbers: int) -> list[str]:
    return [f"event-{number}" for number in numbers]


async def test_a_reader_resumes_at_its_cursor(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        await fill(node, 1, 2, 3)
        first = FakeReader()
        async with reading(node, first):
            await eventually(lambda: first.ids == events(1, 2, 3))
        await fill(node, 4, 5)
        second = FakeReader()
        async with reading(node, second):
            await eventually(lambda: second.ids == events(4, 5))
            assert node.health.checks()["mqtt"].level == "ok"


async def test_a_dropped_connection_resumes_after_what_was_confirmed(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2, 3, 4)
        reader = FakeReader(DeliveryInterrupted("dropped", confirmed=2))
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1, 2, 3, 4))
        assert reader.connects == 2
        assert reader.attempts == [events(1, 2, 3, 4), events(3, 4)]


async def test_what_the_receiver_may_have_forgotten_is_delivered_again_and_the_cursor_stays(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2, 3)
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1, 2, 3))
            reader.forgotten = 60.0
            reader.drops[0].set()
            await eventually(lambda: reader.ids == events(1, 2, 3, 1, 2, 3))
            reader.forgotten = 0.0
            await fill(node, 4)
            await eventually(lambda: reader.ids == events(1, 2, 3, 1, 2, 3, 4))
            # One that says no the second time is left out; the others come all the same.
            reader.forgotten = 60.0
            reader.failures = [DeliveryRefused("not authorized", confirmed=1)]
            reader.drops[0].set()
            await eventually(lambda: not reader.failures)
            reader.forgotten = 0.0
            await fill(node, 5)
            await eventually(lambda: reader.ids[-4:] == events(1, 3, 4, 5))
        later = FakeReader()
        async with reading(node, later):
            await eventually(lambda: later.open_shards)
            await fill(node, 6)
            await eventually(lambda: later.ids == events(6))


async def test_an_event_that_ends_connections_is_left_out_of_a_repeat_and_the_others_come(valkey: Valkey) -> None:
    def poisoned(entries: Sequence[LogEntry]) -> DeliveryInterrupted | None:
        reader.failures.append(poisoned)
        reader.forgotten = 0.0
        places = [place for place, entry in enumerate(entries) if entry.id == "event-3"]
        return DeliveryInterrupted("dropped", confirmed=places[0]) if places else None

    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2, 3, 4, 5)
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1, 2, 3, 4, 5))
            reader.failures, reader.forgotten = [poisoned], 60.0
            reader.drops[0].set()
            await eventually(lambda: reader.ids[5:] == events(1, 2, 4, 5))
            reader.forgotten = 60.0
            reader.drops[0].set()
            await eventually(lambda: reader.ids[9:] == events(1, 2, 4, 5))


async def test_connections_that_drop_at_every_repeat_do_not_keep_the_log_from_going_on(valkey: Valkey) -> None:
    def deaf(entries: Sequence[LogEntry]) -> DeliveryInterrupted | None:
        reader.failures.append(deaf)
        reader.forgotten = 0.0
        return None if entries[-1].id == "event-41" else DeliveryInterrupted("dropped")

    async with running(valkey.url, shards=1) as node:
        await fill(node, *range(1, 41))
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: len(reader.ids) == 40)
            reader.failures, reader.forgotten = [deaf], 60.0
            reader.drops[0].set()
            await fill(node, 41)
            await eventually(lambda: reader.ids[40:] == events(41))
            assert reader.connects < 12


async def test_what_was_parked_is_not_delivered_again_by_a_later_process_either(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2, 3)
        first = FakeReader(DeliveryImpossible("too large", confirmed=1))
        async with reading(node, first):
            await eventually(lambda: first.ids == events(1, 3))
        second = FakeReader()
        second.forgotten = 60.0
        async with reading(node, second):
            await eventually(lambda: second.ids == events(1, 3))


async def test_only_the_latest_seconds_are_delivered_again(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1)
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1))
            await asyncio.sleep(0.3)
            await fill(node, 2)
            await eventually(lambda: reader.ids == events(1, 2))
            reader.forgotten = 0.15
            reader.drops[0].set()
            await eventually(lambda: reader.ids == events(1, 2, 2))


async def test_a_connection_lost_while_idle_is_made_anew_and_everything_projected(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        epoch = await fill(node)
        await node.cluster.log.commit(Commit(CP1, epoch, [], fields={"charger": b"{}", "memory": b"{}"}))
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: len(reader.snapshots) == 1)
            reader.drops[0].set()
            await eventually(lambda: len(reader.snapshots) == 2)
        assert reader.connects == 2
        assert reader.snapshots[0].fields == {"charger": b"{}"}


async def test_a_refused_event_holds_the_reader_and_raises_the_alarm(valkey: Valkey) -> None:
    def denied(entries: Sequence[LogEntry]) -> DeliveryRefused | None:
        if is_mended:
            return None
        reader.failures.append(denied)
        places = [place for place, entry in enumerate(entries) if entry.id == "event-2"]
        return DeliveryRefused("not authorized", confirmed=places[0], topic="ocpp/chargers/CP1/event/x")

    is_mended = False
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2, 3)
        reader = FakeReader(denied)
        async with reading(node, reader):
            check = await eventually(
                lambda: (found := node.health.checks().get("mqtt")) and found.level != "ok" and found
            )
            assert "ocpp/chargers/CP1/event/x" in check.detail
            assert reader.ids == events(1)
            is_mended = True
            await eventually(lambda: reader.ids == events(1, 2, 3))
            await eventually(lambda: node.health.checks()["mqtt"].level == "ok")
        assert reader.connects == 1
        assert set(node.counts.outcomes) == {"refused"}


async def test_an_impossible_event_is_parked_and_the_reader_goes_on(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2, 3)
        reader = FakeReader(DeliveryImpossible("too large", confirmed=1))
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1, 3))
        page = await node.cluster.state.dead_letters()
        (letter,) = page.items
        assert (letter.reader, letter.reason, letter.entry.id) == ("mqtt", "too large", "event-2")
        assert letter.entry.charger == CP1
        await node.cluster.state.remove_dead_letter(letter.id)
        assert (await node.cluster.state.dead_letters()).items == []


async def test_an_event_that_kills_every_connection_is_found_and_parked(valkey: Valkey) -> None:
    def poisoned(entries: Sequence[LogEntry]) -> DeliveryInterrupted | None:
        reader.failures.append(poisoned)
        for place, entry in enumerate(entries):
            if entry.id == "event-3":
                return DeliveryInterrupted("dropped", confirmed=place)
        return None

    reader = FakeReader(poisoned)
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2, 3, 4, 5)
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1, 2, 4, 5))
        (letter,) = (await node.cluster.state.dead_letters()).items
        assert letter.entry.id == "event-3"
        assert [attempt for attempt in reader.attempts if attempt == events(3)] == [events(3)] * 2


async def test_an_innocent_event_is_not_parked_for_a_broker_that_restarts(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2)
        dropped = DeliveryInterrupted("dropped")
        reader = FakeReader(dropped, dropped, dropped)
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1, 2))
        assert (await node.cluster.state.dead_letters()).items == []


async def test_retained_state_follows_and_is_coalesced(valkey: Valkey) -> None:
    interval = 0.3
    async with running(valkey.url, projection_interval=interval) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: len(reader.open_shards) == 4)
            epoch = await fill(node)
            began = time.monotonic()
            for number in range(100):
                fields = {"connector/1/1": b"%d" % number, "memory": b"{}"}
                await node.cluster.log.commit(message(CP1, epoch, number, fields=fields))
            await eventually(lambda: (found := reader.latest(CP1)) and found.fields == {"connector/1/1": b"99"})
            assert len(reader.snapshots) < 4 + (time.monotonic() - began) / interval


async def test_what_changes_without_an_event_is_projected_and_delivered_to_nobody(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: len(reader.open_shards) == 4)
            epoch = await fill(node, 1)
            await eventually(lambda: reader.ids == events(1))
            await node.cluster.log.commit(Commit(CP1, epoch, [TOUCH], fields={"connector/1/1": b"set"}))
            await eventually(lambda: (found := reader.latest(CP1)) and found.fields.get("connector/1/1") == b"set")
            await node.cluster.log.commit(Commit(CP1, epoch, [TOUCH], fields={"connector/1/1": b"again"}))
            await node.cluster.log.commit(message(CP1, epoch, 2))
            await eventually(lambda: reader.ids == events(1, 2))
        page = await node.cluster.feed.read(await node.cluster.feed.earliest(), limit=100)
        assert [item.id for item in page.items] == events(1, 2)


async def test_a_charger_that_a_delivery_touches_is_projected_again_by_its_own_shard(valkey: Valkey) -> None:
    async with running(valkey.url, projection_interval=0.05) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: len(reader.open_shards) == 4)
            await fill(node, 1)
            await eventually(lambda: reader.latest(CP1))
            seen = len(reader.snapshots)
            assert [touch(CP1) for touch in reader.touches].count(True) == 1
            await eventually(lambda: len(reader.snapshots) > seen)
            assert reader.snapshots[-1].charger == CP1


async def test_all_state_is_projected_again_and_again_where_asked(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        await fill(node)
        reader = FakeReader(refresh_interval=0.05)
        async with reading(node, reader):
            await eventually(lambda: len(reader.snapshots) >= 4)
        assert reader.connects == 1


async def test_an_event_is_delivered_soon_after_its_commit(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: len(reader.open_shards) == 4)
            epoch, took = await fill(node), []
            for number in range(20):
                await node.cluster.log.commit(message(CP1, epoch, number))
                committed = time.monotonic()
                await eventually(lambda number=number: f"event-{number}" in reader.ids)
                took.append(time.monotonic() - committed)
            # A busy machine may hold up some of them.
            assert statistics.median(took) < 0.5


async def test_shards_spread_over_nodes_and_are_taken_over(valkey: Valkey) -> None:
    async with running(valkey.url, "a", **QUICK_LEASES) as a:
        first, second = FakeReader(), FakeReader()
        async with reading(a, first):
            await eventually(lambda: len(first.open_shards) == 4)
            async with running(valkey.url, "b", **QUICK_LEASES) as b:
                task = asyncio.create_task(b.cluster.read_log(second))
                everything = [0, 1, 2, 3]
                await eventually(lambda: sorted([*first.open_shards, *second.open_shards]) == everything
                                 and len(first.open_shards) == 2)  # fmt: skip
                # It dies: its connections are cut and it says nothing.
                b.cluster._lane_task.cancel()
                task.cancel()
                await asyncio.wait([task])
                await eventually(lambda: len(first.open_shards) == 4)
        chargers = [ChargerId(f"CP{number}") for number in range(8)]
        third = FakeReader()
        async with reading(a, third):
            for number, charger in enumerate(chargers):
                await fill(a, number, charger=charger)
            await eventually(lambda: len(third.ids) == 8)


async def test_a_reader_outlives_an_outage_of_redis(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await fill(node, 1)
            await eventually(lambda: reader.ids == events(1))
            await asyncio.to_thread(valkey.kill)
            await asyncio.to_thread(valkey.start)
            await eventually(lambda: node.health.checks()["redis"].level == "ok")
            epoch = await node.cluster.state._lane.call("HGET", "ocpp:{s00}::none:owner", "epoch")
            assert epoch is None
            await fill(node, 2)
            await eventually(lambda: reader.ids[-1:] == events(2))


async def test_a_reader_begins_anew_in_an_emptied_database(valkey: Valkey) -> None:
    async with running(valkey.url) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await fill(node, 1)
            await eventually(lambda: reader.ids == events(1))
            with redis.Redis.from_url(valkey.url) as client:
                client.flushall()
            await fill(node, 2)
            await eventually(lambda: reader.ids[-1:] == events(2))


@pytest.mark.parametrize("after", [0, 250])
async def test_a_stale_lease_moves_no_cursor(valkey: Valkey, after: int) -> None:
    async with running(valkey.url, shards=1, **QUICK_LEASES) as node:
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: reader.open_shards == {0})
            with redis.Redis.from_url(valkey.url) as client:
                client.set("ocpp:{s00}:lease:mqtt", "another", px=60_000)
                await fill(node, *range(1, after))
                await eventually(lambda: not reader.open_shards)
                assert client.get("ocpp:{s00}:cursor:mqtt") is None
                assert client.get("ocpp:{s00}:lease:mqtt") == b"another"


async def test_state_that_drops_every_connection_does_not_hold_events_up(valkey: Valkey) -> None:
    reader = FakeReader()
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2)
        reader.project_failures = [DeliveryInterrupted("dropped")] * 2
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1, 2))
            await eventually(lambda: reader.latest(CP1))


async def test_refused_state_is_tried_again_while_events_go_on(valkey: Valkey) -> None:
    reader = FakeReader()
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1)
        # Until the test has seen the alarm, and then no more.
        reader.project_failures = [DeliveryRefused("no", topic="ocpp/chargers/CP1/state")] * 1000
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1))
            check = await eventually(lambda: (found := node.health.checks()["mqtt"]).level != "ok" and found)
            assert "ocpp/chargers/CP1/state" in check.detail
            reader.project_failures.clear()
            await eventually(lambda: reader.latest(CP1))
            await eventually(lambda: node.health.checks()["mqtt"].level == "ok")
        assert reader.connects == 1


async def test_who_follows_one_that_died_is_told_that_the_receiver_is_in_doubt(valkey: Valkey) -> None:
    """A broker and the node that spoke to it may die within seconds: the next one cannot know that the broker did."""
    async with running(valkey.url, shards=1) as node:
        for number, (left_before, doubts) in enumerate(((None, [False]), (None, [False]), ("dead", [True, False]))):
            if left_before is not None:
                with redis.Redis.from_url(valkey.url) as client:
                    client.set("ocpp:{s00}:in_hand:mqtt", left_before)
            reader = FakeReader()
            async with reading(node, reader):
                await fill(node, 2 * number)
                await eventually(lambda one=reader, at=2 * number: one.ids == events(at))
                assert _is_in_hand(valkey)
                if left_before is not None:
                    reader.drops[0].set()
                    await eventually(lambda one=reader: one.connects == 2)
                    await fill(node, 2 * number + 1)
                    await eventually(lambda one=reader: len(one.ids) == 2)
            assert reader.doubts == doubts
            assert not _is_in_hand(valkey), "it was left cleanly"


async def test_what_could_not_be_delivered_again_to_its_end_is_still_owed(valkey: Valkey) -> None:
    async with running(valkey.url, shards=1) as node:
        await fill(node, 1, 2, 3)
        reader = FakeReader()
        async with reading(node, reader):
            await eventually(lambda: reader.ids == events(1, 2, 3))

            def drop(entries: object) -> DeliveryInterrupted:
                reader.forgotten = 0.0
                return DeliveryInterrupted("gone again", confirmed=1)

            reader.forgotten, reader.failures = 60.0, [drop]
            reader.drops[0].set()
            await eventually(lambda: reader.ids == [*events(1, 2, 3), *events(1), *events(2, 3)])


def _is_in_hand(valkey: Valkey) -> bool:
    with redis.Redis.from_url(valkey.url) as client:
        return client.exists("ocpp:{s00}:in_hand:mqtt") == 1


async def test_a_log_that_a_failover_set_back_is_read_on_behind_its_new_end(valkey: Valkey) -> None:
    """The end that was read is lost with the old primary, and the clock of the new one is behind."""
    reader = FakeReader()
    async with running(valkey.url, shards=1) as node, reading(node, reader):
        key = "ocpp:{s00}:log"
        with redis.Redis.from_url(valkey.url) as client:
            seconds, _ = client.time()
            ahead = {"c": CP1.key, "i": "lost", "t": "type", "b": "{}", "n": 1}
            client.xadd(key, ahead, id=f"{(seconds + 3600) * 1000}-0")
            await eventually(lambda: reader.ids == ["lost"])
            with client.pipeline() as step:
                step.delete(key)
                step.xadd(key, {**ahead, "i": "new"})
                step.execute()
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await eventually(lambda: reader.ids == ["lost", "new"])

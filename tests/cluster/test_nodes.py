"""Several nodes on one Redis: takeover, mailbox calls, and what a dead node held."""

import asyncio
import time

import orjson
import pytest
import redis
from structlog.testing import capture_logs

from gateway.cluster import mailboxes
from gateway.core.clock import SystemClock
from gateway.core.commands import Command, Outcome
from gateway.core.errors import OwnershipLost
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from tests.cluster.support import CP1, FakeReader, Node, eventually, eventually_async, message, reading, running
from tests.support.servers import Valkey


def command(seconds: float = 60.0, number: int = 1) -> Command:
    return Command(f"c-{number}", CP1, "reset", {"type": "on_idle"}, time.time() + seconds, "rest")


async def test_a_newer_connection_takes_over_from_another_node(valkey: Valkey) -> None:
    async with running(valkey.url, "a") as a, running(valkey.url, "b") as b:
        old = await a.cluster.ownership.claim(CP1)
        await a.cluster.log.commit(Commit(CP1, old.epoch, [], fields={"charger": b"{}"}))
        new = await b.cluster.ownership.claim(CP1)
        assert new.previous_node == "a"
        assert new.fields == {"charger": b"{}"}
        await eventually(lambda: a.hooks.closed == [("CP1", new.epoch)])
        assert await a.cluster.state.owner(CP1) == "b"
        with pytest.raises(OwnershipLost):
            await a.cluster.log.commit(message(CP1, old.epoch, 1))
        await a.cluster.ownership.release(CP1, old.epoch)
        assert await a.cluster.state.owner(CP1) == "b"
        await b.cluster.ownership.release(CP1, new.epoch)
        assert await a.cluster.state.owner(CP1) is None


async def test_a_command_is_carried_out_by_the_node_that_holds_the_charger(valkey: Valkey) -> None:
    async with running(valkey.url, "a") as a, running(valkey.url, "b") as b:
        sent = command()
        result = await a.cluster.mailboxes.call("b", sent, deadline=sent.deadline)
        assert (result.outcome, result.result) == (Outcome.ACCEPTED, {"by": "b"})
        assert b.hooks.executed == [sent]
        many = [command(number=number) for number in range(200)]
        results = await asyncio.gather(*(a.cluster.mailboxes.call("b", one, deadline=one.deadline) for one in many))
        assert [result.id for result in results] == [one.id for one in many]


async def test_a_command_that_nobody_took_is_withdrawn_and_certainly_not_sent(valkey: Valkey) -> None:
    async with running(valkey.url, "a") as a:
        sent = command(0.3)
        result = await a.cluster.mailboxes.call("b", sent, deadline=sent.deadline)
        assert result.outcome is Outcome.OFFLINE
        async with running(valkey.url, "b") as b:
            sure = command(number=2)
            assert (await a.cluster.mailboxes.call("b", sure, deadline=sure.deadline)).outcome is Outcome.ACCEPTED
            assert b.hooks.executed == [sure]


async def test_a_command_that_was_taken_and_not_answered_is_a_timeout(valkey: Valkey) -> None:
    async with running(valkey.url, "a") as a, running(valkey.url, "b") as b:
        b.hooks.may_answer.clear()
        sent = command(3.0)
        result = await a.cluster.mailboxes.call("b", sent, deadline=sent.deadline)
        assert b.hooks.executed == [sent]
        assert result.outcome is Outcome.TIMEOUT
        assert not result.safe_to_retry


async def test_a_node_takes_so_many_commands_at_once_and_refuses_the_others(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "_MOST_AT_WORK", 5)
    async with running(valkey.url, "a") as a, running(valkey.url, "b") as b:
        b.hooks.may_answer.clear()
        sent = [command(number=number) for number in range(20)]
        calls = [asyncio.create_task(a.cluster.mailboxes.call("b", one, deadline=one.deadline)) for one in sent]
        await eventually(lambda: sum(call.done() for call in calls) == 15)
        assert {call.result().outcome for call in calls if call.done()} == {Outcome.OFFLINE}
        assert len(b.hooks.executed) == 5
        b.hooks.may_answer.set()
        results = await asyncio.gather(*calls)
        assert [result.outcome for result in results].count(Outcome.ACCEPTED) == 5


async def test_a_command_for_a_node_that_died_is_withdrawn_when_the_death_is_noticed(valkey: Valkey) -> None:
    async with running(valkey.url, "a") as a:
        b = Node(valkey.url, "b")
        await b.start()
        await eventually_async(lambda: a.cluster.state.nodes(), lambda nodes: len(nodes) == 2)
        await b.die()
        sent = command(60)
        async with asyncio.timeout(60):
            result = await a.cluster.mailboxes.call("b", sent, deadline=sent.deadline)
        assert (result.outcome, result.safe_to_retry) == (Outcome.OFFLINE, True)
        late = command(0.3, number=2)
        assert (await a.cluster.mailboxes.call("b", late, deadline=late.deadline)).outcome is Outcome.OFFLINE
        await b.cluster.stop()


@pytest.fixture
def unhurried_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that stops takes its time: on a busy machine it might leave without a word."""
    monkeypatch.setattr("gateway.cluster.cluster._LEAVE_SECONDS", 60.0)
    monkeypatch.setattr("gateway.cluster.leases._LEAVE_SECONDS", 60.0)
    monkeypatch.setattr("gateway.cluster.shard_reader._CLOSE_SECONDS", 60.0)


@pytest.mark.usefixtures("unhurried_leave")
async def test_nodes_are_listed_while_they_live(valkey: Valkey) -> None:
    async with running(valkey.url, "a", node_term=30.0) as a:
        async with running(valkey.url, "b", node_term=30.0):
            nodes = await eventually_async(lambda: a.cluster.state.nodes(), lambda nodes: len(nodes) == 2)
            assert [(node.node, node.chargers) for node in nodes] == [("a", 7), ("b", 7)]
        assert [node.node for node in await a.cluster.state.nodes()] == ["a"]


class SleepyClock(SystemClock):
    """A machine's clock, for which time may be slept away."""

    slept = 0.0

    def now(self) -> float:  # type: ignore[override]
        return super().now() + self.slept


async def test_who_slept_takes_nobody_for_dead_before_the_others_had_time_to_say_that_they_live(
    valkey: Valkey,
) -> None:
    """As after a machine with several workers was suspended: none of them could beat, and all are silent."""
    clock = SleepyClock()
    async with running(valkey.url, "a", clock=clock) as a:
        liveness = a.cluster._liveness
        await eventually(liveness.may_judge)
        fell_asleep = clock.monotonic()
        clock.slept = 5.0
        assert not liveness.may_judge()
        await eventually(liveness.may_judge)
        assert clock.monotonic() - fell_asleep >= 1.0, "a term since then"


async def test_chargers_of_a_dead_node_are_said_to_be_offline(valkey: Valkey) -> None:
    stay, gone = ChargerId("came-back"), [ChargerId(f"gone-{number}") for number in range(150)]
    async with running(valkey.url, "a") as a:
        b = Node(valkey.url, "b")
        await b.start()
        for charger in [stay, *gone]:
            epoch = (await b.cluster.ownership.claim(charger)).epoch
            picture = orjson.dumps({"vendor": "v", "availability": "online", "node": "b"})
            fields = {"availability": b"online", "charger": picture}
            await b.cluster.log.commit(Commit(charger, epoch, [], fields=fields))
        kept = (await a.cluster.ownership.claim(stay)).epoch
        await b.die()
        reader = FakeReader()
        async with reading(a, reader):
            await eventually(lambda: len(reader.entries) == len(gone))
        assert {entry.charger for entry in reader.entries} == set(gone)
        body = orjson.loads(reader.entries[0].body)
        assert body["type"] == "ocpp.charger.disconnected"
        assert body["data"] == {"reason": "node_lost"}
        snapshot = await a.cluster.state.charger(gone[0])
        assert snapshot is not None
        assert snapshot.fields["availability"] == b"offline"
        told = orjson.loads(snapshot.fields["charger"])
        assert (told["vendor"], told["availability"], told["node"]) == ("v", "offline", None)
        assert told["disconnected_at"] == body["time"]
        assert await a.cluster.state.owner(gone[0]) is None
        assert await a.cluster.state.owner(stay) == "a"
        assert await a.cluster.log.commit(message(stay, kept, 1)) is None
        await b.cluster.stop()


async def _said_offline(valkey: Valkey, *, count: int, **terms: float) -> float:
    """Of three nodes one dies, and one of its chargers has gone elsewhere. Returns the seconds until the others are
    said to be offline, once each."""
    stays, gone = ChargerId("came-back"), [ChargerId(f"gone-{number}") for number in range(count)]
    async with running(valkey.url, "a", **terms) as a, running(valkey.url, "b", **terms) as b:
        c = Node(valkey.url, "c", **terms)
        await c.start()
        for charger in [stays, *gone]:
            epoch = (await c.cluster.ownership.claim(charger)).epoch
            await c.cluster.log.commit(Commit(charger, epoch, [], fields={"availability": b"online"}))
        await eventually_async(lambda: a.cluster.state.nodes(), lambda nodes: len(nodes) == 3)
        reader = FakeReader()
        async with reading(a, reader):
            await b.cluster.ownership.claim(stays)
            await c.die()
            died_at = time.monotonic()
            await eventually(lambda: len({entry.charger for entry in reader.entries}) == count, seconds=40)
            seconds = time.monotonic() - died_at
            # The dead node is struck off only after the last of its chargers.
            with redis.Redis.from_url(valkey.url) as client:
                await eventually(lambda: b"c" not in client.smembers("ocpp:nodes"))
                await a.cluster.log.commit(message(CP1, (await a.cluster.ownership.claim(CP1)).epoch, "end"))
            await eventually(lambda: "event-end" in reader.ids)
            told = [entry.charger for entry in reader.entries if entry.type == "ocpp.charger.disconnected"]
            assert sorted(map(str, told)) == sorted(map(str, gone))
        assert await a.cluster.state.owner(stays) == "b"
        await c.cluster.stop()
    return seconds


async def test_of_several_survivors_one_says_once_that_a_dead_nodes_chargers_are_offline(valkey: Valkey) -> None:
    await _said_offline(valkey, count=150)


@pytest.mark.soak
async def test_with_the_default_terms_a_dead_nodes_chargers_are_offline_within_15_seconds(valkey: Valkey) -> None:
    assert await _said_offline(valkey, count=2000, node_term=10.0, lease_term=10.0) < 15


@pytest.mark.usefixtures("unhurried_leave")
async def test_a_node_that_leaves_gives_its_leases_up_at_once(valkey: Valkey) -> None:
    async with running(valkey.url, "a", lease_term=600.0) as a:
        reader = FakeReader()
        with redis.Redis.from_url(valkey.url) as client:
            async with reading(a, reader):
                await eventually(lambda: len(reader.open_shards) == 4)
                assert len(client.keys("ocpp:{s*}:lease:mqtt")) == 4
            assert client.keys("ocpp:{s*}:lease:mqtt") == []


@pytest.mark.usefixtures("unhurried_leave")
async def test_a_node_that_took_leave_is_not_called_dead(valkey: Valkey) -> None:
    async with running(valkey.url, "gone") as gone:
        await gone.cluster.ownership.claim(CP1)
        await eventually_async(lambda: gone.cluster.state.nodes(), lambda nodes: [n.node for n in nodes] == ["gone"])
    with capture_logs() as logged:
        async with running(valkey.url, "new") as new:
            await eventually_async(lambda: new.cluster.state.owner(CP1), lambda owner: owner is None)
            await eventually(lambda: [entry for entry in logged if entry["event"] == "a node has left"])
    told = [(entry["log_level"], entry["left_node"], entry["chargers"]) for entry in logged if "left_node" in entry]
    assert told == [("info", "gone", 1)]
    assert not [entry for entry in logged if "dead" in entry["event"]]


async def test_a_node_restarted_under_its_own_name_sweeps_what_it_left_behind(valkey: Valkey) -> None:
    before = Node(valkey.url, "a")
    await before.start()
    await before.cluster.ownership.claim(CP1)
    await before.die()
    async with running(valkey.url, "a") as after:
        reader = FakeReader()
        async with reading(after, reader):
            await eventually(lambda: [entry.type for entry in reader.entries] == ["ocpp.charger.disconnected"])
    await before.cluster.stop()

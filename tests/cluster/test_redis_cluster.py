"""A Redis Cluster: shards lie on several primaries, move between them, and outlive each one."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.cluster.slots import slot_of
from gateway.core.commands import Command, Outcome
from gateway.core.errors import ConfigurationError
from gateway.core.identity import ChargerId
from gateway.core.ports import IdToken
from gateway.core.transaction_query import TransactionQuery
from tests.cluster.support import CP1, FakeReader, Node, eventually, eventually_async, message, reading, running
from tests.cluster.test_outage import stream
from tests.support.servers import Valkey
from tests.support.topologies import Cluster, ClusterNode, wait_until

FLEET = [ChargerId(f"CP{number}") for number in range(40)]


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Cluster]:
    """Three primaries."""
    servers = Cluster(tmp_path)
    try:
        yield servers.start()
    finally:
        servers.stop()


@pytest.fixture
def safe_trio(tmp_path: Path) -> Iterator[Cluster]:
    """Three primaries with a replica each."""
    servers = Cluster(tmp_path, replicas=3)
    try:
        yield servers.start()
    finally:
        servers.stop()


def stored(cluster: Cluster) -> list[str]:
    """The ids of all events, by shard, in the order of the log."""
    found: list[str] = []
    for number, node in enumerate(cluster.nodes):
        if not node.runs or cluster.ask(number, "ROLE")[0] != b"master":
            continue
        with cluster.client(number) as client:
            for key in sorted(client.keys("ocpp:{s*}:log")):
                found += [fields[b"i"].decode() for _, fields in client.xrange(key)]
    return found


def check_books(cluster: Cluster, acknowledged: list[str], reader: FakeReader) -> None:
    """What was acknowledged is stored once, in order for each charger, and was read in that order."""
    found = stored(cluster)
    assert Counter(found) == Counter(acknowledged)
    for charger in FLEET:
        own = [name for name in found if name.startswith(f"event-{charger}/")]
        assert own == [f"event-{charger}/{number}" for number in range(1, len(own) + 1)]
        told = [name for name in dict.fromkeys(reader.ids) if name.startswith(f"event-{charger}/")]
        assert told == own


class Load:
    """Chargers that commit as fast as they are answered."""

    def __init__(self, node: Node) -> None:
        self.node, self.acknowledged = node, list[str]()
        self.epochs: dict[ChargerId, int] = {}
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        for charger in FLEET:
            self.epochs[charger] = epoch = (await self.node.cluster.ownership.claim(charger)).epoch
            self._tasks.append(asyncio.create_task(stream(self.node, charger, epoch, self.acknowledged, self._stop)))

    async def some_more(self, count: int = 400) -> None:
        so_far = len(self.acknowledged)
        await eventually(lambda: len(self.acknowledged) > so_far + count, seconds=60)

    async def everybody(self) -> None:
        """Each charger had something acknowledged since."""
        marks = len(self.acknowledged)
        await eventually(
            lambda: {name.partition("/")[0] for name in self.acknowledged[marks:]} == {f"event-{c}" for c in FLEET},
            seconds=60,
        )

    async def end(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)


async def test_all_that_the_gateway_keeps_is_kept_on_several_primaries(trio: Cluster) -> None:
    reader = FakeReader()
    # Long enough that no node of a busy machine is taken for dead while it lives.
    term = {"node_term": 3.0, "lease_term": 3.0}
    async with running(trio.url, **term) as node, running(trio.url, "node-b", **term) as other, reading(node, reader):
        cluster = node.cluster
        assert cluster._keys.shards == 64
        for number, charger in enumerate(FLEET):
            epoch = (await cluster.ownership.claim(charger)).epoch
            fields = {"charger": b"{}", "memory": b'{"active":["t%d"]}' % number}
            await cluster.log.commit(
                message(charger, epoch, number, key="k", fields=fields, transactions={f"t{number}": b"{}"})
            )
            assert len((await other.cluster.ownership.claim(charger)).transactions) == 1
        assert all(trio.ask(number, "DBSIZE") > 40 for number in range(3)), "each has its share"
        await eventually(lambda: len(reader.entries) == len(FLEET), seconds=60)

        assert len((await other.cluster.state.chargers()).items) == len(FLEET)
        assert len((await other.cluster.state.transactions(TransactionQuery())).items) == len(FLEET)
        # A change is told when it has settled, a moment after it was made.
        await eventually_async(
            lambda: other.cluster.state.changed_transactions(TransactionQuery(), since=0.0),
            lambda changed: len(changed.items) == len(FLEET),
        )
        page = await other.cluster.feed.read(await other.cluster.feed.earliest(), limit=100)
        # Those of two chargers may come in either order: they lie on two servers.
        assert sorted(entry.id for entry in page.items) == sorted(f"event-{number}" for number in range(len(FLEET)))

        await cluster.tokens.put([IdToken(f"T{number}") for number in range(3)])
        assert len((await other.cluster.tokens.list()).items) == 3
        command = Command("c1", CP1, "unlock", {}, cluster._clock.now() + 60)
        assert await cluster.commands.begin(command) is None
        result = await cluster.mailboxes.call("node-b", command, deadline=command.deadline)
        assert (result.outcome, result.result) == (Outcome.ACCEPTED, {"by": "node-b"})
        await cluster.commands.finish(result, deadline=command.deadline)
        await eventually_async(cluster.state.nodes, lambda nodes: {info.node for info in nodes} == {"node-a", "node-b"})
        await cluster.later.schedule(CP1, "kind", 0.0, b"")
        await eventually(lambda: not (node.hooks.works.empty() and other.hooks.works.empty()))
        await cluster._trimmer.trim()

        # What a dead node held, on whichever primary, is offline; its mailbox is settled.
        assert await cluster.state.owner(FLEET[0]) == "node-b"
        await other.die()
        for charger in FLEET:
            await eventually_async(partial(cluster.state.owner, charger), lambda owner: owner is None, seconds=60)
            snapshot = await cluster.state.charger(charger)
            assert snapshot is not None
            assert snapshot.fields["availability"] == b"offline"


async def test_a_slot_moves_to_another_primary_while_its_chargers_commit(trio: Cluster) -> None:
    reader = FakeReader()
    async with running(trio.url, shards=6) as node, reading(node, reader):
        load = Load(node)
        await load.begin()
        await load.everybody()
        slot = slot_of(node.cluster._keys.shard(0).log)
        target = (trio.holder(slot) + 1) % 3
        with capture_logs() as lines:
            source = await asyncio.to_thread(trio.begin_to_move, slot, target)
            await load.some_more()
            await asyncio.to_thread(trio.move_keys, slot, source, target)
            await load.some_more()
            assert trio.ask(source, "CLUSTER COUNTKEYSINSLOT", slot) == 0
            await asyncio.to_thread(trio.end_move, slot, target)
            await load.everybody()
        await load.end()
        assert "commits wait for redis" in [line["event"] for line in lines]
        await eventually(lambda: set(load.acknowledged) <= set(reader.ids), seconds=60)
        await eventually(lambda: node.health.level() == "ok", seconds=60)
        for charger, epoch in load.epochs.items():
            assert (await node.cluster.ownership.claim(charger)).epoch > epoch
    assert trio.ask(target, "CLUSTER COUNTKEYSINSLOT", slot) > 0
    check_books(trio, load.acknowledged, reader)


async def test_a_slot_moves_at_once_while_its_chargers_commit(trio: Cluster) -> None:
    """As Valkey 9 moves slots: all keys are copied first, and then change hands in one moment."""
    reader = FakeReader()
    async with running(trio.url, shards=6) as node, reading(node, reader):
        load = Load(node)
        await load.begin()
        await load.everybody()
        slot = slot_of(node.cluster._keys.shard(0).log)
        source = trio.holder(slot)
        target = (source + 1) % 3
        place = ("SLOTSRANGE", slot, slot, "NODE", trio.identity(target))
        await asyncio.to_thread(trio.ask, source, "CLUSTER MIGRATESLOTS", *place)
        await eventually(lambda: trio.ask(target, "CLUSTER COUNTKEYSINSLOT", slot) > 0)
        await asyncio.to_thread(wait_until, lambda: trio.holder(slot) == target, "the slot has moved")
        await load.everybody()
        await load.end()
        await eventually(lambda: set(load.acknowledged) <= set(reader.ids), seconds=60)
        await eventually(lambda: node.health.level() == "ok", seconds=60)
    check_books(trio, load.acknowledged, reader)


async def test_a_primary_killed_under_load_loses_no_acknowledged_commit(safe_trio: Cluster) -> None:
    reader = FakeReader()
    async with running(safe_trio.url, shards=6, wait_for_replicas=1) as node, reading(node, reader):
        load = Load(node)
        await load.begin()
        await load.everybody()
        slot = slot_of(node.cluster._keys.shard(0).log)
        victim = safe_trio.holder(slot)
        so_far = len(node.counts.redis)
        await asyncio.to_thread(safe_trio.nodes[victim].kill)
        # It may be over before it is looked for.
        await eventually(lambda: False in node.counts.redis[so_far:])
        # Chargers on the other primaries are answered meanwhile.
        await load.some_more(100)
        # Who takes over has no replica, so that its chargers wait until the old primary has come back as one.
        await asyncio.to_thread(wait_until, lambda: safe_trio.holder(slot) != victim, "a replica takes over")
        await asyncio.to_thread(safe_trio.nodes[victim].start)
        await load.everybody()
        await load.end()
        await eventually(lambda: set(load.acknowledged) <= set(reader.ids), seconds=60)
        await eventually(lambda: node.health.level() == "ok", seconds=60)
        for charger, epoch in load.epochs.items():
            assert (await node.cluster.ownership.claim(charger)).epoch > epoch
    check_books(safe_trio, load.acknowledged, reader)


async def test_a_url_of_the_wrong_kind_is_told(tmp_path: Path, valkey: Valkey) -> None:
    member = ClusterNode(tmp_path / "member").start()
    try:
        with pytest.raises(ConfigurationError, match=r"node of a Cluster: begin its URL with redis\+cluster://"):
            await Node(member.url).start()
    finally:
        member.stop()
    with pytest.raises(ConfigurationError, match=r"is no node of a Redis Cluster: for one server write redis://"):
        await Node(valkey.url.replace("redis:", "redis+cluster:")).start()

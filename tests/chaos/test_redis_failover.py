"""The primary of Redis dies in mid-charge and its replica takes over: law 1 holds, and all goes on by itself."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.charger import HandCharger, start_payload
from tests.chaos.conftest import MakeNode, start
from tests.chaos.fleet import Fleet, mid_charge
from tests.chaos.laws import check_all, missing
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.servers import Mosquitto
from tests.support.topologies import Watched


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    servers = Watched(tmp_path / "redis")
    try:
        yield servers.start()
    finally:
        servers.stop()


async def test_a_fleet_charges_on_over_a_failover(
    make_node: MakeNode, watched: Watched, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    # A node that a busy machine holds up for some seconds is not silent for long enough to be taken for dead.
    safe = {"redis": {"wait_for_replicas": 1, "node_term": 15.0}}
    nodes = [make_node(watched.url, mosquitto.url, name=name, settings=safe) for name in ("node-1", "node-2")]
    await start(*nodes)
    old = Fleet(nodes[0].charger_url, "1.6", 4, prefix="OLD")
    new = Fleet(nodes[1].charger_url, "2.0.1", 4, prefix="NEW")
    async with old, new:
        async with HandCharger(nodes[0].charger_url, "HAND") as hand:
            await hand.boot()
            first = await hand.start()
            await hand.stop(first, 1500)
        await mid_charge(old, new)
        await asyncio.to_thread(watched.primary.kill)
        await until(lambda: all("redis is away" in node.log for node in nodes), "it is noticed")
        await mid_charge(old, new)
        async with HandCharger(nodes[1].charger_url, "HAND") as hand:
            second = await hand.start(start_payload(meter=1500, minute=20))
            assert second > first
            await hand.stop(second, 1700)
        records = await old.finish() + await new.finish()
    await until(lambda: not missing(records, subscriber.events()), "all that was acknowledged is told")
    await until(lambda: subscriber.types("HAND").count("transaction.ended") == 2, "both of its ends are told")
    check_all(records, [one for one in subscriber.events() if not one["source"].endswith("HAND")])
    epochs = [int(one["epoch"]) for one in subscriber.events("HAND")]
    assert epochs == sorted(epochs)
    for node in nodes:
        assert "taken for dead" not in node.log
        assert "lost its data" not in node.log

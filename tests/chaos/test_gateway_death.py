"""Law 2: any process may die at any instant. Killed, replaced or asked to go, the gateway loses and doubles nothing."""

import asyncio

import pytest

from tests.chaos.charger import HandCharger, start_payload
from tests.chaos.conftest import QUICK, MakeNode, start
from tests.chaos.fleet import Fleet, mid_charge
from tests.chaos.laws import check_all, missing
from tests.chaos.subscriber import Subscriber, once
from tests.chaos.switch import Switch
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import Mosquitto, Valkey


async def _check_end(subscriber: Subscriber, *fleets: Fleet) -> None:
    """Let the fleets end, and check that the subscriber has everything of them."""
    records = [record for fleet in fleets for record in await fleet.finish()]
    everyone = [f"/chargers/{one}" for fleet in fleets for one in fleet.ids]
    await until(lambda: not missing(records, subscriber.events()), "the subscriber has every event")
    check_all(records, [event for event in subscriber.events() if event["source"] in everyone])
    for charger in (one for fleet in fleets for one in fleet.ids):
        await until(lambda one=charger: subscriber.availability(one) == "offline", f"{charger} is said to be offline")


async def test_a_killed_and_restarted_gateway_loses_and_doubles_nothing(
    make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    node = make_node(valkey.url, mosquitto.url)
    await start(node)
    old = Fleet(node.charger_url, "1.6", 4, prefix="OLD")
    new = Fleet(node.charger_url, "2.0.1", 4, prefix="NEW")
    async with old, new:
        await mid_charge(old, new)
        for _ in range(2):
            node.kill()
            await start(node)
            await mid_charge(old, new)
        await _check_end(subscriber, old, new)


async def test_another_node_takes_over_the_chargers_and_the_log_of_a_killed_one(
    make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    first, second = nodes = [
        make_node(valkey.url, mosquitto.url, name=name, settings=QUICK) for name in ("node-1", "node-2")
    ]
    await start(*nodes)
    async with Switch(first.charger_port) as switch:
        old, new = Fleet(switch.url, "1.6", 4, prefix="OLD"), Fleet(switch.url, "2.0.1", 4, prefix="NEW")
        async with old, new, HandCharger(first.charger_url, "STAYS-AWAY") as gone:
            await gone.boot()
            await gone.start()
            await mid_charge(old, new)
            switch.target = second.charger_port
            first.kill()
            await mid_charge(old, new)

            def goodbyes() -> list[str]:
                told = once(subscriber.events("STAYS-AWAY"))
                return [one["data"]["reason"] for one in told if one["type"] == "ocpp.charger.disconnected"]

            await until(goodbyes, "the survivor says that the dead node's charger is offline")
            assert goodbyes() == ["node_lost"]
            await until(lambda: subscriber.availability("STAYS-AWAY") == "offline", "retained state says so, too")
            for charger in (*old.ids, *new.ids):
                await until(lambda one=charger: subscriber.availability(one) == "online", f"{charger} is there")
            await _all_shards_are_read_by(second)
            await _check_end(subscriber, old, new)


async def _all_shards_are_read_by(node: GatewayProcess) -> None:
    begun, ended = '"the log is read here"', '"the log is not read here any more"'
    await until(lambda: node.log.count(begun) - node.log.count(ended) == 4, "the survivor reads every shard")


async def test_a_gateway_that_is_asked_to_stop_sends_its_chargers_away_and_says_that_they_are_offline(
    make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    node = make_node(valkey.url, mosquitto.url)
    await start(node)
    old, new = Fleet(node.charger_url, "1.6", 3, prefix="OLD"), Fleet(node.charger_url, "2.0.1", 3, prefix="NEW")
    async with old, new, HandCharger(node.charger_url, "BY-HAND") as hand:
        await hand.boot()
        transaction = await hand.start(start_payload(minute=1))
        await mid_charge(old, new)
        assert await asyncio.to_thread(node.stop) == 0

        assert (await hand.until_closed())[0] == 1012
        everyone = ("BY-HAND", *old.ids, *new.ids)
        for charger in everyone:
            await until(lambda one=charger: subscriber.availability(one) == "offline", f"{charger} is offline")
            assert subscriber.types(charger)[-1] == "charger.disconnected"
        await until(lambda: subscriber.last("ocpp/status").text == "offline", "the gateway says that it is away")
        assert all("1012" in reason for reason in old.ended + new.ended), "no other way of ending"

        await start(node)
        await until(lambda: subscriber.last("ocpp/status").text == "online", "the gateway says that it is back")
        async with HandCharger(node.charger_url, "BY-HAND") as back:
            await back.stop(transaction, 2000)
        await mid_charge(old, new)
        await _check_end(subscriber, old, new)
    told = [kind for kind in subscriber.types("BY-HAND") if kind.startswith("transaction")]
    assert told == ["transaction.started", "transaction.ended"]


@pytest.mark.parametrize("broker_too", [False, True], ids=["gateway", "gateway and broker"])
async def test_what_was_in_the_log_when_the_gateway_died_is_published_after_its_restart(
    broker_too: bool, make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    """The events were only in the log: the broker was away when they were acknowledged, and then the gateway died."""
    node = make_node(valkey.url, mosquitto.url)
    await start(node)
    async with HandCharger(node.charger_url, "BY-HAND") as hand:
        await hand.boot()
        await until(lambda: subscriber.types("BY-HAND") == ["charger.connected", "charger.booted"], "it booted")
        await asyncio.to_thread(mosquitto.stop)
        transaction = await hand.start()
        for wh in range(1100, 1600, 100):
            await hand.sample(transaction, wh)
        await hand.stop(transaction, 1600)
        node.kill()
        if not broker_too:
            await asyncio.to_thread(mosquitto.start)
        await start(node)
        if broker_too:
            await asyncio.to_thread(mosquitto.start)
    wanted = ["transaction.started", *["transaction.updated"] * 5, "transaction.ended"]
    await until(
        lambda: [kind for kind in subscriber.types("BY-HAND") if kind.startswith("transaction")] == wanted,
        "every event that was acknowledged is there",
    )

"""A broker that crashed gets again what it forgot; one that only hung up on what it cannot take is no crashed one."""

import asyncio

import pytest

from tests.chaos.charger import HandCharger
from tests.chaos.conftest import MakeNode, start
from tests.chaos.retimed import retimed
from tests.chaos.subscriber import Subscriber, once
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Mosquitto, Valkey

FORGOTTEN = "may have forgotten"
TRANSACTION = [
    "charger.connected",
    "charger.booted",
    "transaction.started",
    "transaction.ended",
    "charger.disconnected",
]


async def charge(node: GatewayProcess, charger: str) -> None:
    async with HandCharger(node.charger_url, charger) as hand:
        await hand.boot()
        await hand.stop(await hand.start(), 5000)


@pytest.mark.parametrize("size", [600_000, 1_200_000], ids=["too large with raw", "too large at all"])
async def test_an_event_too_large_for_the_broker_does_not_hold_the_others_up(
    size: int, make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker, home_subscriber: Subscriber
) -> None:
    # A lease that is lost leaves the broker in doubt, too.
    settings = {"redis": {"shards": 1, "lease_term": 30.0}, "chargers": {"max_message_bytes": 2_000_000}}
    brisk = retimed({"adapters.mqtt.dialer._BACKOFF_MOST": 0.5})
    node = make_node(valkey.url, embedded_broker.url, settings=settings, kind=brisk)
    await start(node)
    async with HandCharger(node.charger_url, "BIG") as big:
        await big.boot()
        for text in ("a", "b"):
            await big.call("DataTransfer", {"vendorId": "v", "data": text * size})
            await charge(node, f"PAY-{text}")
    await charge(node, "LATER")
    for charger in ("PAY-a", "PAY-b", "LATER"):
        await until(lambda one=charger: home_subscriber.types(one) == TRANSACTION, f"{charger} is told")
    assert FORGOTTEN not in node.log
    transfers = [event for event in once(home_subscriber.events("BIG")) if event["type"] == "ocpp.data.transfer"]
    async with node.client() as client:
        letters = (await client.get("/v1/dead-letters")).json()["items"]
    assert (len(transfers), len(letters)) == ((2, 0) if size < 1_000_000 else (0, 2))

    await asyncio.to_thread(node.stop)
    await start(node)
    await charge(node, "AFTER")
    await until(lambda: home_subscriber.types("AFTER") == TRANSACTION, "events flow after a restart")


async def test_what_a_killed_broker_forgot_comes_again_with_the_same_ids(
    make_node: MakeNode, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    broker = Mosquitto(tmp_path_factory.mktemp("forgetful"), "autosave_interval 1800").start()
    try:
        with Subscriber(broker.port, client_id="billing"):
            pass
        # Now its session is on disk; nothing that comes later is.
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)
        node = make_node(valkey.url, broker.url, settings={"redis": {"shards": 1}})
        await start(node)
        with Subscriber(broker.port) as live:
            await charge(node, "CP1")
            await until(lambda: live.types("CP1") == TRANSACTION, "the broker has everything")
            ids = {event["id"] for event in live.events("CP1")}
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        await until(lambda: FORGOTTEN in node.log, "the crash is noticed")
        with Subscriber(broker.port, client_id="billing") as billing:
            await until(lambda: billing.types("CP1") == TRANSACTION, "what was away hears of it")
            assert {event["id"] for event in billing.events("CP1")} == ids
    finally:
        broker.stop()

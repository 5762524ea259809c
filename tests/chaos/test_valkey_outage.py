"""Law 1: an answer is a receipt. Without the log nothing is acknowledged, and nothing that was is lost."""

import asyncio

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.chaos.charger import HandCharger, start_payload, status_payload
from tests.chaos.conftest import GRACE, QUICK, MakeNode, start
from tests.chaos.fleet import Fleet, mid_charge
from tests.chaos.laws import check_all, missing
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Mosquitto, Valkey

SLACK = 10.0
"""Seconds that a busy machine may add to the grace time."""


async def _ready(node: GatewayProcess) -> httpx.Response:
    async with node.client() as client:
        return await client.get("/readyz")


async def test_a_charger_with_a_money_message_waiting_is_sent_away_after_the_grace_time_and_no_other(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker, home_subscriber: Subscriber
) -> None:
    node = make_node(valkey.url, embedded_broker.url, settings=QUICK)
    await start(node)
    async with (
        HandCharger(node.charger_url, "MONEY") as money,
        HandCharger(node.charger_url, "STATUS") as status,
        HandCharger(node.charger_url, "IDLE") as idle,
    ):
        for charger in (money, status, idle):
            await charger.boot()
        valkey.kill()

        loop = asyncio.get_running_loop()
        began = loop.time()
        start_message = await money.send("StartTransaction", start_payload())
        status_message = await status.send("StatusNotification", status_payload("Preparing"))
        assert (await money.until_closed())[0] == 1013
        assert GRACE <= loop.time() - began < GRACE + SLACK
        assert not money.is_answered(start_message)
        assert not status.is_answered(status_message)
        with pytest.raises(InvalidStatus) as refused:
            await HandCharger(node.charger_url, "MONEY").__aenter__()
        assert refused.value.response.status_code == 503
        assert int(refused.value.response.headers["Retry-After"]) > 0
        ready = await _ready(node)
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded"), ready.text
        assert ready.json()["checks"]["redis"]["level"] == "degraded"
        assert status.closed is None
        assert idle.closed is None

        await asyncio.to_thread(valkey.start)
        await status.answer(status_message)
        await idle.call("Heartbeat", {})
        async with HandCharger(node.charger_url, "MONEY") as back:
            transaction = await back.start(start_payload())
            await back.stop(transaction, 1500)

        async def healthy() -> bool:
            return (await _ready(node)).json()["status"] == "ok"

        await until(healthy, "/readyz says ok again")
    told = ["transaction.started", "transaction.ended"]
    await until(
        lambda: [kind for kind in home_subscriber.types("MONEY") if kind.startswith("transaction")] == told,
        "one transaction, told once",
    )


async def test_valkey_killed_in_mid_charge_loses_and_doubles_nothing(
    make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    node = make_node(valkey.url, mosquitto.url, settings=QUICK)
    await start(node)
    old, new = Fleet(node.charger_url, "1.6", 4, prefix="OLD"), Fleet(node.charger_url, "2.0.1", 4, prefix="NEW")
    async with old, new:
        await mid_charge(old, new)
        valkey.kill()
        await asyncio.to_thread(valkey.start)
        await mid_charge(old, new)

        valkey.kill()
        before = len(old.ended) + len(new.ended)
        await until(lambda: len(old.ended) + len(new.ended) >= before + 8, "each charger was sent away")
        await asyncio.to_thread(valkey.start)
        await mid_charge(old, new)
        assert all("1013" in reason for reason in old.ended + new.ended), "no other way of ending"
        assert all("503" in reason for reason in old.refused + new.refused), "no other way of refusing"
        assert old.errors == new.errors == [], "no CALLERROR, no timeout"
        records = await old.finish() + await new.finish()
    await until(lambda: not missing(records, subscriber.events()), "the subscriber has every event")
    for charger in (*old.ids, *new.ids):
        await until(lambda one=charger: subscriber.availability(one) == "offline", f"{charger} is said to be offline")
    check_all(records, subscriber.events())

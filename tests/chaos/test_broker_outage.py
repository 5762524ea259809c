"""Law 8, and "answered means logged": the broker goes away in mid-charge, and only the subscriber is late."""

import asyncio

import pytest

from tests.chaos.conftest import MakeNode, start
from tests.chaos.fleet import Fleet, mid_charge
from tests.chaos.laws import check_all, missing
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.servers import Mosquitto, Valkey

ACK_SECONDS = 10.0
"""Far above what an acknowledgement takes, and what every charger bears."""


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(5.0, id="five seconds"),
        pytest.param(300.0, id="five minutes", marks=[pytest.mark.soak, pytest.mark.timeout(500)]),
    ],
)
async def test_chargers_do_not_notice_that_the_broker_is_away_and_no_event_is_lost(
    outage: float, make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    node = make_node(valkey.url, mosquitto.url)
    await start(node)
    interval = 0.2 if outage < 60 else 1.0
    old = Fleet(node.charger_url, "1.6", 4, prefix="OLD", interval=interval)
    new = Fleet(node.charger_url, "2.0.1", 4, prefix="NEW", interval=interval)
    async with old, new:
        await mid_charge(old, new)

        old.slowest = new.slowest = 0.0
        marks = old.marks() + new.marks()
        await asyncio.to_thread(mosquitto.stop)
        await asyncio.sleep(outage)  # the length of the outage is what is tested
        await until(lambda: old.all_beyond(marks, 10) and new.all_beyond(marks, 10), "chargers charge on")
        assert max(old.slowest, new.slowest) < ACK_SECONDS
        async with node.client() as client:
            ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded"), ready.text
        await asyncio.to_thread(mosquitto.start)

        await mid_charge(old, new)
        assert (old.ended, new.ended) == ([], []), "no connection was lost"
        records = await old.finish() + await new.finish()
        assert old.errors == new.errors == []

    await until(lambda: not missing(records, subscriber.events()), "the subscriber has every event")
    check_all(records, subscriber.events())
    for charger in (*old.ids, *new.ids):
        await until(lambda one=charger: subscriber.availability(one) == "offline", f"{charger} is said to be offline")

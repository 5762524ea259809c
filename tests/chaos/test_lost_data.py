"""Redis may come back empty: what is connected is claimed anew, and no number repeats."""

import time
from typing import Any

import redis.asyncio as redis_client

from gateway.core.transaction import EPOCH_2025
from tests.chaos.charger import HandCharger, start_payload
from tests.chaos.conftest import MakeNode, start
from tests.chaos.fleet import Fleet, mid_charge
from tests.chaos.laws import check_order, check_repeats, check_transactions, missing
from tests.chaos.subscriber import Subscriber, once
from tests.chaos.waiting import until
from tests.support.servers import Mosquitto, Valkey


async def _lose_everything(valkey: Valkey) -> None:
    async with redis_client.Redis.from_url(valkey.url) as client:
        await client.flushall()


def _epochs(subscriber: Subscriber, charger: str) -> list[int]:
    return sorted({int(event["epoch"]) for event in subscriber.events(charger)})


async def test_chargers_stay_connected_and_known_when_redis_loses_its_data(
    make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    # Short enough that the loss is noticed soon.
    terms = {"redis": {"node_term": 5.0}}
    nodes = [make_node(valkey.url, mosquitto.url, name=name, settings=terms) for name in ("node-1", "node-2")]
    await start(*nodes)
    async with (
        HandCharger(nodes[0].charger_url, "BUSY") as busy,
        HandCharger(nodes[1].charger_url, "SILENT") as silent,
    ):
        for charger in (busy, silent):
            await charger.boot()
            await charger.status("Charging")
        first = await busy.start()
        kept = await silent.start()
        await until(
            lambda: {"transaction.started"} <= set(subscriber.types("BUSY")) & set(subscriber.types("SILENT")),
            "all that is to be lost was published",
        )
        before = {one: _epochs(subscriber, one)[-1] for one in ("BUSY", "SILENT")}

        await _lose_everything(valkey)
        await busy.sample(first, 1100)
        await busy.stop(first, 1200)
        second = await busy.start(start_payload(meter=1200, minute=30))
        await busy.stop(second, 1300)
        assert second > first

        # The silent one is known again without a word of its own, and can be commanded through either node.
        for node in nodes:

            async def commanded(asked: object = node) -> bool:
                async with asked.client() as client:  # type: ignore[attr-defined]
                    answer = await client.post("/v1/chargers/SILENT/commands/unlock", json={"evse_id": 1})
                return answer.status_code == 200 and answer.json()["outcome"] == "accepted"

            await until(commanded, "a command reaches it")
        async with nodes[0].client() as client:
            shown = (await client.get("/v1/chargers/SILENT")).json()
        assert (shown["availability"], shown["vendor"]) == ("online", "Hand")
        await silent.stop(kept, 2000)
        assert busy.closed is None
        assert silent.closed is None

        await until(lambda: subscriber.types("BUSY").count("transaction.ended") == 2, "both ends are published")
        await until(lambda: subscriber.types("SILENT").count("transaction.ended") == 1, "its end is published")
        for charger, last in before.items():
            assert _epochs(subscriber, charger)[-1] > last
            check_repeats(subscriber.events(charger))
            await until(
                lambda one=charger: subscriber.connector(one).get("transaction", "") is None, "no transaction is shown"
            )
            assert subscriber.connector(charger)["energy_register_wh"] in (1300, 2000)
            assert {heard.text for heard in subscriber.on(f"ocpp/chargers/{charger}/availability")} == {"online"}
        told = [event["data"] for event in once(subscriber.events("BUSY")) if ".transaction." in event["type"]]
        assert [(one["ocpp_transaction_id"], one["transaction_sequence"]) for one in told] == [
            (str(first), 0),
            (str(first), 1),
            (str(first), 2),
            (str(second), 0),
            (str(second), 1),
        ]
        assert told[2]["energy_wh"] == 200

    # One that was away when the data was lost gets no number twice, either.
    await until(lambda: subscriber.availability("BUSY") == "offline", "it is gone")
    await until(lambda: time.time() - EPOCH_2025 > second + 1, "numbers follow the clock: seconds pass between two")
    await _lose_everything(valkey)
    async with HandCharger(nodes[1].charger_url, "BUSY") as back:
        third = await back.start(start_payload(meter=1300, minute=50))
        assert third > second
        await back.stop(third, 1400)
        await until(lambda: subscriber.types("BUSY").count("transaction.ended") == 3, "its events are published")


async def test_an_end_said_again_after_the_loss_is_told_whole_and_can_be_read(
    make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    """The charger may have no answer yet to what was stored, and Redis may have lost it before it was published."""
    node = make_node(valkey.url, mosquitto.url)
    await start(node)
    async with HandCharger(node.charger_url, "BUSY") as busy:
        await busy.boot()
        number = await busy.start()
        await busy.stop(number, 1500)
        await until(lambda: "transaction.ended" in subscriber.types("BUSY"), "the end is published")
        await _lose_everything(valkey)
        await busy.stop(number, 1500)

        def ends() -> list[dict[str, Any]]:
            return [one for one in subscriber.events("BUSY") if one["type"] == "ocpp.transaction.ended"]

        await until(lambda: len(ends()) == 2, "the end is published again")
        first, again = ends()
        assert (again["id"], again["data"]) == (first["id"], first["data"])
        async with node.client() as client:
            shown = (await client.get(f"/v1/transactions/{first['data']['transaction_id']}")).json()
        assert (shown["status"], shown["energy_wh"]) == ("ended", first["data"]["energy_wh"])


async def test_a_fleet_in_mid_charge_charges_on_when_redis_loses_its_data(
    make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    """Lost is at most what Redis alone had; what was acknowledged afterwards is there, under the same transactions."""
    node = make_node(valkey.url, mosquitto.url, settings={"redis": {"node_term": 5.0}})
    await start(node)
    old, new = Fleet(node.charger_url, "1.6", 4, prefix="OLD"), Fleet(node.charger_url, "2.0.1", 4, prefix="NEW")
    async with old, new:
        await mid_charge(old, new)

        def unpublished() -> set[str]:
            return {*old.message_ids, *new.message_ids} - {one.get("ocppmessageid") for one in subscriber.events()}

        await until(lambda: len(unpublished()) <= len(old.ids), "what is acknowledged is published soon")
        await _lose_everything(valkey)
        before = {*old.message_ids, *new.message_ids}
        await mid_charge(old, new)
        assert (old.ended, new.ended) == ([], []), "no connection was lost"
        records = await old.finish() + await new.finish()
        assert old.errors == new.errors == []
    after = [record for record in records if record.message_id not in before]
    await until(lambda: not missing(after, subscriber.events()), "every event of afterwards is there")
    events = subscriber.events()
    check_repeats(events)
    check_order(after, events)
    check_transactions(records, events, holes=True)
    lost = missing(records, events)
    assert len(lost) <= len(old.ids) + len(new.ids), "at most the last message of each charger was not published yet"

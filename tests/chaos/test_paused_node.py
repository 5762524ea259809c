"""Law 3: a stale node can neither log, nor change state, nor say "offline", nor deliver a command."""

import asyncio
import os
import signal

from tests.chaos.charger import HandCharger, status_payload
from tests.chaos.conftest import QUICK, MakeNode, start
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Mosquitto, Valkey


async def _sees(node: GatewayProcess, *names: str) -> bool:
    async with node.client() as client:
        answer = await client.get("/v1/nodes")
    assert answer.status_code == 200, answer.text
    return sorted(one["id"] for one in answer.json()["items"]) == sorted(names)


async def test_a_paused_node_says_nothing_about_a_charger_that_moved_when_it_wakes_up(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker, home_subscriber: Subscriber
) -> None:
    stale, alive = nodes = [
        make_node(valkey.url, embedded_broker.url, name=name, settings=QUICK) for name in ("node-1", "node-2")
    ]
    await start(*nodes)
    async with HandCharger(stale.charger_url, "MOVES") as old:
        await old.boot()
        await old.status("Preparing")
        transaction = await old.start()
        os.kill(stale.pid, signal.SIGSTOP)
        # These wait in the paused node's socket, and are news to it when it wakes up.
        await old.send("StatusNotification", status_payload("Faulted"), message_id="stale-status")
        await old.send("Heartbeat", {}, message_id="stale-heartbeat")
        async with HandCharger(alive.charger_url, "MOVES") as new:
            await new.sample(transaction, 1200)
            await new.status("Charging", message_id="true-status")
            await until(lambda: _sees(alive, "node-2"), "the paused node counts as dead")
            await until(
                lambda: home_subscriber.connector("MOVES").get("status") == "charging", "the survivor tells the truth"
            )
            os.kill(stale.pid, signal.SIGCONT)
            await until(lambda: _sees(alive, "node-1", "node-2"), "the paused node is back")
            await old.until_closed()
            assert not old.is_answered("stale-status"), "what could not be logged was not acknowledged"
            assert not old.is_answered("stale-heartbeat"), "a charger that moved is not answered"

            await new.stop(transaction, 1500)
            await until(lambda: "transaction.ended" in home_subscriber.types("MOVES"), "the end is published")
            await until(
                lambda: home_subscriber.connector("MOVES").get("transaction", "") is None, "retained state follows"
            )
            messages = [event.get("ocppmessageid") for event in home_subscriber.events("MOVES")]
            assert "stale-status" not in messages
            assert "true-status" in messages
            assert "charger.disconnected" not in home_subscriber.types("MOVES")
            said = {heard.text for heard in home_subscriber.on("ocpp/chargers/MOVES/availability")}
            assert said == {"online"}
            assert home_subscriber.connector("MOVES")["status"] == "charging", "and not what the stale node read"
            async with stale.client() as client:
                answer = await client.post("/v1/chargers/MOVES/commands/unlock", json={"evse_id": 1})
            assert answer.json()["outcome"] == "accepted", answer.text
            assert [action for action, _ in new.commands] == ["UnlockConnector"]
            assert old.commands == []


async def test_a_silent_charger_of_a_node_that_was_taken_for_dead_comes_to_its_right(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker, home_subscriber: Subscriber
) -> None:
    """It was said to be offline while its node slept. Nothing that it says will show the error: it must reconnect."""
    stale, _ = nodes = [
        make_node(valkey.url, embedded_broker.url, name=name, settings=QUICK) for name in ("node-1", "node-2")
    ]
    await start(*nodes)
    async with HandCharger(stale.charger_url, "SILENT") as old:
        await old.boot()
        await until(lambda: home_subscriber.availability("SILENT") == "online", "it is online")
        os.kill(stale.pid, signal.SIGSTOP)
        await until(lambda: home_subscriber.availability("SILENT") == "offline", "the survivor says that it is offline")
        os.kill(stale.pid, signal.SIGCONT)
        await old.until_closed()
        async with HandCharger(stale.charger_url, "SILENT"):
            await until(lambda: home_subscriber.availability("SILENT") == "online", "it is online again")


async def test_a_node_whose_broker_went_away_while_it_slept_takes_commands_again_at_once(
    make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    """What lies unread before the connection's end must not hide that end until the keepalive is over."""
    node = make_node(valkey.url, mosquitto.url, settings={"mqtt": {"keepalive": 300}})
    await start(node)
    async with HandCharger(node.charger_url, "SLEEPS") as charger:
        await charger.boot()
        os.kill(node.pid, signal.SIGSTOP)
        for _ in range(30):
            subscriber.clear("ocpp/chargers/SLEEPS/command/trigger")
        mosquitto.kill()
        await asyncio.to_thread(mosquitto.start)
        os.kill(node.pid, signal.SIGCONT)

        async def answered() -> bool:
            command = {"message": "Heartbeat"}
            subscriber.publish(
                "ocpp/chargers/SLEEPS/command/trigger", command, response_topic="ocpp/reply/s", wait=False
            )
            return bool(subscriber.on("ocpp/reply/s"))

        await until(answered, "a command is answered")

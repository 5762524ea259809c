"""Law 7 with the real processes: commands find their charger, wait for it and follow it, whatever becomes of the
nodes; those of one charger keep their order."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from tests.chaos.charger import HandCharger
from tests.chaos.conftest import MakeNode, start
from tests.chaos.retimed import retimed
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

CHARGER = "FOLLOWED"
COMMANDS = f"/v1/chargers/{CHARGER}/commands"

UNHURRIED = retimed({"gateway.core.waiting.HANDOVER_SECONDS": 20.0, "adapters.mqtt.witness.LOOK_EVERY": 20.0})
"""Nodes that wait long for each other, and less long than a command: what is tested is order, not for how long a busy
machine holds one up."""

Nodes = tuple[GatewayProcess, GatewayProcess]


@pytest.fixture
async def nodes(make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker) -> Nodes:
    first, second = (
        make_node(valkey.url, embedded_broker.url, name=name, kind=UNHURRIED) for name in ("node-1", "node-2")
    )
    await start(first, second)
    return first, second


async def give(client: httpx.AsyncClient, command: str, key: str, **body: Any) -> "asyncio.Task[httpx.Response]":
    """Give a command by REST; the task ends with its answer."""
    return asyncio.create_task(client.post(f"{COMMANDS}/{command}", json=body, headers={"Idempotency-Key": key}))


async def ended(client: httpx.AsyncClient, key: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def has_ended() -> bool:
        found.update((await client.get(f"/v1/commands/{key}")).json())
        return found["outcome"] is not None

    await until(has_ended, f"{key} has ended")
    return found


def numbers(*chargers: HandCharger) -> list[str]:
    """What was sent to a charger by data_transfer, connection after connection."""
    return [payload["data"] for charger in chargers for action, payload in charger.commands if action == "DataTransfer"]


def publish(subscriber: Subscriber, number: int, *, qos: int = 1, charger: str = CHARGER) -> None:
    """The command `{charger}-{number}`, which sends its number."""
    payload = {"vendor_id": "test", "data": str(number), "id": f"{charger}-{number}"}
    subscriber.publish(f"ocpp/chargers/{charger}/command/data_transfer", payload, wait=qos > 0, qos=qos)


def outcomes(subscriber: Subscriber, charger: str = CHARGER) -> dict[str, list[str]]:
    """How the numbered commands ended: each number with all of its results."""
    found: dict[str, list[str]] = {}
    for heard in subscriber.on(f"ocpp/chargers/{charger}/result/data_transfer"):
        found.setdefault(heard.json["id"].rpartition("-")[2], []).append(heard.json["outcome"])
    return found


async def test_a_queued_command_outlives_every_node_and_is_sent_once(nodes: Nodes, home_subscriber: Subscriber) -> None:
    first, second = nodes
    async with HandCharger(first.charger_url, CHARGER) as charger:
        await charger.boot()
    await until(lambda: home_subscriber.availability(CHARGER) == "offline", "the charger is gone")
    async with first.client() as client:
        for key in ("kept", "cancelled"):
            url = f"{COMMANDS}/unlock?queue_for=600&wait=0"
            given = await client.post(url, json={"evse_id": 1}, headers={"Idempotency-Key": key})
            assert (given.status_code, given.headers["location"]) == (202, f"/v1/commands/{key}")
            await until(lambda k=key: _is_queued(client, k), "the command waits")  # type: ignore[misc]
    terms = {"vendor_id": "test", "data": "1", "id": f"{CHARGER}-1", "queue_for": 600, "problem_at": "charger"}
    home_subscriber.publish(f"ocpp/chargers/{CHARGER}/command/data_transfer", terms)
    async with second.client() as client:
        await until(lambda: _is_queued(client, f"{CHARGER}-1"), "the command by MQTT waits, too")
        first.kill()
        second.kill()
        await asyncio.to_thread(second.start)
        assert (await client.get("/v1/commands/kept")).json()["state"] == "queued"
        assert (await client.delete("/v1/commands/cancelled")).json()["outcome"] == "cancelled"
        async with HandCharger(second.charger_url, CHARGER) as charger:
            charger.answers["DataTransfer"] = {"status": "Rejected"}
            await charger.boot()
            assert (await ended(client, "kept"))["outcome"] == "accepted"
            await until(lambda: outcomes(home_subscriber) == {"1": ["rejected"]}, "the result by MQTT")
            problem = f"ocpp/chargers/{CHARGER}/problem"
            await until(lambda: home_subscriber.on(problem), "the problem is told where the command said")
            assert [told.json["command_id"] for told in home_subscriber.on(problem)] == [f"{CHARGER}-1"]
            assert [action for action, _ in charger.commands] == ["UnlockConnector", "DataTransfer"]


async def _is_queued(client: httpx.AsyncClient, key: str) -> bool:
    return bool((await client.get(f"/v1/commands/{key}")).json().get("state") == "queued")


async def test_commands_by_mqtt_keep_their_order_though_the_charger_moves_among_them(
    nodes: Nodes, home_subscriber: Subscriber
) -> None:
    """At each QoS; MQTT keeps no order between them."""
    first, second = nodes
    async with AsyncExitStack() as stack:

        async def connected(node: GatewayProcess, name: str) -> HandCharger:
            charger = await stack.enter_async_context(HandCharger(node.charger_url, name))
            await charger.boot()
            return charger

        old = [await connected(first, f"QOS-{qos}") for qos in range(3)]
        for qos, charger in enumerate(old):
            charger.mute = True
            marker = await connected(first, f"MARKER-{qos}")
            for number in range(1, 9):
                publish(home_subscriber, number, qos=qos, charger=charger.identity)
            publish(home_subscriber, 0, qos=qos, charger=marker.identity)
            await until(lambda m=marker: numbers(m) == ["0"], "the first node has heard it all")  # type: ignore[misc]
            await until(lambda c=charger: numbers(c) == ["1"], "the first command is sent")  # type: ignore[misc]
        new = []
        for qos, charger in enumerate(old):
            new.append(await connected(second, charger.identity))
            for number in range(9, 17):
                publish(home_subscriber, number, qos=qos, charger=charger.identity)
        for before, after in zip(old, new, strict=True):
            name = before.identity
            await until(lambda n=name: len(outcomes(home_subscriber, n)) == 16, "all have ended")  # type: ignore[misc]
            assert numbers(before, after) == [str(number) for number in range(1, 17)]
            timeout, rest = {"1": ["timeout"]}, {str(number): ["accepted"] for number in range(2, 17)}
            assert outcomes(home_subscriber, name) == timeout | rest


async def test_a_node_that_drains_hands_over_what_it_had_not_sent(nodes: Nodes, home_subscriber: Subscriber) -> None:
    first, second = nodes
    async with (
        HandCharger(first.charger_url, CHARGER) as old,
        HandCharger(first.charger_url, "OTHER") as other,
        second.client() as client,
    ):
        await old.boot()
        await other.boot()
        old.mute = True
        sent = await give(client, "reset", "sent")
        await until(lambda: old.commands, "the first command is with the charger")
        unlocked = [await give(client, "unlock", f"unlock-{evse}", evse_id=evse) for evse in (1, 2)]
        for number in (1, 2, 3):
            publish(home_subscriber, number)
        publish(home_subscriber, 0, charger="OTHER")
        await until(lambda: numbers(other) == ["0"], "the node that will drain has heard them all")
        stopping = asyncio.create_task(asyncio.to_thread(first.stop))
        assert (await old.until_closed())[0] == 1012
        async with HandCharger(second.charger_url, CHARGER) as new:
            await new.boot()
            assert (await sent).json()["outcome"] == "timeout"
            for answer in unlocked:
                assert (await answer).json()["outcome"] == "accepted"
            await until(lambda: len(outcomes(home_subscriber)) == 3, "each command by MQTT has its result")
            assert outcomes(home_subscriber) == {number: ["accepted"] for number in "123"}
            assert numbers(new) == ["1", "2", "3"]
            assert sorted(action for action, _ in new.commands) == ["DataTransfer"] * 3 + ["UnlockConnector"] * 2
        await stopping


async def test_a_start_is_followed_to_its_transaction_though_the_charger_moves(nodes: Nodes) -> None:
    first, second = nodes
    async with second.client() as client:
        for version in ("1.6", "2.0.1"):
            url = f"/v1/chargers/START-{version}/commands/start?wait_for=transaction"
            async with HandCharger(first.charger_url, f"START-{version}", version=version) as charger:
                await charger.boot()
                followed = asyncio.create_task(client.post(url, json={"token": "CHAOS", "evse_id": 1}))
                await until(lambda c=charger: c.commands, "the charger is asked to start")  # type: ignore[misc]
                (_, asked), *_ = charger.commands
            async with HandCharger(second.charger_url, f"START-{version}", version=version) as charger:
                await charger.boot()
                if version == "1.6":
                    await charger.start()
                else:
                    await charger.call("TransactionEvent", _started(asked["remoteStartId"]))
                answer = (await followed).json()
                assert (answer["outcome"], answer["transaction"]["status"]) == ("accepted", "started")
                transaction = (await client.get(f"/v1/transactions/{answer['transaction']['id']}")).json()
                assert (transaction["command_id"], transaction["status"]) == (answer["id"], "active")


def _started(remote_start: int) -> dict[str, Any]:
    return {
        "eventType": "Started",
        "timestamp": "2026-05-01T08:00:00Z",
        "triggerReason": "RemoteStart",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "TX", "remoteStartId": remote_start},
        "evse": {"id": 1, "connectorId": 1},
        "idToken": {"idToken": "CHAOS", "type": "Central"},
    }

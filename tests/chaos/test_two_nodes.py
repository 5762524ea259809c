"""Laws 3 and 7: one charger, one owner, wherever it is; a command ends in exactly one outcome, whoever asks."""

from uuid import uuid4

import pytest

from tests.chaos.charger import HandCharger
from tests.chaos.conftest import MakeNode, start
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

CHARGER = "MOVES-ABOUT"


@pytest.fixture
async def nodes(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker
) -> tuple[GatewayProcess, GatewayProcess]:
    # None of them dies here, and on a busy machine none shall seem to.
    patient = {"redis": {"node_term": 20.0, "lease_term": 20.0}}
    first, second = (
        make_node(valkey.url, embedded_broker.url, name=name, settings=patient) for name in ("node-1", "node-2")
    )
    await start(first, second)
    return first, second


async def _unlock_by_rest(node: GatewayProcess) -> str:
    async with node.client() as client:
        answer = await client.post(f"/v1/chargers/{CHARGER}/commands/unlock", json={"evse_id": 1})
    assert answer.status_code == 200, answer.text
    ended = answer.json()
    return str(ended["outcome"]) if ended["reason"] is None else f"{ended['outcome']}: {ended['reason']}"


async def test_a_command_by_mqtt_reaches_the_charger_once_and_has_one_result(
    nodes: tuple[GatewayProcess, GatewayProcess], home_subscriber: Subscriber
) -> None:
    for number, node in enumerate(nodes):
        async with HandCharger(node.charger_url, f"{CHARGER}-{number}") as charger:
            await charger.boot()
            sent = []
            for round_ in range(20):
                correlation = uuid4().bytes
                sent.append(correlation)
                home_subscriber.publish(
                    f"ocpp/chargers/{charger.identity}/command/trigger",
                    {"message": "Heartbeat", "id": f"{charger.identity}-{round_}"},
                    response_topic=f"ocpp/reply/{charger.identity}",
                    correlation=correlation,
                )
            # The charger's own order tells the end: a result that came twice would come before the last one.
            topic = f"ocpp/reply/{charger.identity}"
            await until(lambda t=topic: len(home_subscriber.on(t)) >= 20, "every command has its result")
            results = home_subscriber.on(topic)
            assert [heard.json["outcome"] for heard in results] == ["accepted"] * 20
            assert sorted(heard.correlation or b"" for heard in results) == sorted(sent)
            assert len(charger.commands) == 20
    gone = home_subscriber.on(f"ocpp/chargers/{CHARGER}-0/result/trigger")
    assert gone == [], "a result with a Response Topic goes there alone"


async def test_a_command_for_an_absent_charger_is_answered_by_one_of_the_nodes_alone(
    nodes: tuple[GatewayProcess, GatewayProcess], home_subscriber: Subscriber
) -> None:
    for number in range(10):
        home_subscriber.publish(f"ocpp/chargers/NOBODY-{number}/command/reset", {"id": f"reset-{number}"})
    await until(
        lambda: sum("/result/reset" in heard.topic for heard in list(home_subscriber.heard)) >= 10,
        "every command has its result",
    )
    # A second answer of the other node would be among them, or come before that of a command sent later.
    async with HandCharger(nodes[0].charger_url, CHARGER), HandCharger(nodes[1].charger_url, "OTHER"):
        for charger in (CHARGER, "OTHER"):
            home_subscriber.publish(f"ocpp/chargers/{charger}/command/reset", {})
            topic = f"ocpp/chargers/{charger}/result/reset"
            await until(lambda t=topic: home_subscriber.on(t), "each node has answered its own charger's command")
    for number in range(10):
        results = home_subscriber.on(f"ocpp/chargers/NOBODY-{number}/result/reset")
        assert [heard.json["outcome"] for heard in results] == ["offline"]


async def test_a_command_by_rest_reaches_the_charger_through_either_node(
    nodes: tuple[GatewayProcess, GatewayProcess],
) -> None:
    async with HandCharger(nodes[0].charger_url, CHARGER) as charger:
        await charger.boot()
        assert [await _unlock_by_rest(node) for node in nodes] == ["accepted"] * 2
        assert [action for action, _ in charger.commands] == ["UnlockConnector"] * 2
        async with nodes[1].client() as client:
            body, headers = {"evse_id": 1}, {"Idempotency-Key": "once-only"}
            for _ in range(2):
                answer = await client.post(f"/v1/chargers/{CHARGER}/commands/unlock", json=body, headers=headers)
                assert answer.json()["outcome"] == "accepted", answer.text
        assert len(charger.commands) == 3, "the repeated command was not carried out again"


async def test_a_charger_that_moves_belongs_to_its_newest_connection(
    nodes: tuple[GatewayProcess, GatewayProcess], home_subscriber: Subscriber
) -> None:
    epochs = []
    async with HandCharger(nodes[0].charger_url, CHARGER) as old:
        await old.boot()
        transaction = await old.start()
        for node in (nodes[1], nodes[0], nodes[0]):
            async with HandCharger(node.charger_url, CHARGER) as new:
                code, reason = await old.until_closed()
                assert (code, "superseded" in reason) == (1000, True)
                assert [await _unlock_by_rest(asked) for asked in nodes] == ["accepted"] * 2
                assert [action for action, _ in new.commands] == ["UnlockConnector"] * 2
                await new.sample(transaction, 1100 + 10 * len(epochs))
                epochs.append(len(home_subscriber.heard))
                # Keep this connection open, for the next one to supersede.
                old = HandCharger(node.charger_url, CHARGER)
                await old.__aenter__()
                await new.until_closed()
        await old.stop(transaction, 2000)
        await until(
            lambda: "transaction.ended" in home_subscriber.types(CHARGER), "the end of the transaction is published"
        )
        assert home_subscriber.availability(CHARGER) == "online"
        heard = home_subscriber.on(f"ocpp/chargers/{CHARGER}/availability")
        assert {one.text for one in heard} == {"online"}, "a move is no absence"
        assert "charger.disconnected" not in home_subscriber.types(CHARGER)
        await old.__aexit__(None, None, None)
    await until(lambda: home_subscriber.availability(CHARGER) == "offline", "the charger is gone")

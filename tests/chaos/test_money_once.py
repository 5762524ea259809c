"""Law 5, money exactly once: a StartTransaction repeated in any way makes one event and gets one transactionId."""

import signal
from typing import Any

import pytest

from tests.chaos.charger import HandCharger, start_payload
from tests.chaos.conftest import QUICK, MakeNode, start
from tests.chaos.subscriber import Subscriber, once
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

CHARGER = "REPEATS-ITSELF"
START: dict[str, Any] = start_payload()


@pytest.fixture
async def nodes(make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker) -> list[GatewayProcess]:
    found = [make_node(valkey.url, embedded_broker.url, name=name) for name in ("node-1", "node-2")]
    await start(*found)
    return found


async def _check_one_event(subscriber: Subscriber, hand: HandCharger, numbers: set[int]) -> None:
    """All starts got one number; one started event; and after the stop, the next transaction has another number."""
    assert len(numbers) == 1
    (number,) = numbers
    assert 0 < number < 2**31
    await hand.stop(number, 1500)
    assert {await hand.start(), await hand.start()} == {number}, "a repeat after the stop starts nothing"
    other = await hand.start(start_payload(meter=1500, minute=40))
    assert other > number
    await hand.stop(other, 1600)
    await until(lambda: subscriber.types(CHARGER).count("transaction.ended") == 2, "both have ended")
    transactions = [event["data"] for event in once(subscriber.events(CHARGER)) if ".transaction." in event["type"]]
    told = [(one["ocpp_transaction_id"], one["transaction_sequence"]) for one in transactions]
    assert told == [(str(number), 0), (str(number), 1), (str(other), 0), (str(other), 1)]


async def test_a_start_repeated_with_the_same_and_with_new_ids_on_any_connection_of_any_node(
    nodes: list[GatewayProcess], home_subscriber: Subscriber
) -> None:
    numbers = set()
    for node in (nodes[0], nodes[0], nodes[1], nodes[0]):
        async with HandCharger(node.charger_url, CHARGER) as hand:
            for message_id in ("always-the-same", None):
                answer = await hand.call("StartTransaction", START, message_id=message_id)
                numbers.add(answer["transactionId"])
    async with HandCharger(nodes[1].charger_url, CHARGER) as hand:
        await _check_one_event(home_subscriber, hand, numbers)


async def test_a_start_repeated_while_the_first_is_in_flight(
    nodes: list[GatewayProcess], valkey: Valkey, home_subscriber: Subscriber
) -> None:
    async with HandCharger(nodes[0].charger_url, CHARGER) as hand:
        await hand.boot()
        valkey.send(signal.SIGSTOP)
        sent = [await hand.send("StartTransaction", START) for _ in range(3)]
        same = await hand.send("StartTransaction", START, message_id="twice")
        await hand.send("StartTransaction", START, message_id="twice")
        valkey.send(signal.SIGCONT)
        numbers = {(await hand.answer(message_id))["transactionId"] for message_id in (*sent, same)}
        await _check_one_event(home_subscriber, hand, numbers)


async def test_a_start_that_was_never_acknowledged_and_is_repeated_on_another_node(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker, home_subscriber: Subscriber
) -> None:
    """The charger was sent away while the log could not be reached; its message may or may not be in it."""
    nodes = [make_node(valkey.url, embedded_broker.url, name=name, settings=QUICK) for name in ("node-1", "node-2")]
    await start(*nodes)
    async with HandCharger(nodes[0].charger_url, CHARGER) as hand:
        await hand.boot()
        valkey.send(signal.SIGSTOP)
        await hand.send("StartTransaction", START)
        assert (await hand.until_closed())[0] == 1013
    valkey.send(signal.SIGCONT)
    async with HandCharger(nodes[1].charger_url, CHARGER) as hand:
        numbers = {await hand.start(START) for _ in range(2)}
        await _check_one_event(home_subscriber, hand, numbers)


async def test_a_start_in_flight_when_its_node_is_killed(
    nodes: list[GatewayProcess], valkey: Valkey, home_subscriber: Subscriber
) -> None:
    async with HandCharger(nodes[0].charger_url, CHARGER) as hand:
        await hand.boot()
        valkey.send(signal.SIGSTOP)
        await hand.send("StartTransaction", START)
        nodes[0].kill()
        valkey.send(signal.SIGCONT)
    async with HandCharger(nodes[1].charger_url, CHARGER) as hand:
        numbers = {await hand.start(START) for _ in range(2)}
        await _check_one_event(home_subscriber, hand, numbers)

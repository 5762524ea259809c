"""Law 8: one slow neighbour hurts nobody."""

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.charger import HandCharger, sample_payload
from tests.chaos.conftest import MakeNode, start
from tests.chaos.subscriber import Subscriber, once
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Mosquitto, Valkey

LATENCY = 2.0
"""Seconds that one acknowledgement in twenty may take: a machine that the tests share with others holds up some."""
PATIENCE = 10.0
"""Seconds that none may take: chargers bear no more."""
SAMPLES = 150
BACKLOG = 24 * 60
"""A sample each minute of a day."""


def _subscriber_that_never_reads(port: int) -> socket.socket:
    """An MQTT 5 client that subscribes to everything at QoS 1, then reads no more."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(60)
    client.connect(("127.0.0.1", port))
    identifier = b"never-reads"
    body = b"\x00\x04MQTT\x05\x02\x02\x58\x00" + struct.pack(">H", len(identifier)) + identifier
    client.sendall(bytes([0x10, len(body)]) + body)
    assert client.recv(1024)[:1] == b"\x20"
    subscription = b"\x00\x01\x00" + struct.pack(">H", 1) + b"#" + b"\x01"
    client.sendall(bytes([0x82, len(subscription)]) + subscription)
    assert client.recv(1024)[:1] == b"\x90"
    return client


@asynccontextmanager
async def _neighbour(node: GatewayProcess, kind: str, identity: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A bad neighbour as a process of its own, so that it takes no time from the good one in here."""
    arguments = ("-m", "tests.chaos.neighbour", kind, str(node.charger_port), identity)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _check_acks(node: GatewayProcess) -> None:
    """A well-behaved charger charges, and its messages are acknowledged soon."""
    loop = asyncio.get_running_loop()
    took = []
    async with HandCharger(node.charger_url, "GOOD") as good:
        await good.boot()
        transaction = await good.start()
        for number in range(SAMPLES):
            began = loop.time()
            await good.call("MeterValues", sample_payload(transaction, 1000 + number))
            took.append(loop.time() - began)
        await good.stop(transaction, 9000)
    took.sort()
    assert took[SAMPLES * 19 // 20] < LATENCY
    assert took[-1] < PATIENCE


async def test_chargers_that_flood_or_do_not_listen_do_not_delay_another(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker, home_subscriber: Subscriber
) -> None:
    node = make_node(valkey.url, embedded_broker.url, settings={"gateway": {"log_level": "warning"}})
    await start(node)
    async with AsyncExitStack() as stack:
        floods = [await stack.enter_async_context(_neighbour(node, "garbage", f"GARBAGE-{one}")) for one in range(2)]
        deaf = await stack.enter_async_context(_neighbour(node, "deaf", "DEAF"))
        for neighbour in (*floods, deaf):
            assert neighbour.stdout is not None
            assert await neighbour.stdout.readline() == b"under way\n"
        await _check_acks(node)
        assert all(neighbour.returncode is None for neighbour in (*floods, deaf)), "they flood on"
    await until(lambda: "transaction.ended" in home_subscriber.types("GOOD"), "its events are published")
    assert home_subscriber.types("GOOD").count("transaction.updated") == SAMPLES
    assert "Traceback" not in node.log
    assert '"level": "error"' not in node.log


async def test_a_day_s_backlog_in_one_go_is_taken_in_order_and_delays_nobody(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker, home_subscriber: Subscriber
) -> None:
    """Quirk 30: a charger that was offline sends all that it kept, without waiting for an answer."""
    node = make_node(valkey.url, embedded_broker.url, settings={"gateway": {"log_level": "warning"}})
    await start(node)
    async with HandCharger(node.charger_url, "BACKLOG") as backlog:
        await backlog.boot()
        transaction = await backlog.start()
        stop = {"transactionId": transaction, "meterStop": 9000, "timestamp": "2026-05-01T09:00:00Z"}
        sent = [
            await backlog.send("MeterValues", sample_payload(transaction, 1000 + number)) for number in range(BACKLOG)
        ]
        sent.append(await backlog.send("StopTransaction", stop))
        await _check_acks(node)
        for message_id in sent:
            await backlog.answer(message_id)
    await until(lambda: "transaction.ended" in home_subscriber.types("BACKLOG"), "its events are published")
    told = [event["data"] for event in once(home_subscriber.events("BACKLOG")) if ".transaction." in event["type"]]
    assert [data["transaction_sequence"] for data in told] == list(range(BACKLOG + 2))
    assert [data["samples"][0]["value"] for data in told[1:-1]] == [1000 + number for number in range(BACKLOG)]


@pytest.mark.parametrize("which", ["mosquitto", "embedded_broker"])
async def test_a_subscriber_that_does_not_read_delays_neither_chargers_nor_other_subscribers(
    which: str, request: pytest.FixtureRequest, make_node: MakeNode, valkey: Valkey
) -> None:
    broker: Mosquitto | EmbeddedBroker = request.getfixturevalue(which)
    with _subscriber_that_never_reads(broker.port), Subscriber(broker.port) as subscriber:
        node = make_node(valkey.url, broker.url)
        await start(node)
        await _check_acks(node)
        await until(lambda: "transaction.ended" in subscriber.types("GOOD"), "the other subscriber hears everything")
        assert subscriber.types("GOOD").count("transaction.updated") == SAMPLES

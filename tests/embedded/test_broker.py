import asyncio
import os
import signal
import socket
from pathlib import Path

import aiomqtt
import psutil
import pytest

from gateway.core.errors import EmbeddedServerError
from gateway.embedded.broker import EmbeddedBroker
from tests.embedded.support import server_pids


async def test_speaks_mqtt_5_on_loopback_only(tmp_path: Path, port: int) -> None:
    broker = EmbeddedBroker(tmp_path, port)
    assert await broker.start() == f"mqtt://127.0.0.1:{port}"
    try:
        async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe("a/#", qos=1)
            payload = b"x" * 1024 * 1024
            await client.publish("a/b", payload, qos=1)
            async with asyncio.timeout(60):
                message = await anext(aiter(client.messages))
        assert (str(message.topic), message.payload) == ("a/b", payload)
        listening = {
            connection.laddr.ip
            for connection in psutil.net_connections("tcp")
            if connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
    finally:
        await broker.stop()
    assert not server_pids(tmp_path)


async def test_a_busy_port_is_told_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedServerError) as raised:
            await EmbeddedBroker(tmp_path, port).start()
    assert f"MQTT_URL=mqtt://127.0.0.1:{port}" in str(raised.value)
    assert "mqtt.embedded_port" in str(raised.value)


@pytest.mark.parametrize("occupied", ["broker/lock", "broker/rumqttd.toml", "broker/broker.log"])
async def test_what_the_folder_does_not_take_is_told_and_can_be_tried_again(
    tmp_path: Path, port: int, occupied: str
) -> None:
    broker = EmbeddedBroker(tmp_path, port)
    folder = tmp_path / occupied
    folder.mkdir(parents=True)
    with pytest.raises(EmbeddedServerError, match=str(tmp_path)):
        await broker.start()
    folder.rmdir()
    await broker.start()
    await broker.stop()


async def test_an_unexpected_end_is_noticed_and_the_broker_starts_again(tmp_path: Path, port: int) -> None:
    broker = EmbeddedBroker(tmp_path, port)
    await broker.start()
    server = next(
        process
        for process in map(psutil.Process, server_pids(tmp_path))
        if any("IotCoreBroker" in part for part in process.cmdline()) and "guard.py" not in str(process.cmdline())
    )
    os.kill(server.pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        assert await broker.wait_died() == 128 + signal.SIGKILL
    await broker.start()
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.publish("a/b", b"x", qos=1)
    await broker.stop()


async def test_what_a_subscriber_has_taken_or_never_takes_costs_bounded_memory(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    broker = EmbeddedBroker(tmp_path, unused_tcp_port)
    await broker.start()
    try:
        ours = [psutil.Process(pid) for pid in server_pids(tmp_path)]
        before = sum(process.memory_info().rss for process in ours)
        address = ("127.0.0.1", unused_tcp_port)
        options = {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": True}
        async with aiomqtt.Client(*address, **options) as reader, aiomqtt.Client(*address, **options) as writer:
            for number in range(5):
                await reader.subscribe(f"state/{number}", qos=1)
            for number in range(400):
                await writer.publish(f"state/{number % 5}", os.urandom(100_000), qos=1)
            grown = sum(process.memory_info().rss for process in ours) - before
        assert grown < 25e6, f"{grown / 1e6:.0f} MB of the 40 that were published are kept"
    finally:
        await broker.stop()

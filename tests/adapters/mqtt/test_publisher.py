"""One MQTT 5 connection that publishes: windows, reason codes, sizes, signs of life and every way it may end."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mqtt5
import pytest

from adapters.mqtt.address import Address
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.login import ConnectRefused, Login
from adapters.mqtt.publisher import NOT_SENT, TOO_LARGE, TOPIC_INVALID, Publisher
from gateway.core.errors import ConfigurationError, DeliveryInterrupted
from tests.adapters.mqtt.publishing import PATIENCE, ScriptedBroker, scripted, subscriber
from tests.cluster.support import eventually
from tests.support.leaping import LeapingClock
from tests.support.servers import Mosquitto, free_port

LOGIN = Login("me", 30)
REFUSED = mqtt5.PubAckReasonCode.NOT_AUTHORIZED


def address(url: str, **settings: Any) -> Address:
    return Address.of(MqttConfig.model_validate({"url": url, **settings}))


@asynccontextmanager
async def publisher(broker: ScriptedBroker, login: Login = LOGIN) -> AsyncIterator[Publisher]:
    made = await Publisher.open(address(broker.url), login)
    try:
        yield made
    finally:
        await made.disconnect(with_will=False)


def numbered(count: int) -> list[tuple[str, bytes]]:
    return [(f"t/{n}", str(n).encode()) for n in range(count)]


@pytest.mark.parametrize("receive_max", [1, 3, 65535])
async def test_never_more_is_in_flight_than_the_broker_receives(receive_max: int) -> None:
    async with scripted(receive_max=receive_max) as broker, publisher(broker) as connection:
        assert await connection.publish(numbered(500)) == bytes(500)
        assert broker.most_unacknowledged <= receive_max
        assert [packet.payload for packet in broker.published] == [payload for _, payload in numbered(500)]


async def test_the_window_moves_on_with_every_acknowledgement() -> None:
    async with scripted(receive_max=10) as broker, publisher(broker) as connection:
        broker.holds = True
        publishing = asyncio.create_task(connection.publish(numbered(12)))
        await broker.holding(10)
        broker.acknowledge(1)
        await broker.holding(10)
        assert len(broker.published) == 11
        broker.acknowledge(1)
        await broker.holding(10)
        broker.acknowledge(10)
        assert await publishing == bytes(12)


async def test_packet_ids_go_round() -> None:
    async with scripted() as broker, publisher(broker) as connection:
        for _ in range(3):
            assert await connection.publish([("t", b"")] * 30_000) == bytes(30_000)
        ids = {packet.packet_id for packet in broker.published}
        assert min(ids) == 1
        assert max(ids) <= 65535


async def test_acknowledgements_may_come_in_crumbs() -> None:
    async with scripted() as broker, publisher(broker) as connection:
        broker.crumbles = True
        broker.codes = {"t/3": REFUSED}
        assert await connection.publish(numbered(5), halt=False) == bytes([0, 0, 0, REFUSED.value, 0])


async def test_nothing_is_sent_behind_a_refused_message_where_that_is_asked_for() -> None:
    async with scripted(receive_max=2) as broker, publisher(broker) as connection:
        broker.codes = {"t/2": REFUSED}
        codes = await connection.publish(numbered(6))
        assert codes[:3] == bytes([0, 0, REFUSED.value])
        assert codes[-1] == NOT_SENT
        assert "t/5" not in [packet.topic for packet in broker.published]


async def test_what_the_broker_cannot_take_is_not_sent_and_hurts_nothing_else() -> None:
    async with scripted(max_packet_size=100) as broker, publisher(broker) as connection:
        messages = [("t/1", b"x"), ("t/2", b"x" * 100), ("t/+", b"x"), ("t/4", b"x")]
        assert await connection.publish(messages, halt=False) == bytes([0, TOO_LARGE, TOPIC_INVALID, 0])
        assert [packet.topic for packet in broker.published] == ["t/1", "t/4"]


async def test_what_is_in_flight_fails_at_once_when_the_connection_drops() -> None:
    async with scripted() as broker, publisher(broker) as connection:
        broker.holds = True
        publishing = asyncio.create_task(connection.publish(numbered(5)))
        await broker.holding(5)
        broker.acknowledge(2)
        broker.hang_up()
        with pytest.raises(DeliveryInterrupted) as caught:
            await publishing
        assert caught.value.confirmed in (0, 2), "a reset may overtake the last acknowledgements"
        with pytest.raises(DeliveryInterrupted):
            await connection.publish(numbered(1))


async def test_the_broker_says_why_it_ends_the_connection() -> None:
    async with scripted() as broker, publisher(broker) as connection:
        broker.send(mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER).write())
        async with asyncio.timeout(PATIENCE):
            assert "session taken over" in await connection.lost()


@pytest.mark.parametrize(
    "nonsense", [b"\xff\xff\xff\xff\xff", b"\x40\x03\x00\x01\x50", b"HTTP/1.1 400 Bad\r\n\r\n" * 9]
)
async def test_what_is_no_mqtt_ends_the_connection(nonsense: bytes) -> None:
    async with scripted() as broker, publisher(broker) as connection:
        broker.send(nonsense)
        async with asyncio.timeout(PATIENCE):
            assert "not MQTT 5" in await connection.lost()


async def test_a_broker_that_gives_no_sign_of_life_is_left() -> None:
    async with scripted(server_keep_alive=1) as broker, publisher(broker) as connection:
        broker.mute = True
        async with asyncio.timeout(PATIENCE):
            assert "no sign of life" in await connection.lost()


async def asked_and_answered(broker: ScriptedBroker, connection: Publisher, clock: LeapingClock, times: int) -> None:
    """Have half the keepalive time of a minute pass so many times: each time the broker gives a sign of life."""
    for pings in range(1, times + 1):
        clock.leap(31)
        await broker.pinged(pings)
        await eventually(lambda: connection._heard >= connection._pinged_at)


async def test_an_idle_connection_stays() -> None:
    clock = LeapingClock()
    async with scripted(server_keep_alive=60) as broker, publisher(broker) as connection:
        await asked_and_answered(broker, connection, clock, 6)
        assert await connection.publish(numbered(1)) == b"\0"


async def test_a_broker_that_does_not_acknowledge_is_left() -> None:
    clock = LeapingClock()
    async with scripted(server_keep_alive=60) as broker, publisher(broker) as connection:
        broker.holds = True
        publishing = asyncio.create_task(connection.publish(numbered(3)))
        await broker.holding(3)
        await asked_and_answered(broker, connection, clock, 3)
        assert not publishing.done()
        clock.leap(31)
        with pytest.raises(DeliveryInterrupted, match="does not acknowledge"):
            await publishing


async def test_a_publish_that_is_given_up_ends_the_connection() -> None:
    async with scripted() as broker, publisher(broker) as connection:
        broker.holds = True
        publishing = asyncio.create_task(connection.publish(numbered(1)))
        await broker.holding(1)
        publishing.cancel()
        assert await connection.lost() == "given up"


@pytest.mark.parametrize(
    ("greeting", "told", "old_protocol"),
    [
        (b"\x20\x02\x00\x01", "3.1.1 code 1", "yes"),
        (b"\x20\x02\x00\x05", "3.1.1 code 5", "no"),
        (mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION), "unsupported", "yes"),
        (mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.NOT_AUTHORIZED, reason_str="no"), "no, 0x87", "no"),
        (None, "closed", "perhaps"),
    ],
)
async def test_a_broker_that_lets_nobody_in(
    greeting: bytes | mqtt5.ConnAckPacket | None, told: str, old_protocol: str
) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if greeting is not None:
            writer.write(greeting if isinstance(greeting, bytes) else greeting.write())
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        url = f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectRefused, match=told) as caught:
            await Publisher.open(address(url), LOGIN)
        assert caught.value.old_protocol == old_protocol


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts", "ws", "wss"])
async def test_nobody_listens(scheme: str) -> None:
    with pytest.raises(ConnectRefused):
        await Publisher.open(address(f"{scheme}://127.0.0.1:{free_port()}"), LOGIN)


async def test_a_web_server_that_speaks_no_mqtt() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        with pytest.raises(ConnectRefused, match=r"WebSocket handshake failed.*404"):
            await Publisher.open(address(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/mqtt"), LOGIN)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (apt-get install openssl)")
    folder = tmp_path_factory.mktemp("certificate")
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    made += " -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
    subprocess.run(made.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("scheme", ["mqtts", "ws", "wss"])
async def test_publishes_over_tls_and_websockets(scheme: str, tmp_path: Path, certificate: Path) -> None:
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    port = free_port()
    lines = [f"listener {port} 127.0.0.1"]
    if scheme != "mqtts":
        lines.append("protocol websockets")
    if scheme != "ws":
        lines += [f"certfile {certificate}/cert.pem", f"keyfile {certificate}/key.pem"]
    broker = Mosquitto(tmp_path / "secure", *lines)
    broker.start()
    try:
        where = address(f"{scheme}://localhost:{port}", ca_file=certificate / "cert.pem")
        async with subscriber(broker, "t/#") as reader:
            connection = await Publisher.open(where, LOGIN)
            large = b"x" * 200_000
            assert await connection.publish([("t/1", b"small"), ("t/2", large)]) == bytes(2)
            await connection.disconnect(with_will=False)
            assert [message.payload for message in await reader.take(2)] == [b"small", large]
    finally:
        broker.stop()


async def test_a_certificate_of_an_unknown_authority_is_refused(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context) as server:
        with pytest.raises(ConnectRefused, match="certificate verify failed"):
            await Publisher.open(address(f"mqtts://localhost:{server.sockets[0].getsockname()[1]}"), LOGIN)


def test_a_certificate_that_does_not_load_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"does not load \(.*nowhere.pem\)"):
        address("mqtts://broker", ca_file=tmp_path / "nowhere.pem")


def test_the_address_never_tells_the_password() -> None:
    where = address("wss://user:s%2Fcret@broker/path?token=abc")
    assert (where.username, where.password, where.port) == ("user", b"s/cret", 443)
    assert where.websocket_path == "/path?token=abc"
    assert str(where) == "wss://broker:443/path"
    assert "cret" not in repr(where)

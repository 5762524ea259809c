"""The data lane's surroundings: who subscribes, a cable that can be cut, and a broker that does as the test says."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiomqtt
import mqtt5
import orjson

from adapters.mqtt.config import MqttConfig
from adapters.mqtt.delivery import MqttReader
from adapters.mqtt.topics import Topics
from gateway.core.adapter import GatewayContext
from gateway.core.events import to_json
from gateway.core.health import Check, HealthBoard, Level
from gateway.core.identity import ChargerId
from gateway.core.ports import Delivery, LogEntry, NodeInfo
from tests.adapters.rest.fakes import FakeGateway
from tests.support.servers import Server

CP1, CP2 = ChargerId("CP1"), ChargerId("CP2")
PATIENCE = 60.0


class Counts:
    """An Observer that remembers what was not delivered, and whether the broker was up."""

    def __init__(self) -> None:
        self.undelivered_outcomes: list[str] = []
        self.ups: list[bool] = []

    def undelivered(self, reader: str, shard: int, outcome: str, count: int = 1) -> None:
        self.undelivered_outcomes += [outcome] * count

    def up(self, part: str, up: bool) -> None:
        self.ups.append(up)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *values: None


class HandClock:
    """A clock that goes on when the test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class WatchedHealth(HealthBoard):
    """A health board that tests can wait at."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def set(self, name: str, level: Level, detail: str = "") -> bool:
        self._changed.set()
        return super().set(name, level, detail)

    async def until(self, name: str, level: Level) -> Check:
        async with asyncio.timeout(PATIENCE):
            while name not in self.checks() or self.checks()[name].level != level:
                self._changed.clear()
                await self._changed.wait()
        return self.checks()[name]


class House:
    """A gateway around the data lane; `nodes` are those alive."""

    def __init__(self, *nodes: str) -> None:
        self.counts, self.clock = Counts(), HandClock()
        gateway = FakeGateway()
        gateway.state.nodes = self._nodes  # type: ignore[method-assign]
        self.nodes = list(nodes) or ["node-1"]
        self.health = WatchedHealth()
        self.touches: list[ChargerId] = []
        self.context: GatewayContext = replace(
            gateway.context, observer=self.counts, clock=self.clock, health=self.health
        )

    async def _nodes(self) -> list[NodeInfo]:
        return [NodeInfo(node, 0.0, 0, "0.1.0") for node in self.nodes]

    def open(self, url: str, shard: int = 1, **settings: Any) -> Delivery:
        config = MqttConfig.model_validate({"url": url, **settings})
        self.reader = MqttReader(config, self.context, Topics(config.prefix))
        return self.reader.open(shard, self.touched)

    def touched(self, charger: ChargerId) -> bool:
        """As a shard does whose charger it is, it notes that it shall be projected again."""
        self.touches.append(charger)
        return True

    @asynccontextmanager
    async def connected(self, url: str, shard: int = 1, **settings: Any) -> AsyncIterator[Delivery]:
        """A delivery, connected, and closed at the end."""
        delivery = self.open(url, shard, **settings)
        try:
            async with asyncio.timeout(PATIENCE):
                await delivery.connect()
            yield delivery
        finally:
            await delivery.close()


def entries(
    count: int, *, first: int = 0, charger: ChargerId = CP1, kind: str = "ocpp.meter.values", **data: Any
) -> list[LogEntry]:
    """Entries of the log, numbered in `data.n`."""
    return [
        LogEntry(
            f"{n + 1}-0",
            charger,
            f"event-{n}",
            kind,
            to_json({"id": f"event-{n}", "type": kind, "ocppaction": "MeterValues", "data": {"n": n, **data}}),
        )
        for n in range(first, first + count)
    ]


@dataclass
class Subscriber:
    """Everything that was published, as it comes."""

    client: aiomqtt.Client
    seen: "asyncio.Queue[aiomqtt.Message]" = field(default_factory=asyncio.Queue)

    async def next(self) -> aiomqtt.Message:
        async with asyncio.timeout(PATIENCE):
            return await self.seen.get()

    async def take(self, count: int) -> list[aiomqtt.Message]:
        return [await self.next() for _ in range(count)]

    async def until(self, topic: str, payload: bytes) -> None:
        """Wait for a message; those before it are dropped."""
        while True:
            message = await self.next()
            if (str(message.topic), message.payload) == (topic, payload):
                return

    async def numbers(self, last: int) -> list[int]:
        """`data.n` of the events that come, up to this one."""
        numbers: list[int] = []
        while not numbers or numbers[-1] != last:
            message = await self.next()
            assert isinstance(message.payload, bytes)
            numbers.append(orjson.loads(message.payload)["data"]["n"])
        return numbers


@asynccontextmanager
async def subscriber(broker: Server, *topics: str, **options: Any) -> AsyncIterator[Subscriber]:
    """Somebody who has subscribed at QoS 1, by default to all of ocpp/#."""
    options = {"protocol": aiomqtt.ProtocolVersion.V5, "timeout": PATIENCE, **options}
    async with aiomqtt.Client("127.0.0.1", broker.port, **options) as client:
        someone = Subscriber(client)

        async def collect() -> None:
            async for message in client.messages:
                someone.seen.put_nowait(message)

        task = asyncio.create_task(collect(), name="collect")
        try:
            for topic in topics or ("ocpp/#",):
                await client.subscribe(topic, qos=1)
            yield someone
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def retained(broker: Server) -> dict[str, bytes]:
    """What the broker keeps below ocpp/, read up to a mark of our own."""
    async with subscriber(broker, "ocpp/#", "mark") as reader:
        await reader.client.publish("mark", b"", qos=1)
        kept: dict[str, bytes] = {}
        while True:
            message = await reader.next()
            if str(message.topic) == "mark":
                return kept
            assert isinstance(message.payload, bytes)
            kept[str(message.topic)] = message.payload


class Cable:
    """A way to a broker that can be cut; with `refuses_5` nobody gets through with MQTT 5."""

    def __init__(self, broker: Server, *, refuses_5: bytes | None = None) -> None:
        self._broker, self._refuses_5 = broker, refuses_5
        self._ends: set[asyncio.StreamWriter] = set()
        self.url = ""

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(4096)
        level = first[first.index(b"MQTT") + 4]
        if level == 5 and self._refuses_5 is not None:
            writer.write(self._refuses_5)
            writer.close()
            return
        there, out = await asyncio.open_connection("127.0.0.1", self._broker.port)
        self._ends |= {writer, out}
        out.write(first)
        await asyncio.gather(self._copy(reader, out), self._copy(there, writer))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        except ConnectionError:
            pass
        target.close()


@asynccontextmanager
async def cable(broker: Server, *, refuses_5: bytes | None = None) -> AsyncIterator[Cable]:
    made = Cable(broker, refuses_5=refuses_5)
    async with await asyncio.start_server(made.carry, "127.0.0.1", 0) as server:
        made.url = f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made
        made.cut()


class ScriptedBroker:
    """An MQTT 5 broker of one client, made from the codec: says what it is told to."""

    def __init__(self, **connack: Any) -> None:
        self.greeting: bytes = mqtt5.ConnAckPacket(**connack).write()
        self.codes: dict[str, mqtt5.PubAckReasonCode] = {}
        self.holds = False
        """Acknowledges nothing while this is set."""
        self.crumbles = False
        """Sends every byte by itself."""
        self.mute = False
        self.fatal: str | None = None
        """Hangs up where this topic is published to."""
        self.published: list[mqtt5.PublishPacket] = []
        self.pings = 0
        self.connects: list[mqtt5.ConnectPacket] = []
        self.most_unacknowledged = 0
        self._owed: deque[mqtt5.PublishPacket] = deque()
        self._arrived = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    async def holding(self, count: int) -> None:
        """Wait until so many publishes have come and are not acknowledged."""
        async with asyncio.timeout(PATIENCE):
            while len(self._owed) < count:
                self._arrived.clear()
                await self._arrived.wait()

    async def pinged(self, count: int) -> None:
        """Wait until so many pings have come."""
        async with asyncio.timeout(PATIENCE):
            while self.pings < count:
                self._arrived.clear()
                await self._arrived.wait()

    def acknowledge(self, count: int) -> None:
        for _ in range(count):
            packet = self._owed.popleft()
            assert packet.packet_id is not None
            code = self.codes.get(packet.topic, mqtt5.PubAckReasonCode.SUCCESS)
            self.send(mqtt5.PubAckPacket(packet.packet_id, reason_code=code).write())

    def send(self, data: bytes) -> None:
        assert self._writer is not None
        if self.mute:
            return
        for part in [data[at : at + 1] for at in range(len(data))] if self.crumbles else [data]:
            self._writer.write(part)

    def hang_up(self) -> None:
        assert self._writer is not None
        self._writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer, data = writer, b""
        self._owed.clear()
        try:
            while more := await reader.read(65536):
                data += more
                for packet, size in _packets(data):
                    data = data[size:]
                    self._take(packet)
                self._settle()
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    def _take(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.ConnectPacket():
                self.connects.append(packet)
                self.send(self.greeting)
            case mqtt5.PublishPacket() if packet.topic == self.fatal:
                self.hang_up()
            case mqtt5.PublishPacket():
                self.published.append(packet)
                self._owed.append(packet)
                self.most_unacknowledged = max(self.most_unacknowledged, len(self._owed))
            case mqtt5.PingReqPacket():
                self.pings += 1
                self.send(mqtt5.PingRespPacket().write())
            case _:
                pass

    def _settle(self) -> None:
        self._arrived.set()
        if not self.holds:
            self.acknowledge(len(self._owed))


def _packets(data: bytes) -> Iterator[tuple[mqtt5.Packet, int]]:
    while data:
        try:
            packet, size = mqtt5.read(memoryview(data))
        except IndexError:
            return
        data = data[size:]
        yield packet, size


@asynccontextmanager
async def scripted(**connack: Any) -> AsyncIterator[ScriptedBroker]:
    broker = ScriptedBroker(**connack)
    async with await asyncio.start_server(broker.serve, "127.0.0.1", 0) as server:
        broker.port = server.sockets[0].getsockname()[1]
        yield broker

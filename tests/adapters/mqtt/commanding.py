"""A gateway in memory with its control lane on a real broker, and the one who commands it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.mqtt.asking import MqttAsker
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.control import CHECK, ControlLane
from adapters.mqtt.topics import Topics
from gateway.core.health import Check, HealthBoard
from gateway.core.identity import ChargerId
from tests.adapters.rest.fakes import FakeGateway
from tests.support.servers import Server


class WatchedHealth(HealthBoard):
    """A health board that tests can wait at."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = asyncio.Event()

    def set(self, name: str, level: Literal["ok", "degraded", "failed"], detail: str = "") -> bool:
        changed = super().set(name, level, detail)
        self.changed.set()
        return changed

    async def until(self, met: Callable[[Check], bool]) -> Check:
        async with asyncio.timeout(60):
            while CHECK not in self.checks() or not met(self.checks()[CHECK]):
                self.changed.clear()
                await self.changed.wait()
        return self.checks()[CHECK]


class Gateway(FakeGateway):
    """The fake of REST, with a health board that can be waited at."""

    def __init__(self) -> None:
        self.watched = WatchedHealth()
        super().__init__()

    @property
    def health(self) -> HealthBoard:
        return self.watched

    @health.setter
    def health(self, _: HealthBoard) -> None: ...


def config_of(broker: Server, **settings: Any) -> MqttConfig:
    return MqttConfig.model_validate({"url": f"mqtt://127.0.0.1:{broker.port}", **settings})


@asynccontextmanager
async def control_lane(
    gateway: Gateway,
    config: MqttConfig,
    asker: MqttAsker | None = None,
    refresh: Callable[[ChargerId], None] = lambda charger: None,
    *,
    connects: bool = True,
) -> AsyncIterator[asyncio.Task[None]]:
    """The lane, connected, or where it cannot `connects`, started; it is cancelled at the end."""
    started = asyncio.Event()
    asker = asker or MqttAsker(gateway.context.clock)
    lane = ControlLane(config, gateway.context, Topics(config.prefix), asker, refresh)
    task = asyncio.create_task(lane.run(started.set), name="control lane")
    try:
        async with asyncio.timeout(60):
            await asyncio.wait(
                (task, asyncio.create_task(started.wait(), name="started")), return_when=asyncio.FIRST_COMPLETED
            )
        if connects:
            # Its first attempt may have failed on a busy machine, and what is sent meanwhile reaches nobody.
            await gateway.watched.until(lambda check: check.level == "ok")
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled():
            task.result()


@dataclass
class Answer:
    """A result as it arrived."""

    topic: str
    body: dict[str, Any]
    correlation: bytes | None = None
    content_type: str | None = None
    retain: bool = False
    response_topic: str | None = None
    expiry: int | None = None


@dataclass
class Commander:
    """Sends commands, and collects what is published to the topics it follows."""

    client: aiomqtt.Client
    answers: asyncio.Queue[Answer] = field(default_factory=asyncio.Queue)

    async def send(
        self, topic: str, payload: dict[str, Any] | bytes | str, *, retain: bool = False, **properties: Any
    ) -> None:
        packed = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        for name, value in properties.items():
            setattr(packed, name, value)
        body = json.dumps(payload) if isinstance(payload, dict) else payload
        await self.client.publish(topic, body, qos=1, retain=retain, properties=packed)

    async def answer(self) -> Answer:
        async with asyncio.timeout(60):
            return await self.answers.get()

    async def collect(self) -> None:
        async for message in self.client.messages:
            self.answers.put_nowait(
                Answer(
                    str(message.topic),
                    json.loads(message.payload),
                    getattr(message.properties, "CorrelationData", None),
                    getattr(message.properties, "ContentType", None),
                    message.retain,
                    getattr(message.properties, "ResponseTopic", None),
                    getattr(message.properties, "MessageExpiryInterval", None),
                )
            )


@asynccontextmanager
async def commander(broker: Server, *follow: str) -> AsyncIterator[Commander]:
    """Someone who follows these topics, by default all results and one's own `replies/me`."""
    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5, timeout=60) as client:
        for topic in follow or ("ocpp/chargers/+/result/#", "replies/me"):
            await client.subscribe(topic, qos=1)
        someone = Commander(client)
        task = asyncio.create_task(someone.collect(), name="collect answers")
        try:
            yield someone
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def old_broker(behind: Server, refusal: bytes) -> AsyncIterator[int]:
    """A port where MQTT 5 is answered with `refusal` and the end, and MQTT 3.1.1 leads to the broker behind."""
    relayed: list[asyncio.Task[None]] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(65536)
        if first[first.index(b"MQTT") + 4] == 5:
            writer.write(refusal)
            writer.close()
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", behind.port)
        inner_writer.write(first)
        relayed.append(asyncio.create_task(relay(inner_reader, writer), name="to the client"))
        relayed.append(asyncio.create_task(relay(reader, inner_writer), name="to the broker"))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in relayed:
            task.cancel()
        await asyncio.gather(*relayed, return_exceptions=True)

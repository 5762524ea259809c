"""The two ways that a business system comes in by, MQTT and REST, behind one face: what a script can do by either."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol
from urllib.parse import quote
from uuid import uuid4

import aiomqtt
import httpx
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support.gateway_process import GatewayProcess

PATIENCE = 60.0
"""Seconds within which whatever is waited for must come."""

POLL = 0.05


class Door(Protocol):
    """One charger, as a business system sees it."""

    async def command(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Send a neutral command; returns its one result."""
        ...

    async def connector(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The state of the connector on EVSE 1, as soon as it fits."""
        ...

    async def ended(self, transaction_id: str) -> dict[str, Any]:
        """The record of a transaction, once it has ended."""
        ...


class RestDoor:
    """By REST: requests, and states that are asked for again and again."""

    def __init__(self, client: httpx.AsyncClient, identity: str) -> None:
        self._client = client
        self._charger = f"/v1/chargers/{quote(identity, safe='')}"

    async def command(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = await self._client.post(f"{self._charger}/commands/{name}?wait=60", json=arguments)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def connector(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return await self._when(f"{self._charger}/evse/1/connector/1", fits)

    async def ended(self, transaction_id: str) -> dict[str, Any]:
        return await self._when(f"/v1/transactions/{transaction_id}", lambda record: record["status"] == "ended")

    async def _when(self, path: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        found: Any = None
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    answer = await self._client.get(path)
                    found = answer.json()
                    if answer.status_code == 200 and fits(found):
                        return dict(found)
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise AssertionError(f"{path} stayed {found}") from None


class MqttDoor:
    """By MQTT: commands with a Response Topic, retained states, and events."""

    def __init__(self, client: aiomqtt.Client, identity: str) -> None:
        self._client = client
        self._charger = f"ocpp/chargers/{quote(identity, safe='')}"
        self._reply = f"ocpp/reply/{uuid4().hex}"
        self._results: dict[bytes, dict[str, Any]] = {}
        self._states: dict[str, dict[str, Any]] = {}
        self._ended: dict[str, dict[str, Any]] = {}
        self._changed = asyncio.Event()

    async def listen(self) -> None:
        """Take what is published; until cancelled."""
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            topic, found = str(message.topic), json.loads(message.payload or b"null")
            if topic == self._reply:
                assert message.properties is not None
                self._results[message.properties.CorrelationData] = found  # type: ignore[attr-defined]
            elif topic.endswith("/event/transaction/ended"):
                self._ended[found["data"]["transaction_id"]] = found["data"]
            else:
                self._states[topic] = found
            self._changed.set()

    async def subscribe(self) -> None:
        await self._client.subscribe(self._reply, qos=1)
        await self._client.subscribe(f"{self._charger}/evse/+/connector/+/state", qos=1)
        await self._client.subscribe(f"{self._charger}/event/transaction/ended", qos=1)

    async def command(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic, properties.CorrelationData = self._reply, uuid4().bytes
        correlation: bytes = properties.CorrelationData
        topic = f"{self._charger}/command/{name}"
        await self._client.publish(topic, json.dumps(arguments), qos=1, properties=properties)
        return await self._when(lambda: self._results.get(correlation), f"the result of {name}")

    async def connector(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        topic = f"{self._charger}/evse/1/connector/1/state"

        def found() -> dict[str, Any] | None:
            state = self._states.get(topic)
            return state if state is not None and fits(state) else None

        return await self._when(found, topic)

    async def ended(self, transaction_id: str) -> dict[str, Any]:
        return await self._when(lambda: self._ended.get(transaction_id), f"the end of {transaction_id}")

    async def _when(self, found: Callable[[], dict[str, Any] | None], what: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(PATIENCE):
                while (value := found()) is None:
                    self._changed.clear()
                    await self._changed.wait()
                return value
        except TimeoutError:
            raise AssertionError(f"{what} did not come; states are {self._states}") from None


@asynccontextmanager
async def by_rest(gateway: GatewayProcess, broker_port: int, identity: str) -> AsyncIterator[Door]:
    async with gateway.client() as client:
        yield RestDoor(client, identity)


@asynccontextmanager
async def by_mqtt(gateway: GatewayProcess, broker_port: int, identity: str) -> AsyncIterator[Door]:
    async with aiomqtt.Client("127.0.0.1", broker_port, protocol=aiomqtt.ProtocolVersion.V5, timeout=60) as client:
        door = MqttDoor(client, identity)
        await door.subscribe()
        async with asyncio.TaskGroup() as tasks:
            listener = tasks.create_task(door.listen(), name="listener")
            yield door
            listener.cancel()


DOORS = {"mqtt": by_mqtt, "rest": by_rest}

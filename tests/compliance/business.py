"""The other side of the gateway, as a lab's operator: REST for what is ordered, MQTT for what is asked and told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiomqtt
import httpx

from tests.compliance.station import PATIENCE, Payload

_POLL = 0.02


class Operator:
    """What an operator does with one charger over REST."""

    def __init__(self, client: httpx.AsyncClient, identity: str) -> None:
        self._client = client
        self._identity = identity
        self._path = f"/v1/chargers/{quote(identity, safe='')}"

    async def command(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Have a neutral command carried out; its result."""
        answer = await self._client.post(f"{self._path}/commands/{name}?wait=60", json=arguments)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def call(self, action: str, payload: Payload) -> dict[str, Any]:
        """Have a raw call sent; its result."""
        answer = await self._client.post(f"{self._path}/calls/{action}?wait=60", json=payload)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def order(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """A neutral command, or a raw call where the name is an action of OCPP (so it begins with a capital)."""
        return await (self.call(name, arguments) if name[0].isupper() else self.command(name, **arguments))

    async def register(self, status: str) -> None:
        """Decide how the charger's next boots are answered."""
        await self._put("registration", {"status": status})

    async def set_password(self, password: str) -> None:
        await self._put("credentials", {"password": password})

    async def charger(self, fits: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
        """The charger's state, as soon as it fits."""
        return await self._when(self._path, {}, fits)

    async def connector(self, fits: Callable[[dict[str, Any]], bool] = bool, *, evse_id: int = 1) -> dict[str, Any]:
        """The state of an EVSE's connector 1, as soon as it fits."""
        return await self._when(f"{self._path}/evse/{evse_id}/connector/1", {}, fits)

    async def transaction(self, fits: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
        """The record of the charger's latest transaction, as soon as it fits."""
        page = await self._when(
            "/v1/transactions", {"charger_id": self._identity}, lambda page: page["items"] and fits(page["items"][0])
        )
        return dict(page["items"][0])

    async def transactions(self) -> list[dict[str, Any]]:
        answer = await self._client.get("/v1/transactions", params={"charger_id": self._identity})
        return list(answer.json()["items"])

    async def _put(self, what: str, body: dict[str, Any]) -> None:
        answer = await self._client.put(f"{self._path}/{what}", json=body)
        assert answer.status_code == 204, answer.text

    async def _when(self, path: str, query: dict[str, str], fits: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        found: Any = None
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    answer = await self._client.get(path, params=query)
                    found = answer.json()
                    if answer.status_code == 200 and fits(found):
                        return dict(found)
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            raise AssertionError(f"{path} stayed {found}") from None


class Business:
    """A business system on MQTT: answers what one charger's messages ask, and hears what the gateway tells of it."""

    def __init__(self, client: aiomqtt.Client, identity: str, answers: Mapping[str, Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self._client, self._answers = client, answers
        self._charger = f"ocpp/chargers/{quote(identity, safe='')}"
        self._heard = asyncio.Event()

    async def subscribe(self) -> None:
        await self._client.subscribe([(f"{self._charger}/ask/+", 1), (f"{self._charger}/event/#", 1)])

    async def listen(self) -> None:
        """Take what is published, until cancelled."""
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            found = json.loads(message.payload)
            if "/ask/" in str(message.topic):
                self.asked.append(found)
                answer = self._answers.get(found["question"])
                if answer is not None:
                    answer = answer(found) if callable(answer) else answer
                    await self._client.publish(f"{self._charger}/answer/{found['id']}", json.dumps(answer), qos=1)
            else:
                self.events.append(found)
            self._heard.set()

    async def event(self, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda data: True) -> dict[str, Any]:
        """The data of the first event of this type (without `ocpp.`) that fits."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for event in self.events:
                        if event["type"] == f"ocpp.{kind}" and fits(event["data"]):
                            return dict(event["data"])
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind} came; there were {[event['type'] for event in self.events]}") from None


@asynccontextmanager
async def business(port: int, identity: str, answers: Mapping[str, Any]) -> AsyncIterator[Business]:
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, timeout=PATIENCE) as client:
        found = Business(client, identity, answers)
        await found.subscribe()
        async with asyncio.TaskGroup() as tasks:
            listener = tasks.create_task(found.listen(), name="business")
            try:
                yield found
            finally:
                listener.cancel()

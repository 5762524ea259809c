"""Chargers on libraries that we did not write boot, charge, and obey remote starts and stops by MQTT and by REST."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiomqtt
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.e2e.doors import Door, by_mqtt, by_rest
from tests.e2e.foreign import FOREIGN, Foreign, ForeignCharger
from tests.support.gateway_process import GatewayProcess
from tests.support.node import need_node
from tests.support.servers import EmbeddedBroker, Valkey


@pytest.fixture(params=list(FOREIGN))
def foreign(request: pytest.FixtureRequest) -> Foreign:
    kind = FOREIGN[request.param]
    if kind.needs_node:
        need_node()
    return kind


@pytest.fixture
def gateway(tmp_path: Path, valkey: Valkey, embedded_broker: EmbeddedBroker) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path / "gateway", redis_url=valkey.url, mqtt_url=embedded_broker.url) as process:
        yield process


@asynccontextmanager
async def events(port: int, identity: str) -> AsyncIterator[list[dict[str, Any]]]:
    """What MQTT tells of a charger's transactions, each event once; left only when three of them have ended."""
    heard: list[dict[str, Any]] = []
    complete = asyncio.Event()
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, timeout=60) as client:
        await client.subscribe(f"ocpp/chargers/{identity}/event/transaction/#", qos=1)

        async def listen() -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                event = json.loads(message.payload)
                if event["id"] not in [earlier["id"] for earlier in heard]:
                    heard.append(event)
                if sum(event["type"] == "ocpp.transaction.ended" for event in heard) == 3:
                    complete.set()

        async with asyncio.TaskGroup() as tasks:
            listener = tasks.create_task(listen(), name="listener")
            yield heard
            async with asyncio.timeout(60):
                await complete.wait()
            listener.cancel()


async def charge_remotely(charger: ForeignCharger, door: Door) -> None:
    """One charge that is started and stopped from outside."""
    await charger.until("waiting")
    started = await door.command("start", {"token": "APP-USER", "evse_id": 1})
    assert started["outcome"] == "accepted", started
    assert (await charger.until("remote_started"))["token"] == "APP-USER"
    stopped = await door.command("stop", {})
    assert stopped["outcome"] == "accepted", stopped
    await charger.until("remote_stopped")


async def test_a_foreign_charger_charges_and_obeys_mqtt_and_rest(
    foreign: Foreign, gateway: GatewayProcess, embedded_broker: EmbeddedBroker
) -> None:
    identity = f"FOREIGN-{uuid4().hex[:8]}"
    async with (
        events(embedded_broker.port, identity) as heard,
        by_mqtt(gateway, embedded_broker.port, identity) as mqtt,
        by_rest(gateway, embedded_broker.port, identity) as rest,
        ForeignCharger(foreign, gateway.charger_url, identity) as charger,
    ):
        assert (await charger.until("connected"))["protocol"] == f"ocpp{foreign.version}"
        await charger.until("booted")
        await charger.until("authorized")
        await charger.until("stopped")
        await charge_remotely(charger, mqtt)
        await charge_remotely(charger, rest)
        await charger.until("done")
        assert await charger.exit_code() == 0

    told = [event["type"].removeprefix("ocpp.transaction.") for event in heard]
    assert told == ["started", "updated", "ended"] * 3
    ended = [event["data"] for event in heard if event["type"] == "ocpp.transaction.ended"]
    assert [transaction["energy_wh"] for transaction in ended] == [250, 250, 250]
    assert len({transaction["transaction_id"] for transaction in ended}) == 3


async def test_a_foreign_charger_notices_an_answer_that_breaks_the_schema(foreign: Foreign) -> None:
    """Else the test above would prove little."""

    async def wrong(connection: ServerConnection) -> None:
        async for text in connection:
            _, message_id, *_ = json.loads(text)
            answer = {"status": "Maybe", "currentTime": "2026-01-01T00:00:00Z", "interval": 300}
            await connection.send(json.dumps([3, message_id, answer]))

    async with serve(wrong, "127.0.0.1", 0, subprotocols=[Subprotocol(f"ocpp{foreign.version}")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with ForeignCharger(foreign, f"ws://127.0.0.1:{port}", "CP") as charger:
            with pytest.raises(pytest.fail.Exception, match="the charger failed before 'booted'"):
                await charger.until("booted")
            assert await charger.exit_code() == 1

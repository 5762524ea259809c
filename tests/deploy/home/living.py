"""A home that lives: a gateway, mosquitto, and a virtual wallbox of the name that the files of deploy/home use."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt

from gateway.simulator import Car, SimulatorOptions, Version, Wallbox
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import Mosquitto, Valkey

FILES = Path(__file__).parents[3] / "deploy" / "home"
WALLBOX = "wallbox"
PLACE = f"ocpp/chargers/{WALLBOX}/evse/1/connector/1"
PATIENCE = 60.0


class Home:
    """What a home sees on its broker, and the wallbox itself."""

    def __init__(self, client: aiomqtt.Client, wallbox: Wallbox, port: int) -> None:
        self.wallbox, self.port = wallbox, port
        self.retained: dict[str, str] = {}
        """What each topic told last."""
        self._client = client
        self._changed = asyncio.Event()

    @property
    def state(self) -> dict[str, Any]:
        """The connector's."""
        found: dict[str, Any] = json.loads(self.retained.get(f"{PLACE}/state", "{}"))
        return found

    async def publish(self, topic: str, payload: str) -> None:
        await self._client.publish(topic, payload, qos=1)

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait for what the broker or the wallbox will tell."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    self._changed.clear()
                    try:
                        async with asyncio.timeout(0.2):
                            await self._changed.wait()
                    except TimeoutError:
                        continue
        except TimeoutError:
            raise AssertionError(f"{what}: {self.retained}") from None

    async def allows(self, power_w: float | None) -> None:
        """Wait until the wallbox allows so much; None: it has no limit."""
        outlet, now = self.wallbox.outlet, self.wallbox.now
        await self.until(lambda: outlet.allowed_w(now()) == power_w, f"the wallbox does not allow {power_w} W")

    async def listen(self) -> None:
        """Take what comes, until cancelled."""
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            self.retained[message.topic.value] = message.payload.decode()
            self._changed.set()


@asynccontextmanager
async def home(
    folder: Path, valkey: Valkey, broker: Mosquitto, version: Version = "1.6", **options: Any
) -> AsyncIterator[Home]:
    """A home whose wallbox is connected, and where no car is yet."""
    # A home has more time than a test.
    settings = {"mqtt": {"set_interval": 0.05, "state_interval": 0.1}}
    gateway = GatewayProcess(folder, redis_url=valkey.url, mqtt_url=broker.url, settings=settings)
    await asyncio.to_thread(gateway.start)
    try:
        wallbox = Wallbox(
            SimulatorOptions(url=gateway.charger_url, version=version, ids=(WALLBOX,), speed=50.0, interval=30.0)
        )
        async with (
            aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5, timeout=60) as client,
            asyncio.TaskGroup() as tasks,
        ):
            living = Home(client, wallbox, broker.port)
            await client.subscribe("ocpp/#", qos=1)
            listener = tasks.create_task(living.listen(), name="listener")
            tasks.create_task(wallbox.run(), name=WALLBOX)
            try:
                await living.until(lambda: living.state.get("plugged") is False, "the wallbox never came")
                yield living
            finally:
                wallbox.leave()
                listener.cancel()
    finally:
        await asyncio.to_thread(gateway.stop)


def three_phase_car() -> Car:
    return Car(11_000, 40)

"""The MQTT adapter: a control lane (commands) and a data lane (events and state) behind one port."""

import asyncio
from collections.abc import Callable

from adapters.mqtt.config import MqttConfig
from adapters.mqtt.control import ControlLane
from adapters.mqtt.delivery import MqttReader
from adapters.mqtt.topics import Topics
from gateway.core.adapter import GatewayContext


class MqttAdapter:
    """Publishes what the log holds, and carries commands in. Starts also while the broker is away."""

    name = "mqtt"

    def __init__(self, config: MqttConfig, context: GatewayContext) -> None:
        topics = Topics(config.prefix)
        self._context = context
        self._control = ControlLane(config, context, topics)
        self._reader = MqttReader(config, context, topics)

    async def run(self, started: Callable[[], None]) -> None:
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(self._control.run(started), name="mqtt: control lane")
            lanes.create_task(self._context.read_log(self._reader), name="mqtt: data lane")

"""The MQTT adapter: a control lane (commands, questions) and a data lane (events and state) behind one port."""

import asyncio
from collections.abc import Callable

from adapters.mqtt.asking import MqttAsker
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.control import ControlLane
from adapters.mqtt.delivery import MqttReader
from adapters.mqtt.topics import Topics
from gateway.core.adapter import GatewayContext


class MqttAdapter:
    """Publishes what the log holds, carries commands in, and asks subscribers. Starts also while the broker is away."""

    name = "mqtt"

    def __init__(self, config: MqttConfig, context: GatewayContext) -> None:
        topics = Topics(config.prefix)
        self._context = context
        self._asker = MqttAsker(context.clock)
        self._reader = MqttReader(config, context, topics)
        self._control = ControlLane(config, context, topics, self._asker, self._reader.refresh)

    async def run(self, started: Callable[[], None]) -> None:
        self._context.askers.register(self._asker)
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(self._control.run(started), name="mqtt: control lane")
            lanes.create_task(self._context.read_log(self._reader), name="mqtt: data lane")

"""The connection for brokers that know nothing newer than MQTT 3.1.1."""

import pytest

from adapters.mqtt.address import Address
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.fallback import OldPublisher
from adapters.mqtt.login import Login
from gateway.core.errors import DeliveryInterrupted
from tests.support.servers import Mosquitto


async def test_what_cannot_be_published_is_told_with_its_reason(mosquitto: Mosquitto) -> None:
    address = Address.of(MqttConfig(url=mosquitto.url))
    publisher = await OldPublisher.open(address, Login("old", keepalive=30))
    with pytest.raises(DeliveryInterrupted, match="wildcard") as caught:
        await publisher.publish([("a", b"1"), ("a/#", b"2")])
    assert caught.value.confirmed == 1
    assert "wildcard" in await publisher.lost()
    await publisher.disconnect(with_will=False)

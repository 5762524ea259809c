"""How `tail`, `send` and the demo reach the MQTT broker."""

from dataclasses import dataclass
from typing import Self

import aiomqtt

from adapters.mqtt.address import Address
from adapters.mqtt.config import MqttConfig
from gateway.core.errors import GatewayError


class BrokerUnreachable(GatewayError):
    """The MQTT broker cannot be reached, or closed the connection."""


@dataclass(frozen=True)
class Access:
    """Where the broker is, what lets us in, and the prefix of the gateway's topics."""

    address: Address
    prefix: str

    @classmethod
    def of(cls, config: MqttConfig) -> Self:
        """Access to the broker that [mqtt] names, the embedded one where it names none.

        Raises ConfigurationError for a certificate that does not load.
        """
        return cls(Address.of(config), config.prefix)

    def client(self) -> aiomqtt.Client:
        """A client that is not connected yet; MQTT 5."""
        address = self.address
        return aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=None if address.password is None else address.password.decode(),
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=address.tls,
            transport="tcp" if address.websocket_path is None else "websockets",
            websocket_path=address.websocket_path,
        )

    def unreachable(self, error: Exception) -> BrokerUnreachable:
        """The error in words that help."""
        return BrokerUnreachable(
            f"cannot use the MQTT broker at {self.address}: {error}. Does `ocpp-gateway serve` run? "
            "Another broker is named by MQTT_URL or --config"
        )

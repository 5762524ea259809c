"""Logging in to the broker with MQTT 5: what is said, and why it may fail."""

from dataclasses import dataclass
from typing import Literal

import mqtt5

from adapters.mqtt.address import Address
from gateway.core.errors import DeliveryInterrupted

Message = tuple[str, bytes]
"""Topic and payload."""


class ConnectRefused(DeliveryInterrupted):
    """The broker could not be reached or did not let us in. `old_protocol`: whether that was for want of MQTT 5."""

    def __init__(self, message: str, *, old_protocol: Literal["yes", "perhaps", "no"] = "no") -> None:
        self.old_protocol = old_protocol
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to the broker. A will makes the session outlive the connection by `will_delay` seconds and more."""

    client_id: str
    keepalive: int
    will: Message | None = None
    will_delay: int = 0

    def packet(self, address: Address) -> mqtt5.ConnectPacket:
        """The CONNECT. Only without Clean Start does a successor cancel the will of the connection before it; there
        is nothing in the session of a pure publisher that could be replayed."""
        will = None
        if self.will is not None:
            topic, payload = self.will
            will = mqtt5.Will(
                topic,
                payload=payload,
                qos=mqtt5.QoS.AT_LEAST_ONCE,
                retain=True,
                will_delay_interval=self.will_delay,
            )
        return mqtt5.ConnectPacket(
            self.client_id,
            username=address.username,
            password=address.password,
            clean_start=will is None,
            session_expiry_interval=0 if will is None else self.will_delay + 60,
            keep_alive=self.keepalive,
            will=will,
        )

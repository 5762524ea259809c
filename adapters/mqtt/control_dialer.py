"""Dialing the broker for the control lane, with MQTT 5 where it knows that, and hanging up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.mqtt.address import Address
from adapters.mqtt.config import MqttConfig

CALL_SECONDS = 5.0
"""How long the broker may take for an answer (CONNACK, SUBACK, PUBACK)."""
GOODBYE_SECONDS = 1.0
RECEIVE_MAXIMUM = 100
"""Messages that the broker may send beyond the acknowledged ones."""
UNSUPPORTED_PROTOCOL_VERSION = 0x84
NO_CONNACK = "Operation timed out"
"""What aiomqtt says where no CONNACK came, also where the broker hung up."""
MAX_HANG_UPS = 3
"""After so many in a row the broker is taken for one that does not know MQTT 5."""


class ControlDialer:
    """Makes connections, with MQTT 5 where the broker knows it."""

    def __init__(self, address: Address, config: MqttConfig, client_id: str) -> None:
        self._address = address
        self._config = config
        self._client_id = client_id
        self._hang_ups = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[aiomqtt.Client, bool]]:
        """A connected client, and whether it speaks MQTT 5. Raises MqttError, also from within."""
        client, mqtt5 = await self._dial()
        try:
            yield client, mqtt5
        finally:
            client.timeout = GOODBYE_SECONDS
            with suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)
            _hear_of_its_end(client)

    async def _dial(self) -> tuple[aiomqtt.Client, bool]:
        mqtt5 = self._config.protocol != "3.1.1"
        try:
            client = await self._open(mqtt5=mqtt5)
        except aiomqtt.MqttError as error:
            if self._config.protocol != "auto" or not self._is_for_want_of_mqtt5(error):
                raise
            # Every connection tries MQTT 5 anew: the broker may be another one by then.
            return await self._open(mqtt5=False), False
        self._hang_ups = 0
        return client, mqtt5

    def _is_for_want_of_mqtt5(self, error: aiomqtt.MqttError) -> bool:
        if isinstance(error, aiomqtt.MqttCodeError):
            return getattr(error.rc, "value", error.rc) == UNSUPPORTED_PROTOCOL_VERSION
        self._hang_ups = self._hang_ups + 1 if str(error) == NO_CONNACK else 0
        return self._hang_ups >= MAX_HANG_UPS

    async def _open(self, *, mqtt5: bool) -> aiomqtt.Client:
        client = self._client(mqtt5=mqtt5)
        try:
            await client.__aenter__()
        except BaseException:
            # Without this a CONNACK that comes late makes a connection that nobody holds.
            client._client.disconnect()
            _hear_of_its_end(client)
            raise
        return client

    def _client(self, *, mqtt5: bool) -> aiomqtt.Client:
        properties = None
        if mqtt5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0
            properties.ReceiveMaximum = RECEIVE_MAXIMUM
        address = self._address
        client = aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=None if address.password is None else address.password.decode(),
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if mqtt5 else aiomqtt.ProtocolVersion.V311,
            clean_session=None if mqtt5 else True,
            transport="tcp" if address.websocket_path is None else "websockets",
            websocket_path=address.websocket_path,
            timeout=CALL_SECONDS,
            keepalive=self._config.keepalive,
            properties=properties,
            tls_context=address.tls,
        )
        # aiomqtt acknowledges what it puts into a queue without end; only the paho client beneath can wait with that.
        client._client.manual_ack_set(True)
        return client


def _hear_of_its_end(client: aiomqtt.Client) -> None:
    """Take why a connection ended from aiomqtt, which has told it already: else asyncio logs that nobody asked."""
    if client._disconnected.done() and not client._disconnected.cancelled():
        client._disconnected.exception()

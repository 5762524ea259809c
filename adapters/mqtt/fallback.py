"""Publishing over MQTT 3.1.1, for brokers that know nothing newer.

There a publish that an ACL refused is acknowledged like any other, so this is used only where `trust_puback` is set.
"""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import aiomqtt

from adapters.mqtt.address import Address
from adapters.mqtt.login import ConnectRefused, Login, Message
from adapters.mqtt.publisher import SUCCESS
from gateway.core.errors import DeliveryInterrupted

_IN_FLIGHT = 100
_ACK_SECONDS = 60.0
_CLOSE_SECONDS = 2.0


class OldPublisher:
    """A connection, made by `open`; as `Publisher`, but every message that was acknowledged counts as taken."""

    max_packet_size: int | None = None
    said_goodbye = False
    """In MQTT 3.1.1 a broker cannot say goodbye, so that any end may be a crash."""
    ended_owing = False
    """See Publisher."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._ended = asyncio.Event()
        self._reason = "the connection was lost"
        self._watcher = asyncio.create_task(self._watch(), name="mqtt 3.1.1: watch the connection")

    @classmethod
    async def open(cls, address: Address, login: Login) -> "OldPublisher":
        """Connect and log in. Raises ConnectRefused."""
        websocket = address.websocket_path is not None
        client = aiomqtt.Client(
            address.host,
            address.port,
            identifier=login.client_id,
            username=address.username,
            password=None if address.password is None else address.password.decode(),
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            keepalive=login.keepalive,
            tls_context=address.tls,
            transport="websockets" if websocket else "tcp",
            websocket_path=address.websocket_path,
            will=None if login.will is None else aiomqtt.Will(*login.will, qos=1, retain=True),
            max_inflight_messages=_IN_FLIGHT,
        )
        client.pending_calls_threshold = _IN_FLIGHT
        try:
            await client.__aenter__()
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise ConnectRefused(str(error)) from error
        return cls(client)

    async def publish(
        self,
        messages: Sequence[Message],
        *,
        retain: bool = False,
        content_type: str | None = None,
        halt: bool = True,
    ) -> bytes:
        """See Publisher.publish; there is no content type in MQTT 3.1.1."""
        for start in range(0, len(messages), _IN_FLIGHT):
            await self._publish_window(messages[start : start + _IN_FLIGHT], retain, start)
        return bytes((SUCCESS,)) * len(messages)

    async def _publish_window(self, messages: Sequence[Message], retain: bool, before: int) -> None:
        # Tasks begin in the order in which they were made, and a publish goes out before its first wait.
        window = [
            asyncio.create_task(
                self._client.publish(topic, payload, qos=1, retain=retain, timeout=math.inf), name="mqtt 3.1.1: publish"
            )
            for topic, payload in messages
        ]
        everything = asyncio.gather(*window, return_exceptions=True)
        try:
            either: set[asyncio.Future[Any]] = {everything, self._watcher}
            await asyncio.wait(either, timeout=_ACK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in window:
                task.cancel()
            await asyncio.gather(everything, return_exceptions=True)
        taken = [not task.cancelled() and task.exception() is None for task in window]
        if not all(taken):
            self.ended_owing = True
            first = taken.index(False)
            if not self._watcher.done():
                self._reason = _problem(window[first])
            self._ended.set()
            raise DeliveryInterrupted(self._reason, confirmed=before + first)

    async def _watch(self) -> None:
        try:
            async for _ in self._client.messages:
                pass
        except aiomqtt.MqttError as error:
            self._reason = str(error.__cause__ or error)
        self._ended.set()

    async def lost(self) -> str:
        """Return, with the reason, when the connection is gone."""
        await self._ended.wait()
        return self._reason

    async def disconnect(self, *, with_will: bool) -> None:
        """Close. MQTT 3.1.1 cannot ask for the will on a proper end, so that none is published."""
        self._watcher.cancel()
        await asyncio.gather(self._watcher, return_exceptions=True)
        self._ended.set()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._client.__aexit__(None, None, None)
        except (aiomqtt.MqttError, TimeoutError) as error:
            self._reason = str(error)


def _problem(publish: asyncio.Task[None]) -> str:
    """Why a publish came to nothing while the connection stood."""
    if publish.cancelled():
        return f"the broker acknowledged nothing for {_ACK_SECONDS:.0f} s"
    return f"it could not be published: {publish.exception()}"

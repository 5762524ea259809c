"""One MQTT 5 connection that publishes at QoS 1 and hands back what the broker said to each publish.

A batch is one future, a counter and a byte per message, not a future per packet; packets are encoded as the broker's
Receive Maximum leaves room, and written many at a time.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import mqtt5
import structlog

from adapters.mqtt.address import Address
from adapters.mqtt.login import ConnectRefused, Login, Message
from adapters.mqtt.websocket import WebSocketTransport
from gateway.core.errors import DeliveryInterrupted

log = structlog.get_logger(__name__)

SUCCESS, NO_SUBSCRIBER = 0x00, 0x10
TOPIC_INVALID, TOO_LARGE = 0x90, 0x95
NOT_SENT = 0xFF
"""No reason code of MQTT's: the message was not sent, or not acknowledged."""

_QOS = mqtt5.QoS.AT_LEAST_ONCE
_OPEN_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_CHUNK = 256 * 1024
"""Bytes per write, about."""
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux only
_ACK_TERMS = 2
"""Keepalive intervals without any PUBACK after which a connection that owes some is given up."""


@dataclass(slots=True)
class _Batch:
    messages: Sequence[Message]
    retain: bool
    content_type: str | None
    halt: bool
    base: int
    codes: bytearray
    done: "asyncio.Future[None]"
    sent: int = 0
    acknowledged: int = 0
    halted: bool = False

    def settle(self, index: int, code: int) -> None:
        self.codes[index] = code
        self.acknowledged += 1
        if code >= 0x80 and self.halt:
            self.halted = True

    def complete(self) -> bool:
        return self.acknowledged == (self.sent if self.halted else len(self.codes))

    def confirmed(self) -> int:
        """How many leading messages the broker has taken."""
        return next((index for index, code in enumerate(self.codes) if code >= 0x80), len(self.codes))


class Publisher(asyncio.Protocol):
    """A connection, made by `open`. One `publish` at a time."""

    def __init__(self, keepalive: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._connack: asyncio.Future[mqtt5.ConnAckPacket] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._reason = ""
        self.said_goodbye = False
        """The end was told by a DISCONNECT, of either side: the broker had time to save what it took."""
        self.ended_owing = False
        """Publishes were under way at the end, one of which may be its cause."""
        self._batch: _Batch | None = None
        self._rest = b""
        self._paused = False
        self._next_id = 1
        self._receive_max = 65535
        self._keepalive = keepalive
        self._timer: asyncio.TimerHandle | None = None
        self._heard = self._said = self._acked = self._loop.time()
        self._pinged_at = 0.0
        self.max_packet_size: int | None = None
        """What the broker takes at the most, in bytes; None for no limit that it told us of."""

    @classmethod
    async def open(cls, address: Address, login: Login) -> "Publisher":
        """Connect and log in. Raises ConnectRefused."""
        publisher = cls(login.keepalive)
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                await publisher._dial(address)
                await publisher._opened
                publisher._write(login.packet(address).write())
                publisher._logged_in(await publisher._connack)
        except TimeoutError as error:
            raise ConnectRefused("no answer") from error
        except (OSError, UnicodeError) as error:
            raise ConnectRefused(str(error)) from error
        finally:
            if publisher._timer is None:
                publisher._drop("not connected")
        return publisher

    async def publish(
        self,
        messages: Sequence[Message],
        *,
        retain: bool = False,
        content_type: str | None = None,
        halt: bool = True,
    ) -> bytes:
        """Publish in order; returns a reason code per message once all are acknowledged.

        With `halt`, nothing more is sent once a message was refused, and what was not sent is NOT_SENT. A message that
        the connection can never carry counts as refused, with TOPIC_INVALID or TOO_LARGE (Maximum Packet Size).
        Raises DeliveryInterrupted when the connection is lost.
        """
        if self._closed.done():
            raise DeliveryInterrupted(self._reason)
        if self._batch is not None:
            raise RuntimeError("one publish at a time")
        if not messages:
            return b""
        if self._next_id + len(messages) > 65536:
            self._next_id = 1
        codes = bytearray((NOT_SENT,)) * len(messages)
        done: asyncio.Future[None] = self._loop.create_future()
        batch = self._batch = _Batch(messages, retain, content_type, halt, self._next_id, codes, done)
        self._next_id += len(messages)
        self._acked = self._loop.time()
        self._fill(batch)
        try:
            await done
        except asyncio.CancelledError:
            # Nobody waits any more for what is in flight, and its packet ids must not be taken again.
            self._drop("given up")
            raise
        finally:
            self._batch = None
        return bytes(codes)

    async def lost(self) -> str:
        """Return, with the reason, when the connection is gone."""
        await asyncio.shield(self._closed)
        return self._reason

    async def disconnect(self, *, with_will: bool) -> None:
        """Say goodbye; the broker publishes the will after its delay if `with_will`, else it forgets it."""
        if not self._closed.done():
            code = mqtt5.DisconnectReasonCode
            packet = mqtt5.DisconnectPacket(
                reason_code=code.DISCONNECT_WITH_WILL_MESSAGE if with_will else code.NORMAL_DISCONNECTION,
                session_expiry_interval=None if with_will else 0,
            )
            self._reason = "closed"
            self.said_goodbye = True
            self._write(packet.write())
            if self._transport is not None:
                self._transport.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.lost()
        except TimeoutError:
            self._drop("closed")

    # ------------------------------------------------------------ connecting

    async def _dial(self, address: Address) -> None:
        def protocol() -> asyncio.Protocol:
            return self if address.websocket_path is None else WebSocketTransport(self, address)

        name = address.host if address.tls is not None else None
        await self._loop.create_connection(protocol, address.host, address.port, ssl=address.tls, server_hostname=name)

    def _logged_in(self, connack: mqtt5.ConnAckPacket) -> None:
        code = int(connack.reason_code)
        if code >= 0x80:
            old = connack.reason_code == mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION
            reason = f"{connack.reason_str}, " if connack.reason_str else ""
            raise ConnectRefused(
                f"refused: {_words(connack.reason_code)} ({reason}0x{code:02x})", old_protocol="yes" if old else "no"
            )
        self._receive_max = connack.receive_max
        self.max_packet_size = connack.max_packet_size
        if connack.server_keep_alive is not None:
            self._keepalive = connack.server_keep_alive
        self._timer = self._loop.call_later(self._beat(), self._tick)

    def _beat(self) -> float:
        return (self._keepalive or 60) / 2

    # ------------------------------------------------------------ what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._socket = transport.get_extra_info("socket")
        if not self._opened.done():
            self._opened.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(str(error) if error is not None else "the broker closed the connection")

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._batch is not None:
            self._fill(self._batch)

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        if self._rest:
            data = self._rest + data
        batch, view, at, end = self._batch, memoryview(data), 0, len(data)
        acknowledged = 0 if batch is None else batch.acknowledged
        while at < end:
            try:
                packet, size = mqtt5.read(view[at:])
            except IndexError:
                break  # an incomplete packet
            except ValueError as error:
                self._unreadable(data[at:], str(error))
                return
            at += size
            if type(packet) is not mqtt5.PubAckPacket:
                self._handle(packet)
            elif batch is not None:
                index = packet.packet_id - batch.base
                if 0 <= index < batch.sent and batch.codes[index] == NOT_SENT:
                    batch.settle(index, int(packet.reason_code))
        self._rest = data[at:]
        if batch is not None and batch.acknowledged != acknowledged:
            self._acked = self._heard
            self._fill(batch)
            if not batch.complete():
                self._acknowledge_at_once()

    # ------------------------------------------------------------ packets

    def _fill(self, batch: _Batch) -> None:
        """Send as much of the batch as the Receive Maximum and the socket take."""
        messages, count = batch.messages, len(batch.messages)
        while not (self._paused or batch.halted):
            until = min(count, batch.acknowledged + self._receive_max)
            if batch.sent >= until:
                break
            packets: list[bytes] = []
            size = 0
            while batch.sent < until and size < _CHUNK and not batch.halted:
                index = batch.sent
                batch.sent += 1
                packet = self._packet(batch, index, messages[index])
                if packet is not None:
                    packets.append(packet)
                    size += len(packet)
            if packets:
                self._write(b"".join(packets))
        if batch.complete() and not batch.done.done():
            batch.done.set_result(None)

    def _packet(self, batch: _Batch, index: int, message: Message) -> bytes | None:
        """The PUBLISH, or None for one that can never be sent; that is settled then."""
        try:
            packet = mqtt5.PublishPacket(
                message[0],
                message[1],
                qos=_QOS,
                retain=batch.retain,
                packet_id=batch.base + index,
                content_type=batch.content_type,
            ).write()
        except ValueError as error:
            log.warning("a topic cannot be published to", topic=message[0][:200], problem=str(error))
            batch.settle(index, TOPIC_INVALID)
            return None
        if self.max_packet_size is not None and len(packet) > self.max_packet_size:
            batch.settle(index, TOO_LARGE)
            return None
        return packet

    def _handle(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.ConnAckPacket():
                if not self._connack.done():
                    self._connack.set_result(packet)
            case mqtt5.DisconnectPacket():
                self.said_goodbye = True
                detail = packet.reason_str or packet.server_reference
                self._drop(f"the broker ended it: {_words(packet.reason_code)}" + (f" ({detail})" if detail else ""))
            case mqtt5.PingRespPacket():
                pass
            case _:
                self._drop(f"the broker sent a {type(packet).__name__}, which was not asked for")

    def _unreadable(self, data: bytes, problem: str) -> None:
        if not self._connack.done() and data[:2] == b"\x20\x02":
            # A CONNACK as MQTT 3.1.1 frames it (section 3.2): code 1 is "unacceptable protocol version".
            old: Literal["yes", "no"] = "yes" if data[3] == 1 else "no"
            error = ConnectRefused(f"refused with the MQTT 3.1.1 code {data[3]}", old_protocol=old)
            self._connack.set_exception(error)
        self._drop(f"the broker sent what is not MQTT 5: {problem}")

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._said = self._loop.time()
            self._transport.write(data)

    def _acknowledge_at_once(self) -> None:
        """Have TCP acknowledge now what came. Brokers that write PUBACK by PUBACK under Nagle's algorithm (mosquitto's
        default) wait for that, up to 40 ms per batch, since at its end there is nothing of ours to carry it."""
        if self._socket is not None and _QUICKACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _tick(self) -> None:
        """Ask for a sign of life where there was none for half the keepalive time, and give up where none came."""
        now, beat = self._loop.time(), self._beat()
        if self._heard < self._pinged_at:
            self._drop("the broker gives no sign of life")
            return
        if self._batch is not None and not self._paused and now - self._acked >= 2 * _ACK_TERMS * beat:
            self._drop("the broker does not acknowledge what it gets")
            return
        if now - min(self._heard, self._said) >= beat * 0.9:
            self._pinged_at = now
            self._write(mqtt5.PingReqPacket().write())
        self._timer = self._loop.call_later(beat, self._tick)

    # ------------------------------------------------------------ the end

    def _drop(self, reason: str) -> None:
        """Cut the connection; everything in flight fails."""
        if self._transport is not None:
            self._transport.abort()
        self._end(reason)

    def _end(self, reason: str) -> None:
        if self._closed.done():
            return
        self._reason = self._reason or reason
        if self._timer is not None:
            self._timer.cancel()
        self._closed.set_result(None)
        for waiting in (self._opened, self._connack):
            if not waiting.done():
                # A broker that does not know MQTT 5 may just hang up.
                old: Literal["perhaps", "no"] = "perhaps" if waiting is self._connack else "no"
                waiting.set_exception(ConnectRefused(self._reason, old_protocol=old))
                waiting.exception()
        if self._batch is not None and not self._batch.done.done():
            self.ended_owing = True
            self._batch.done.set_exception(DeliveryInterrupted(self._reason, confirmed=self._batch.confirmed()))


def _words(code: "mqtt5.ConnAckReasonCode | mqtt5.DisconnectReasonCode") -> str:
    return code.name.lower().replace("_", " ")

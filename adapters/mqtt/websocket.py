"""MQTT over WebSocket (subprotocol `mqtt`): makes a WebSocket look like a transport of bytes."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from adapters.mqtt.address import Address

_MAX_MESSAGE = 2**20


class WebSocketTransport(asyncio.Transport, asyncio.Protocol):
    """Between a socket and a protocol of bytes: shakes hands, then passes the payload of binary frames through.

    The inner protocol's `connection_made` is called once the handshake is done; a failed one ends in
    `connection_lost` alone.
    """

    def __init__(self, inner: asyncio.Protocol, address: Address) -> None:
        super().__init__()
        path, _, query = (address.websocket_path or "/").partition("?")
        uri = WebSocketURI(address.tls is not None, address.host, address.port, path, query)
        self._inner = inner
        self._websocket = ClientProtocol(uri, subprotocols=[Subprotocol("mqtt")], max_size=_MAX_MESSAGE)
        self._socket: asyncio.Transport | None = None
        self._closing = False
        self._told = False

    # ------------------------------------------------------------ towards the socket

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default if self._socket is None else self._socket.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closing and self._websocket.state is OPEN:
            self._websocket.send_binary(bytes(data))
            self._flush()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            if self._websocket.state is OPEN:
                self._websocket.send_close(1000)
                self._flush()
            if self._socket is not None:
                self._socket.close()

    def abort(self) -> None:
        self._closing = True
        if self._socket is not None:
            self._socket.abort()

    def _flush(self) -> None:
        if self._socket is None:
            return
        for data in self._websocket.data_to_send():
            if data:
                self._socket.write(data)
            else:
                self._socket.close()

    # ------------------------------------------------------------ from the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self._websocket.send_request(self._websocket.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._websocket.receive_data(data)
        if self._websocket.handshake_exc is not None:
            self._refuse(f"the WebSocket handshake failed: {self._websocket.handshake_exc}")
            return
        for event in self._websocket.events_received():
            if isinstance(event, Response):
                self._answered()
            elif isinstance(event, Frame) and event.opcode in (Opcode.BINARY, Opcode.CONT):
                self._inner.data_received(bytes(event.data))
        self._flush()

    def _answered(self) -> None:
        if self._websocket.subprotocol is None:
            self._refuse("the WebSocket server does not speak the subprotocol mqtt")
        else:
            self._inner.connection_made(self)

    def _refuse(self, problem: str) -> None:
        self._tell(ConnectionError(problem))
        self.abort()

    def eof_received(self) -> None:
        self._websocket.receive_eof()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._tell(exc)

    def _tell(self, error: Exception | None) -> None:
        if not self._told:
            self._told = True
            self._inner.connection_lost(error)

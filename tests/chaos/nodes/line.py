"""A WebSocket to the gateway that costs next to nothing: raw frames on a raw socket, without a task of its own."""

import asyncio
import base64
import json
import os
import struct
from collections.abc import Callable
from typing import Any, cast

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
ABNORMAL = 1006


class Line(asyncio.Protocol):
    """One socket. `answered` ends with the HTTP status of the handshake's answer (0: the socket broke), `gone` with the
    code under which the socket ended; `retry_after` is what a refusal said."""

    def __init__(self, identity: str, subprotocol: str, on_frame: Callable[["Line", list[Any]], None]) -> None:
        loop = asyncio.get_running_loop()
        self.answered: asyncio.Future[int] = loop.create_future()
        self.gone: asyncio.Future[int] = loop.create_future()
        self.retry_after: float | None = None
        self.port = 0
        self.is_stale = False
        """Another one has followed."""
        self._identity, self._subprotocol, self._on_frame = identity, subprotocol, on_frame
        self._buffer = bytearray()
        self._code = ABNORMAL
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        return self.answered.done() and self.answered.result() == 101 and not self.gone.done()

    def send(self, frame: list[Any]) -> None:
        """Send a message, if the socket still stands."""
        if self._transport is not None and not self.gone.done():
            self._transport.write(_frame(TEXT, json.dumps(frame).encode()))

    def close(self) -> None:
        """End it as WebSockets end."""
        if self._transport is not None and not self.gone.done():
            self._transport.write(_frame(CLOSE, struct.pack("!H", 1000)))
            self._transport.close()

    def abort(self) -> None:
        """Break it off."""
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------ called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.port = int(transport.get_extra_info("sockname")[1])
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET /ocpp/{self._identity} HTTP/1.1\r\nHost: chaos\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {self._subprotocol}\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.answered.done():
            self.answered.set_result(0)
        if not self.gone.done():
            self.gone.set_result(self._code)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.answered.done() and not self._read_answer():
            return
        while len(self._buffer) >= 2:
            length, at = self._buffer[1] & 0x7F, 2
            if length == 126:
                length, at = int.from_bytes(self._buffer[2:4], "big"), 4
            elif length == 127:
                length, at = int.from_bytes(self._buffer[2:10], "big"), 10
            if len(self._buffer) < at + length:
                return
            opcode, payload = self._buffer[0] & 0x0F, bytes(self._buffer[at : at + length])
            del self._buffer[: at + length]
            self._take(opcode, payload)

    def _read_answer(self) -> bool:
        """Whether the handshake was answered with an open WebSocket."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status, *headers = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        for header in headers:
            name, _, value = header.partition(":")
            if name.lower() == "retry-after":
                self.retry_after = float(value)
        code = int(status.split(" ")[1])
        self.answered.set_result(code)
        if code != 101:
            self.abort()
        return code == 101

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self._on_frame(self, json.loads(payload))
        elif opcode == PING and self._transport is not None:
            self._transport.write(_frame(PONG, payload))
        elif opcode == CLOSE and self._transport is not None:
            self._code = int.from_bytes(payload[:2], "big") if payload else 1005
            self._transport.write(_frame(CLOSE, payload[:2]))
            self._transport.close()


def _frame(opcode: int, data: bytes) -> bytes:
    """A masked frame; the mask is zero, which costs nothing to apply."""
    is_short = len(data) < 126
    head = struct.pack("!BB", 0x80 | opcode, 0x80 | (len(data) if is_short else 126))
    return head + (b"" if is_short else struct.pack("!H", len(data))) + bytes(4) + data


async def connect(line: Line, port: int, *, source: str | None, seconds: float) -> int:
    """Connect a line to a port of this machine; the status of its handshake, 0 where there was none in time."""
    loop = asyncio.get_running_loop()
    local = None if source is None else (source, 0)
    try:
        async with asyncio.timeout(seconds):
            await loop.create_connection(lambda: line, "127.0.0.1", port, local_addr=local)
            return await asyncio.shield(line.answered)
    except (OSError, TimeoutError):
        line.abort()
        return 0

"""One WebSocket, server side: a thin asyncio shell around the sans-I/O protocol of the `websockets` library.

Thin because memory and time per connection count: no task, no queue and no timer of its own beyond the handshake.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import structlog
from websockets.extensions.base import ServerExtensionFactory
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from gateway.chargers.handshake import mend_headers, mended_request_line, why_no_request
from gateway.chargers.whole_frames import frame_of, frame_size, payload_of

_log = structlog.get_logger(__name__)

_SILENT = logging.getLogger("gateway.chargers.websocket.frames")
_SILENT.setLevel(logging.CRITICAL)

MAX_HEAD = 64 * 1024
"""Longest handshake request, in bytes."""
MAX_EARLY = 64 * 1024
"""Bytes that a charger may send before its handshake is answered; beyond that its socket is not read."""
SLICE = 4 * 1024
"""Bytes taken from one charger at a time: a burst of tiny frames may be a second's work, and others wait meanwhile."""
CLOSE_TIMEOUT = 5.0
"""Seconds that a charger has to answer a close frame before its socket is cut."""


class Listener(Protocol):
    """Who is told what arrives on an open WebSocket."""

    def text_received(self, text: str) -> None: ...

    def socket_closed(self, code: int, reason: str) -> None: ...


class _ServerProtocol(ServerProtocol):
    """Speaks the subprotocol that was chosen for the charger; the library must neither check nor choose again."""

    chosen: Subprotocol | None = None

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        return self.chosen


class WebSocket(asyncio.Protocol):
    """One charger's socket, from the first byte on.

    `on_request` is called once with the handshake request; whoever is asked must then call `accept` or `reject`.
    Where no request comes, `on_no_request` is called with the remote address and why.
    `last_received` is the monotonic time of the last byte that arrived.
    """

    __slots__ = (
        "_assembled",
        "_assembled_opcode",
        "_backlog",
        "_close_timer",
        "_closed",
        "_early",
        "_handshake_timeout",
        "_head",
        "_listener",
        "_loop",
        "_max_buffered",
        "_max_message_bytes",
        "_on_no_request",
        "_on_request",
        "_paused",
        "_protocol",
        "_reason",
        "_slice_due",
        "_timer",
        "_transport",
        "_unread",
        "last_received",
        "pinged_at",
    )

    def __init__(
        self,
        on_request: Callable[["WebSocket", Request], None],
        *,
        max_message_bytes: int,
        compression: bool,
        handshake_timeout: float,
        max_buffered: int = 4 * 1024 * 1024,
        on_no_request: Callable[[str, str], None] | None = None,
    ) -> None:
        extensions: Sequence[ServerExtensionFactory] = [ServerPerMessageDeflateFactory()] if compression else []
        self._protocol = _ServerProtocol(extensions=extensions, max_size=max_message_bytes, logger=_SILENT)
        self._on_request, self._on_no_request = on_request, on_no_request
        self._listener: Listener | None = None
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._handshake_timeout = handshake_timeout
        self._head: bytearray | None = bytearray()
        self._early: bytearray | None = None
        self._backlog: bytearray | None = None
        self._slice_due = False
        self._assembled: bytearray | None = None
        self._max_message_bytes = max_message_bytes
        # Bytes that the library was given beyond the frames that it made of them: at 0 it stands between frames.
        self._unread = 0
        self._assembled_opcode = Opcode.TEXT
        self._max_buffered = max_buffered
        self._timer: asyncio.TimerHandle | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._paused = False
        self._reason: tuple[int, str] | None = None
        self.last_received = self._loop.time()
        self.pinged_at = 0.0

    # ------------------------------------------------------------ the handshake

    @property
    def remote_address(self) -> str:
        peer = None if self._transport is None else self._transport.get_extra_info("peername")
        return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "unknown"

    @property
    def security(self) -> str | None:
        """How the connection is secured: `tls`, `mutual_tls` where the charger showed a certificate, None for not."""
        if self._transport is None or self._transport.get_extra_info("ssl_object") is None:
            return None
        return "mutual_tls" if self.client_certificate else "tls"

    @property
    def client_certificate(self) -> dict[str, Any] | None:
        """The charger's verified certificate, as `ssl.SSLSocket.getpeercert` tells it; None or empty for none."""
        return None if self._transport is None else self._transport.get_extra_info("peercert")

    @property
    def is_open(self) -> bool:
        """Whether what is sent now goes out: false from the first close frame on, of either side."""
        return self._protocol.state is OPEN and not self._closed

    @property
    def is_reading(self) -> bool:
        """False while back-pressure leaves what the charger sends in its own socket."""
        return not self._paused

    @property
    def closed(self) -> bool:
        """Whether the socket is gone."""
        return self._closed

    @staticmethod
    def is_handshake(request: Request) -> bool:
        """Whether the request asks for a WebSocket at all."""
        return "websocket" in ", ".join(request.headers.get_all("Upgrade")).lower()

    def accept(self, request: Request, subprotocol: str | None, listener: Listener) -> str | None:
        """Finish the handshake; None if the WebSocket is open now, else why the request was no WebSocket handshake.

        The listener may be called before this returns, with what the charger sent early.
        """
        if self._closed or self._transport is None or self._transport.is_closing():
            return "the charger hung up"
        mend_headers(request)
        self._protocol.chosen = cast(Subprotocol | None, subprotocol)
        response = self._protocol.accept(request)
        self._respond(response)
        if self._protocol.state is not OPEN:
            self._begin_close_timer()
            told = bytes(response.body).decode(errors="replace").strip()
            return told.splitlines()[0] if told else f"HTTP {response.status_code}"
        self._listener = listener
        early, self._early = self._early, None
        self._resume()
        if early:
            self._receive(bytes(early))
        return None

    def reject(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        """Answer the handshake with an HTTP error and hang up; does nothing where the charger has hung up already."""
        if self._closed or self._protocol.eof_sent:
            return
        response = self._protocol.reject(status, reason + "\n")
        for name, value in (headers or {}).items():
            response.headers[name] = value
        self._respond(response)
        self._begin_close_timer()

    def _respond(self, response: Response) -> None:
        self._protocol.send_response(response)
        self._flush()

    # ------------------------------------------------------------ sending

    def send(self, text: str | bytes) -> None:
        """Send one text message; does nothing on a WebSocket that is not open any more."""
        if self._protocol.state is not OPEN:
            return
        data = text.encode() if isinstance(text, str) else text
        frame = None if self._protocol.extensions else frame_of(data)
        if frame is None or self._transport is None or self._transport.is_closing():
            self._protocol.send_text(data)
            self._flush()
        else:
            self._transport.write(frame)

    def ping(self) -> None:
        if self._protocol.state is OPEN:
            self.pinged_at = self._loop.time()
            self._protocol.send_ping(b"")
            self._flush()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; the socket is cut where the charger does not answer it."""
        if self._protocol.state is OPEN:
            self._reason = (code, reason)
            self._protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
            self._flush()
            self._resume()
        self._begin_close_timer()

    def abort(self) -> None:
        """Cut the socket at once."""
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            self._protocol.data_to_send()
            return
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)
            else:
                # TLS transports cannot half-close; closing flushes what was written first.
                transport.close()

    def _begin_close_timer(self) -> None:
        if self._close_timer is None and not self._closed:
            self._close_timer = self._loop.call_later(CLOSE_TIMEOUT, self.abort)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ------------------------------------------------------------ back-pressure

    def pause(self) -> None:
        """Read no more until `resume`: what the charger sends waits in its own socket."""
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        self._resume()

    def _resume(self) -> None:
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._go_on()

    def _go_on(self) -> None:
        """Take what waits here first, then read again."""
        if self._paused or self._transport is None or self._transport.is_closing():
            return
        if self._backlog is None:
            self._transport.resume_reading()
        elif not self._slice_due:
            self._slice_due = True
            self._loop.call_soon(self._receive_slice)

    def pause_writing(self) -> None:
        """The charger does not read what it is sent: it is cut off, so that it costs no more memory."""
        _log.warning("charger does not read", remote=self.remote_address, waiting_bytes=self._max_buffered)
        self.abort()

    # ------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self._max_buffered)
        self._timer = self._loop.call_later(self._handshake_timeout, self._give_up)

    def _give_up(self) -> None:
        self._tell_no_request("too slow")
        self.abort()

    def _tell_no_request(self, problem: str) -> None:
        _log.info("no handshake", remote=self.remote_address, reason=problem)
        if self._on_no_request is not None:
            self._on_no_request(self.remote_address, problem)

    def data_received(self, data: bytes) -> None:
        self.last_received = self._loop.time()
        if self._head is not None:
            self._receive_head(data)
        elif self._early is not None:
            self._early += data
            if len(self._early) > MAX_EARLY:
                self.pause()
        else:
            self._receive(data)

    def _receive_head(self, data: bytes) -> None:
        """Gather the handshake request. What follows it waits: the answer takes a question to Redis."""
        head = self._head = self._head if self._head is not None else bytearray()
        begin = max(0, len(head) - 3)
        head += data
        end = head.find(b"\r\n\r\n", begin) + 4
        length = end if end >= 4 else len(head)
        problem = why_no_request(head) or ("the request is too long" if length > MAX_HEAD else None)
        if problem is None and end >= 4:
            self._cancel_timer()
            self._head, self._early = None, head[end:]
            if len(self._early) > MAX_EARLY:
                self.pause()
            self._feed(mended_request_line(bytes(head[:end])))
            problem = None if self._protocol.handshake_exc is None else str(self._protocol.handshake_exc)
        if problem is not None:
            self._tell_no_request(problem)
            self._head, self._early = None, bytearray()
            if self._transport is not None:
                self._transport.close()

    def _receive(self, data: bytes) -> None:
        """Take what arrived: at once if it is little, else in slices, between which others have their turn."""
        if self._backlog is not None:
            self._backlog += data
        elif self._paused or len(data) > SLICE:
            self._backlog = bytearray(data)
            if self._transport is not None and not self._transport.is_closing():
                self._transport.pause_reading()
            self._go_on()
        else:
            self._feed(data)

    def _receive_slice(self) -> None:
        self._slice_due = False
        backlog = self._backlog
        if backlog is None or self._paused:
            return
        data = bytes(backlog[:SLICE])
        del backlog[:SLICE]
        if not backlog:
            self._backlog = None
        self._feed(data)
        self._go_on()

    def _feed(self, data: bytes) -> None:
        protocol = self._protocol
        if self._unread == 0 and self._assembled is None and protocol.state is OPEN and not protocol.extensions:
            payload = payload_of(data, self._max_message_bytes)
            if payload is not None:
                self._deliver(Opcode.TEXT, payload)
                return
        protocol.receive_data(data)
        self._flush()
        self._unread += len(data)
        for event in protocol.events_received():
            self._unread = self._unread - frame_size(event) if isinstance(event, Frame) else 0
            self._dispatch(event)
        if protocol.close_expected():
            self._begin_close_timer()

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._backlog = None
        self._cancel_timer()
        if self._close_timer is not None:
            self._close_timer.cancel()
            self._close_timer = None
        self._protocol.receive_eof()
        self._protocol.data_to_send()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.socket_closed(*self._how_it_closed())

    @property
    def was_sent_too_much(self) -> bool:
        """Whether the gateway closed it because a message was longer than allowed (RFC 6455, section 7.4.1)."""
        sent = self._protocol.close_sent
        return self._protocol.close_rcvd is None and sent is not None and sent.code == CloseCode.MESSAGE_TOO_BIG

    def _how_it_closed(self) -> tuple[int, str]:
        if self._reason is not None:
            return self._reason
        sent, received = self._protocol.close_sent, self._protocol.close_rcvd
        if received is not None:
            return int(received.code), received.reason or "closed by the charger"
        if sent is not None:
            return int(sent.code), sent.reason
        return 1006, "connection lost"

    # ------------------------------------------------------------ frames

    def _dispatch(self, event: Event) -> None:
        if isinstance(event, Request):
            self._on_request(self, event)
        elif isinstance(event, Response):
            raise TypeError("a server receives no response")
        elif event.opcode is Opcode.TEXT or event.opcode is Opcode.BINARY:
            if event.fin:
                self._deliver(event.opcode, event.data)
            else:
                self._assembled, self._assembled_opcode = bytearray(event.data), event.opcode
        elif event.opcode is Opcode.CONT and self._assembled is not None:
            self._assembled += event.data
            if event.fin:
                data, self._assembled = self._assembled, None
                self._deliver(self._assembled_opcode, data)

    def _deliver(self, opcode: Opcode, data: bytes | bytearray | memoryview) -> None:
        # What stands before the charger's own close frame counts; what comes after ours does not.
        if self._listener is None or self._reason is not None:
            return
        try:
            text = str(data, "utf-8")
        except UnicodeDecodeError:
            # RFC 6455 section 8.1 for text; OCPP-J knows text only, but a binary frame that holds text is read.
            self.close(*((1007, "text is not UTF-8") if opcode is Opcode.TEXT else (1003, "OCPP-J is text")))
            return
        self._listener.text_received(text)

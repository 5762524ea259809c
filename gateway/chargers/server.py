"""Where chargers connect: listens, and owns every connection of this node."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from websockets.http11 import Request

from gateway.chargers.absent import do_later_for_absent
from gateway.chargers.admission_rate import AdmissionRate, TokenBucket
from gateway.chargers.connection import Connection
from gateway.chargers.door import STOPPING, Door, soon
from gateway.chargers.drain import SERVICE_RESTART, send_away
from gateway.chargers.later_work import KINDS
from gateway.chargers.raw_stream import TappedSocket
from gateway.chargers.surroundings import Surroundings
from gateway.chargers.tls import BACKLOG, TlsListener
from gateway.chargers.websocket import WebSocket
from gateway.core.errors import ConfigurationError
from gateway.core.identity import MAX_IDENTITY_LENGTH, ChargerId
from gateway.core.refusals import Cause

_log = structlog.get_logger(__name__)

UPKEEP_INTERVAL = 0.5
TLS_FAILED = 0
"""The status that a failed TLS handshake is counted under: it never came to HTTP."""

TLS_PER_ADMISSION = 4
"""TLS handshakes begun for each charger that may be let in. Those beyond wait in the system's queue: a refusal costs as
much as an admission here, and more at once would only make all of them too slow."""

DRAIN_SECONDS = 10.0


class ChargerServer:
    """The OCPP-J server of a node."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._connections: set[Connection] = set()
        self._tasks: asyncio.TaskGroup | None = None
        self._door = Door(around, spawn=self._spawn, superseded=self.superseded)
        self._admission: AdmissionRate | None = None
        self.port = around.config.port
        """The port that it listens on; the real one once `run` has started where 0 was configured."""

    def connection_count(self) -> int:
        return len(self._connections)

    async def run(
        self, started: Callable[[], None], stopping: asyncio.Event, *, drain_seconds: float = DRAIN_SECONDS
    ) -> None:
        """Serve until `stopping` is set, then close every charger and wait for its farewell.

        Chargers are sent away at [chargers] drain_rate, or faster, so that this may be over in `drain_seconds`.
        Raises ConfigurationError where it cannot listen. Cancelling ends everything at once.
        """
        config = self._around.config
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            now = asyncio.get_running_loop().time()
            self._admission = AdmissionRate(config.admission_rate, config.admission_burst, now=now)
            try:
                server = await self._listening(tasks)
            except OSError as error:
                raise ConfigurationError(
                    f"chargers cannot connect: {config.host}:{config.port}: {error.strerror}; "
                    "set [chargers] host and port to a free one"
                ) from error
            upkeep = tasks.create_task(self._upkeep(self._admission), name="chargers: upkeep")
            started()
            try:
                await stopping.wait()
            finally:
                server.close()
            self._door.is_closed = True
            await send_away(self._connections, rate=config.drain_rate, seconds=drain_seconds, spawn=self._spawn)
            if isinstance(server, TlsListener):
                await server.wait_closed()
            upkeep.cancel()

    async def _listening(self, tasks: asyncio.TaskGroup) -> asyncio.Server | TlsListener:
        """Raises OSError, and ConfigurationError for a certificate."""
        config = self._around.config
        if config.tls_certificate:
            listener = self._tls_listener(tasks)
            self.port = await listener.listen(config.host, config.port, reuse_port=config.reuse_port)
            return listener
        server = await asyncio.get_running_loop().create_server(
            self._new_socket, config.host, config.port, backlog=BACKLOG, reuse_port=config.reuse_port or None
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    def superseded(self, charger: ChargerId, epoch: int) -> None:
        """A newer connection owns the charger: close the one here, if its epoch is older."""
        connection = self._around.router.local(charger)
        if connection is not None and connection.epoch < epoch:
            connection.close(1000, "superseded by a newer connection")

    def forgotten(self) -> None:
        """Redis lost its data: every connection stores what it knows, and so claims its charger anew."""
        for connection in self._connections:
            connection.claim_anew()

    async def later(self, kind: str, charger: ChargerId, payload: bytes) -> None:
        """Do later work for a charger: on its connection here, or, while nobody owns it, in its place.

        Raises OwnershipLost where another node holds it: that one will do it, when the work comes back.
        """
        if kind not in KINDS:
            _log.error("unknown later work", kind=kind, charger=str(charger))
            return
        connection, work = self._around.router.local(charger), (kind, payload.decode())
        if isinstance(connection, Connection):
            await connection.do_later(work)
        else:
            await do_later_for_absent(charger, work, self._around)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._tasks is None:
            raise RuntimeError("a connection has work before the server runs")
        self._tasks.create_task(work, name="chargers: beside a connection")

    async def _upkeep(self, admission: AdmissionRate) -> None:
        while True:
            await asyncio.sleep(UPKEEP_INTERVAL)
            now = asyncio.get_running_loop().time()
            admission.tell(now)
            self._around.observer.depth("admission", admission.line)
            for connection in list(self._connections):
                try:
                    connection.upkeep(now)
                except Exception:
                    # Our own bug, on one charger: every other goes on.
                    _log.exception("upkeep failed", charger=str(connection.charger))

    # ------------------------------------------------------------ admission

    def _tls_listener(self, tasks: asyncio.TaskGroup) -> TlsListener:
        config = self._around.config
        rate = TLS_PER_ADMISSION * config.admission_rate
        return TlsListener(
            config,
            bucket=TokenBucket(rate, rate, asyncio.get_running_loop().time()) if rate else None,
            new_protocol=self._new_socket,
            spawn=tasks.create_task,
            failed=self._tls_failed,
        )

    def _tls_failed(self, remote: str, reason: str) -> None:
        self._around.observer.handshake_refused(TLS_FAILED)
        self._around.refusals.note("tls_failed", reason, remote=remote, now=self._around.clock.now())

    def _no_request(self, remote: str, reason: str) -> None:
        cause: Cause = "too_slow" if reason == "too slow" else "not_http"
        if reason.startswith("TLS"):
            cause = "plain_port"
        self._around.refusals.note(cause, reason, remote=remote, now=self._around.clock.now())

    def _new_socket(self) -> WebSocket:
        config = self._around.config
        kind = TappedSocket if config.raw_messages else WebSocket
        return kind(
            self._on_request,
            max_message_bytes=config.max_message_bytes,
            compression=config.compression,
            handshake_timeout=config.handshake_timeout,
            on_no_request=self._no_request,
        )

    def _on_request(self, socket: WebSocket, request: Request) -> None:
        if self._tasks is None or self._admission is None or self._door.is_closed:
            self._door.turn_away(socket, STOPPING, soon())
            return
        # Whoever it is: the end of its path tells it from others, and costs nothing to find.
        name = request.path[-MAX_IDENTITY_LENGTH:]
        seconds = self._admission.admit(name, asyncio.get_running_loop().time())
        if seconds is not None:
            self._around.observer.admission_put_off()
            self._door.turn_away(socket, "too many chargers connect at once; it is not your turn yet", seconds)
            return
        self._tasks.create_task(self._serve(socket, request), name=f"charger at {socket.remote_address}")

    async def _serve(self, socket: WebSocket, request: Request) -> None:
        """Admit a charger and run its connection to the end."""
        try:
            connection = await self._door.connected(socket, request)
        except Exception:
            # Our own bug, in one refusal: every charger goes on.
            _log.exception("handshake failed", remote=socket.remote_address)
            socket.abort()
            return
        # The request is needed no more, and this task lives as long as the connection does.
        del request
        if connection is None:
            return
        self._connections.add(connection)
        if self._door.is_closed:
            connection.close(SERVICE_RESTART, STOPPING)
        try:
            await connection.run()
        except Exception:
            # Our own bug, on one charger: that one is cut off, every other goes on.
            _log.exception("connection failed", charger=str(connection.charger))
            socket.abort()
        finally:
            self._connections.discard(connection)

"""Where chargers connect: listens, admits, and owns every connection of this node."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from websockets.http11 import Request

from gateway.chargers.absent import do_later_for_absent
from gateway.chargers.connection import Connection
from gateway.chargers.giving_up import give_up
from gateway.chargers.handshake import (
    charger_id,
    chosen_subprotocol,
    credentials,
    offered_subprotocols,
    password_spellings,
)
from gateway.chargers.later_work import KINDS
from gateway.chargers.surroundings import Surroundings
from gateway.chargers.tls import BACKLOG, TlsListener, tls_context
from gateway.chargers.websocket import WebSocket
from gateway.core.errors import ConfigurationError, HandshakeRefused, LogUnavailable
from gateway.core.identity import ChargerId
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.quirks.catalog import Make

_log = structlog.get_logger(__name__)

UPKEEP_INTERVAL = 0.5
TLS_FAILED = 0
"""The status that a failed TLS handshake is counted under: it never came to HTTP."""

RETRY_AFTER = 5
"""Seconds that a refused charger is told to wait."""


class ChargerServer:
    """The OCPP-J server of a node."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._connections: set[Connection] = set()
        self._tasks: asyncio.TaskGroup | None = None
        self._draining = False
        self.port = around.config.port
        """The port that it listens on; the real one once `run` has started where 0 was configured."""

    def connection_count(self) -> int:
        return len(self._connections)

    async def run(self, started: Callable[[], None], stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set, then close every charger and wait for its farewell.

        Raises ConfigurationError where it cannot listen. Cancelling ends everything at once.
        """
        config = self._around.config
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            context = tls_context(config)
            server: asyncio.Server | TlsListener
            try:
                if context is None:
                    server = await loop.create_server(self._new_socket, config.host, config.port, backlog=BACKLOG)
                    self.port = server.sockets[0].getsockname()[1]
                else:
                    server = self._tls_listener(context, tasks)
                    self.port = await server.listen(config.host, config.port)
            except OSError as error:
                raise ConfigurationError(
                    f"chargers cannot connect: {config.host}:{config.port}: {error.strerror}; "
                    "set [chargers] host and port to a free one"
                ) from error
            upkeep = tasks.create_task(self._upkeep(), name="chargers: upkeep")
            started()
            try:
                await stopping.wait()
            finally:
                server.close()
                upkeep.cancel()
            self._drain()

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

    def _drain(self) -> None:
        self._draining = True
        for connection in list(self._connections):
            connection.close(1012, "the gateway restarts")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._tasks is None:
            raise RuntimeError("a connection has work before the server runs")
        self._tasks.create_task(work, name="chargers: beside a connection")

    async def _upkeep(self) -> None:
        while True:
            await asyncio.sleep(UPKEEP_INTERVAL)
            now = asyncio.get_running_loop().time()
            for connection in list(self._connections):
                try:
                    connection.upkeep(now)
                except Exception:
                    # Our own bug, on one charger: every other goes on.
                    _log.exception("upkeep failed", charger=str(connection.charger))

    # ------------------------------------------------------------ admission

    def _tls_listener(self, context: ssl.SSLContext, tasks: asyncio.TaskGroup) -> TlsListener:
        return TlsListener(
            context,
            timeout=self._around.config.handshake_timeout,
            new_protocol=self._new_socket,
            spawn=tasks.create_task,
            failed=lambda: self._around.observer.handshake_refused(TLS_FAILED),
        )

    def _new_socket(self) -> WebSocket:
        config = self._around.config
        return WebSocket(
            self._on_request,
            max_message_bytes=config.max_message_bytes,
            compression=config.compression,
            handshake_timeout=config.handshake_timeout,
        )

    def _on_request(self, socket: WebSocket, request: Request) -> None:
        if self._tasks is None or self._draining:
            socket.reject(503, "the gateway restarts", {"Retry-After": str(RETRY_AFTER)})
            return
        self._tasks.create_task(self._serve(socket, request), name=f"charger at {socket.remote_address}")

    async def _serve(self, socket: WebSocket, request: Request) -> None:
        """Admit a charger and run its connection to the end."""
        connection = await self._connected(socket, request)
        # The request is needed no more, and this task lives as long as the connection does.
        del request
        if connection is None:
            return
        self._connections.add(connection)
        if self._draining:
            connection.close(1012, "the gateway restarts")
        try:
            await connection.run()
        except Exception:
            # Our own bug, on one charger: that one is cut off, every other goes on.
            _log.exception("connection failed", charger=str(connection.charger))
            socket.abort()
        finally:
            self._connections.discard(connection)

    async def _connected(self, socket: WebSocket, request: Request) -> Connection | None:
        """The charger's connection; None where it was turned away or hung up."""
        try:
            return await self._admitted(socket, request)
        except HandshakeRefused as refusal:
            self._refuse(socket, request, refusal)
        except (LogUnavailable, TimeoutError) as error:
            away = HandshakeRefused(503, f"try again later: {error or 'too slow'}", retry_after=RETRY_AFTER)
            self._refuse(socket, request, away)
        except Exception:
            # Our own bug, in one handshake: every other goes on.
            _log.exception("handshake failed", path=_for_log(request), remote=socket.remote_address)
            socket.abort()
        return None

    async def _admitted(self, socket: WebSocket, request: Request) -> Connection | None:
        charger = charger_id(request.path)
        if not socket.is_handshake(request):
            raise HandshakeRefused(426, "this address speaks OCPP over WebSockets; connect with ws:// or wss://")
        async with asyncio.timeout(self._around.config.handshake_timeout):
            subprotocol, header = await self._checked(charger, request)
        if subprotocol is None:
            self._close_without_protocol(socket, request, charger)
            return None
        if socket.closed:
            # A claim would take the charger from the connection that it may have opened since.
            _log.info("handshake failed", charger=str(charger), reason="the charger hung up")
            return None
        claim = await self._around.ownership.claim(charger)
        try:
            connection = Connection(charger, PROFILES[subprotocol], socket, claim, self._around, spawn=self._spawn)
            problem = socket.accept(request, header, connection)
        except Exception:
            await give_up(self._around.ownership, charger, claim.epoch)
            raise
        if problem is None:
            loser = self._around.router.attach(connection, previous=claim.previous_node)
            if loser is not None:
                loser.close(1000, "superseded by a newer connection")
            return connection
        _log.warning("handshake failed", charger=str(charger), reason=problem, remote=socket.remote_address)
        # The connection that the charger was online by, if it was, has lost it by the claim.
        self.superseded(charger, claim.epoch)
        if claim.fields.get("availability") == b"online":
            await connection.abandon(problem)
        else:
            await give_up(self._around.ownership, charger, claim.epoch)
        return None

    async def _checked(self, charger: ChargerId, request: Request) -> tuple[str | None, str | None]:
        """The subprotocol to speak, and its spelling in the answer, of a charger that may connect."""
        settings = await self._around.ownership.settings(charger)
        if settings.has_password or self._around.config.require_password:
            await self._authenticate(charger, request)
        make = Make(charger.identity, settings.vendor, settings.model, settings.firmware_version)
        quirks = self._around.quirks.quirks(make)
        return chosen_subprotocol(
            offered_subprotocols(request.headers),
            tuple(PROFILES),
            preferred=settings.subprotocol,
            default=quirks.default_subprotocol or self._around.config.default_subprotocol,
        )

    async def _authenticate(self, charger: ChargerId, request: Request) -> None:
        """Check Basic credentials (OCPP security profiles 1 and 2). Raises HandshakeRefused with 401."""
        given = credentials(request.headers)
        if given is None:
            raise HandshakeRefused(401, "this charger needs its password (HTTP Basic authentication)")
        if given.user.decode("utf-8", "replace") != charger.identity:
            raise HandshakeRefused(401, "the user name must be the charger id")
        for password in password_spellings(given.password):
            if await self._around.ownership.check_password(charger, password):
                return
        raise HandshakeRefused(401, "wrong password")

    def _close_without_protocol(self, socket: WebSocket, request: Request, charger: ChargerId) -> None:
        """No common subprotocol: finish the handshake, then close (OCPP-J 1.6 section 3.3, 2.0.1 part 4 3.1.2)."""
        offered = offered_subprotocols(request.headers)
        known = ", ".join(PROFILES)
        if not offered:
            told = f"offers no subprotocol; set [chargers] default_subprotocol (one of {known}) to serve it"
        else:
            told = f"offers {', '.join(offered)}; this gateway speaks {known}"
        _log.warning("no common subprotocol", charger=str(charger), reason=told, remote=socket.remote_address)
        self._around.observer.handshake_refused(101)
        if socket.accept(request, None, _Nobody()) is None:
            socket.close(1002, f"no common subprotocol: speak one of {known}")

    def _refuse(self, socket: WebSocket, request: Request, refusal: HandshakeRefused) -> None:
        self._around.observer.handshake_refused(refusal.status)
        _log.warning("charger refused", path=_for_log(request), status=refusal.status, reason=refusal.reason,
                     remote=socket.remote_address)  # fmt: skip
        headers: dict[str, str] = {}
        if refusal.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        if refusal.status == 426:
            headers["Upgrade"] = "websocket"
        if refusal.retry_after is not None:
            headers["Retry-After"] = str(refusal.retry_after)
        socket.reject(refusal.status, refusal.reason, headers)


def _for_log(request: Request) -> str:
    """The path without its query, in which some put a password."""
    return request.path.partition("?")[0][:200]


class _Nobody:
    """Listens to a WebSocket that is about to be closed."""

    def text_received(self, text: str) -> None:
        return None

    def socket_closed(self, code: int, reason: str) -> None:
        return None

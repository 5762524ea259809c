"""From a handshake to a connection: who is let in, and what those are told who are not."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import structlog
from websockets.http11 import Request

from gateway.chargers.connection import Connection
from gateway.chargers.giving_up import give_up
from gateway.chargers.handshake import (
    charger_id,
    check_certificate,
    chosen_subprotocol,
    credentials,
    offered_subprotocols,
    password_spellings,
)
from gateway.chargers.raw_stream import RecordedConnection, is_recorded
from gateway.chargers.surroundings import Spawn, Surroundings
from gateway.chargers.websocket import WebSocket
from gateway.core.errors import HandshakeRefused, LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.refusals import Cause
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.quirks.catalog import Make

_log = structlog.get_logger(__name__)

RETRY_AFTER = 5
"""Seconds that a refused charger is told to wait, at the least; at the most it is twice as long."""

STOPPING = "the gateway restarts"
"""What is said to chargers that are sent away by a drain."""


class Door:
    """Where chargers come in. `superseded` is told of a charger whose newest connection has this epoch."""

    def __init__(self, around: Surroundings, *, spawn: Spawn, superseded: Callable[[ChargerId, int], None]) -> None:
        self._around, self._spawn, self._superseded = around, spawn, superseded
        self.is_closed = False
        """Set by a drain: nobody is let in any more."""

    def turn_away(self, socket: WebSocket, reason: str, seconds: int) -> None:
        """Refuse a charger that may come again after so many seconds; as cheaply as can be, and without a log line."""
        self._around.observer.handshake_refused(503)
        socket.reject(503, reason, {"Retry-After": str(seconds)})

    async def connected(self, socket: WebSocket, request: Request) -> Connection | None:
        """The charger's connection; None where it was turned away or hung up."""
        try:
            return await self._admitted(socket, request)
        except HandshakeRefused as refusal:
            self._refuse(socket, request, refusal)
        except (LogUnavailable, TimeoutError) as error:
            reason = f"try again later: {error or 'too slow'}"
            away = HandshakeRefused(503, reason, cause="unavailable", retry_after=soon())
            self._refuse(socket, request, away)
        except Exception:
            # Our own bug, in one handshake: every other goes on.
            _log.exception("handshake failed", path=_for_log(request), remote=socket.remote_address)
            socket.abort()
        return None

    async def _admitted(self, socket: WebSocket, request: Request) -> Connection | None:
        charger = charger_id(request.path)
        if not socket.is_handshake(request):
            told = "this address speaks OCPP over WebSockets; connect with ws:// or wss://"
            raise HandshakeRefused(426, told, cause="not_websocket")
        async with asyncio.timeout(self._around.config.handshake_timeout):
            subprotocol, header = await self._checked(charger, request, socket.client_certificate)
        if subprotocol is None:
            self._close_without_protocol(socket, request, charger)
            return None
        if self.is_closed:
            raise HandshakeRefused(503, STOPPING, retry_after=soon())
        if socket.closed:
            # A claim would take the charger from the connection that it may have opened since.
            _log.info("handshake failed", charger=str(charger), reason="the charger hung up")
            return None
        claim = await self._around.ownership.claim(charger)
        try:
            kind = RecordedConnection if is_recorded(self._around.config.raw_messages, charger) else Connection
            connection = kind(charger, PROFILES[subprotocol], socket, claim, self._around, spawn=self._spawn)
            problem = socket.accept(request, header, connection)
        except Exception:
            await give_up(self._around.ownership, charger, claim.epoch)
            raise
        if problem is None:
            loser = self._around.router.attach(connection, previous=claim.previous_node)
            if loser is not None:
                loser.close(1000, "superseded by a newer connection")
            self._around.refusals.connected(charger.identity)
            return connection
        _log.warning("handshake failed", charger=str(charger), reason=problem, remote=socket.remote_address)
        self._note("broken_handshake", problem, socket, request)
        # The connection that the charger was online by, if it was, has lost it by the claim.
        self._superseded(charger, claim.epoch)
        if claim.fields.get("availability") == b"online":
            await connection.abandon(problem)
        else:
            await give_up(self._around.ownership, charger, claim.epoch)
        return None

    async def _checked(
        self, charger: ChargerId, request: Request, certificate: dict[str, Any] | None
    ) -> tuple[str | None, str | None]:
        """The subprotocol to speak, and its spelling in the answer, of a charger that may connect."""
        config = self._around.config
        if certificate:
            check_certificate(certificate, charger, config.tls_client_organizations)
        settings = await self._around.ownership.settings(charger)
        must_show = settings.has_password or config.require_password or config.tls_client_ca is not None
        if must_show and not certificate:
            await self._authenticate(charger, request)
        make = Make(charger.identity, settings.vendor, settings.model, settings.firmware_version)
        quirks = self._around.quirks.quirks(make)
        return chosen_subprotocol(
            offered_subprotocols(request.headers),
            tuple(PROFILES),
            preferred=settings.subprotocol,
            default=quirks.default_subprotocol or config.default_subprotocol,
        )

    async def _authenticate(self, charger: ChargerId, request: Request) -> None:
        """Check Basic credentials (OCPP security profiles 1 and 2). Raises HandshakeRefused with 401."""
        given = credentials(request.headers)
        if given is None:
            raise HandshakeRefused(
                401, "this charger needs its password (HTTP Basic authentication)", cause="no_password"
            )
        if given.user.decode("utf-8", "replace") != charger.identity:
            raise HandshakeRefused(401, "the user name must be the charger id", cause="wrong_user")
        for password in password_spellings(given.password):
            if await self._around.ownership.check_password(charger, password):
                return
        raise HandshakeRefused(401, "wrong password", cause="wrong_password")

    def _close_without_protocol(self, socket: WebSocket, request: Request, charger: ChargerId) -> None:
        """No common subprotocol: finish the handshake, then close (section 3.2 of OCPP-J 1.6 and of 2.x part 4)."""
        offered = offered_subprotocols(request.headers)
        known = ", ".join(PROFILES)
        if not offered:
            told = f"offers no subprotocol; set [chargers] default_subprotocol (one of {known}) to serve it"
        else:
            told = f"offers {', '.join(offered)}; this gateway speaks {known}"
        _log.warning("no common subprotocol", charger=str(charger), reason=told, remote=socket.remote_address)
        self._note("unknown_subprotocol" if offered else "no_subprotocol", told, socket, request)
        self._around.observer.handshake_refused(101)
        if socket.accept(request, None, _Nobody()) is None:
            socket.close(1002, f"no common subprotocol: speak one of {known}")

    def _refuse(self, socket: WebSocket, request: Request, refusal: HandshakeRefused) -> None:
        self._around.observer.handshake_refused(refusal.status)
        _log.warning("charger refused", path=_for_log(request), status=refusal.status, reason=refusal.reason,
                     remote=socket.remote_address)  # fmt: skip
        if refusal.cause is not None:
            self._note(refusal.cause, refusal.reason, socket, request)
        headers: dict[str, str] = {}
        if refusal.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        if refusal.status == 426:
            headers["Upgrade"] = "websocket"
        if refusal.retry_after is not None:
            headers["Retry-After"] = str(refusal.retry_after)
        socket.reject(refusal.status, refusal.reason, headers)

    def _note(self, cause: Cause, reason: str, socket: WebSocket, request: Request) -> None:
        try:
            identity = charger_id(request.path).identity
        except HandshakeRefused:
            identity = None
        self._around.refusals.note(
            cause,
            reason,
            remote=socket.remote_address,
            now=self._around.clock.now(),
            charger_id=identity,
            path=_for_log(request),
        )


def soon() -> int:
    """Seconds after which a refused charger may come again; not the same for all."""
    return RETRY_AFTER + random.randint(0, RETRY_AFTER)


def _for_log(request: Request) -> str:
    """The path without its query, in which some put a password."""
    return request.path.partition("?")[0][:200]


class _Nobody:
    """Listens to a WebSocket that is about to be closed."""

    def text_received(self, text: str) -> None:
        return None

    def socket_closed(self, code: int, reason: str) -> None:
        return None

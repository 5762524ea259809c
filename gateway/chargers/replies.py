"""What a charger is sent for its calls: the answer that was made, or that of a call's first time, or an error."""

import asyncio
from contextlib import suppress

from gateway.chargers.interpretation import Prepared
from gateway.chargers.surroundings import Surroundings
from gateway.chargers.websocket import WebSocket
from gateway.core.identity import ChargerId
from gateway.ocpp.profile import Profile
from gateway.ocpp.session import CallReceived, SendReceived, Session


class Replies:
    """One connection's."""

    __slots__ = ("_around", "_charger", "_first", "_has_begun", "_profile", "_session", "_socket")

    def __init__(
        self, charger: ChargerId, profile: Profile, session: Session, socket: WebSocket, around: Surroundings
    ) -> None:
        self._charger, self._profile, self._session, self._socket = charger, profile, session, socket
        self._around = around
        self._has_begun = False
        self._first: asyncio.Event | None = None

    def send(self, ready: Prepared, earlier: bytes | None) -> None:
        """Answer a call, by what it was answered `earlier` where it was; a SEND (OCPP 2.1) is noted alone."""
        call, observer = ready.received.call, self._around.observer
        known = call.inbound is not None
        self._has_begun = True
        if self._first is not None:
            self._first.set()
            self._first = None
        if not isinstance(call, SendReceived):
            if known:
                text = self._session.answer(call.message_id, ready.answer if earlier is None else earlier)
            else:
                code = self._session.refusal_for(call.action)
                text = self._session.refuse(call.message_id, code, f"{call.action} is not handled")
            self._socket.send(text)
            observer.answered(self._around.clock.monotonic() - ready.received.arrived)
        violations = ready.received.notes.violations
        if violations:
            observer.violations(str(self._charger), [violation["code"] for violation in violations])
        outcome = "repeated" if earlier is not None else "violated" if violations else "ok"
        observer.message(self._profile.version, "in", call.action if known else "unknown", outcome)

    def refuse_unbooted(self, call: CallReceived) -> None:
        """OCPP 2.x part 2, B02.FR.09 and B03.FR.07: SecurityError to what must wait for the boot's acceptance."""
        if not isinstance(call, SendReceived):
            told = "the boot was not accepted: only BootNotification may be sent, and what the CSMS asked for"
            self._socket.send(self._session.refuse(call.message_id, self._profile.error_codes.security_error, told))

    async def first(self, *, seconds: float) -> None:
        """Return once a call was answered on this connection, or so many seconds have passed."""
        if self._has_begun:
            return
        # Made for the few that are waited for: every connection would keep it.
        self._first = self._first or asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._first.wait()

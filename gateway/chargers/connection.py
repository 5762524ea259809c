"""One charger's connection: a socket pumping a session, a twin keeping the picture, a log taking what happened.

Everything that changes the twin goes through one inbox and is worked off in order, one item at a time, because a
change is made on a copy and counts only once it is committed. A charger is answered after that, never before.

This is its life, its upkeep, and the wiring of its parts: `answering` is the walk of a message, `calling` that of a
command, and `inbox` keeps the order.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.chargers.answering import Answering
from gateway.chargers.calling import Calling
from gateway.chargers.commands import CallEnd, resolve
from gateway.chargers.giving_up import give_up
from gateway.chargers.inbox import Inbox, Internal
from gateway.chargers.later_work import Work
from gateway.chargers.make import KnownMake
from gateway.chargers.odd_frames import OddFrames
from gateway.chargers.recorder import Recorder
from gateway.chargers.replies import Replies
from gateway.chargers.responsiveness import Responsiveness
from gateway.chargers.sleeping import Sleeping
from gateway.chargers.surroundings import Spawn, Surroundings
from gateway.chargers.websocket import WebSocket
from gateway.core.commands import Command, CommandResult
from gateway.core.errors import OwnershipLost
from gateway.core.identity import ChargerId
from gateway.core.ports import Claim
from gateway.core.twin import Change
from gateway.ocpp.profile import Profile
from gateway.ocpp.session import (
    Anomaly,
    CallAnswered,
    CallExpired,
    CallFailed,
    CallLost,
    CallReceived,
    CallSuperseded,
    CallTimedOut,
    Session,
    SessionEvent,
    Transmit,
)

_log = structlog.get_logger(__name__)

LEAVE_POLL = 0.02
"""Seconds between two looks at whether a charger that is sent away is done."""

SPEAKS_WITHIN = 3.0
"""Seconds after which a charger that says nothing of its own is called all the same."""


class Connection:
    """A charger whose socket this node holds; implements `LocalCharger` and the socket's `Listener`."""

    def __init__(
        self,
        charger: ChargerId,
        profile: Profile,
        socket: WebSocket,
        claim: Claim,
        around: Surroundings,
        *,
        spawn: Spawn,
    ) -> None:
        self.charger = charger
        self._profile = profile
        self._socket = socket
        self._around = around
        self._session = Session(profile, around.schemas[profile.subprotocol], strict=around.config.strict)
        self._recorder = recorder = Recorder(charger, claim, around, has_socket=lambda: self._closed is None)
        self._make = KnownMake(recorder, self._session, around)
        self._inbox = Inbox(socket, around.config)
        enqueue = self._enqueue_change
        self._calling = Calling(
            profile, self._session, socket, recorder, around, make=self._make, apply=self._apply, enqueue=enqueue
        )
        self._replies = Replies(charger, profile, self._session, socket, around)
        self._odd_frames = OddFrames(profile.version, recorder, around, enqueue=enqueue)
        self._responsiveness = Responsiveness(charger)
        self._sleeping = Sleeping()
        self._answering = Answering(
            profile.version,
            socket,
            recorder,
            around,
            make=self._make,
            calling=self._calling,
            inbox=self._inbox,
            replies=self._replies,
            odd_frames=self._odd_frames,
            responsiveness=self._responsiveness,
            sleeping=self._sleeping,
            enqueue=enqueue,
            spawn=spawn,
        )
        self._spawn = spawn
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._opened_at = around.clock.monotonic()
        self._seen_at = self._opened_at
        self._closed: tuple[int, str] | None = None
        self._superseded = False

    @property
    def socket(self) -> WebSocket:
        return self._socket

    @property
    def epoch(self) -> int:
        return self._recorder.epoch

    @property
    def version(self) -> str:
        return self._profile.version

    @property
    def money_waiting_since(self) -> float | None:
        """Since when the oldest of a transaction's messages waits that is not answered yet; None if there is none."""
        return self._answering.patience.waiting_since(self._inbox.in_hand, self._inbox)

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Work until the socket is closed, then say so in the log and give the charger up."""
        around = self._around
        around.observer.connection_opened(self.version)
        _log.info("charger connected", charger=str(self.charger), version=self.version, epoch=self.epoch,
                  remote=self._socket.remote_address)  # fmt: skip
        try:
            await self._recorder.store(self._connected())
            await self._recorder.schedule()
            # What had arrived before the socket was closed counts, too.
            while self._closed is None or self._inbox.is_busy:
                await self._inbox.work_off(self._answering.handle)
                if self._recorder.owes_schedule:
                    await self._recorder.schedule()
            await self._farewell()
        except OwnershipLost:
            self._superseded = self._calling.wanted_elsewhere = True
            self._socket.close(1000, "superseded by a newer connection")
        finally:
            self._release_resources()
            self._inbox.fail(lambda: OwnershipLost(str(self.charger), forgotten=False))
            code, reason = self._closed or (1000, "superseded" if self._superseded else "gateway stopping")
            around.observer.connection_closed(self.version, "superseded" if self._superseded else str(code))
            _log.info("charger disconnected", charger=str(self.charger), code=code, reason=reason,
                      seconds=round(around.clock.monotonic() - self._opened_at, 1))  # fmt: skip

    async def abandon(self, reason: str) -> None:
        """Say farewell for a charger whose socket was gone before the handshake was over."""
        self._closed = (1006, reason)
        try:
            await self._farewell()
        except OwnershipLost as lost:
            _log.info("charger has another connection", charger=str(self.charger), reason=str(lost))

    async def _farewell(self) -> None:
        code, reason = self._closed or (1006, "")
        change = self._recorder.twin.disconnected(self._around.clock.now(), reason=f"{code} {reason}".strip())
        await self._recorder.store(change)
        await give_up(self._around.ownership, self.charger, self.epoch)

    def _release_resources(self) -> None:
        self._around.router.detach(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._apply(self._session.drain())
        self._calling.watches.lose()

    def _connected(self) -> Change:
        return self._recorder.twin.connected(
            self._around.clock.now(),
            version=self.version,
            remote_address=self._socket.remote_address,
            node=self._around.node,
            security=self._socket.security,
            quirks=self._make.name,
        )

    # ------------------------------------------------------------ the socket's Listener

    def text_received(self, text: str) -> None:
        self._apply(self._session.receive(text, self._around.clock.monotonic()))

    def socket_closed(self, code: int, reason: str) -> None:
        self._closed = (code, reason)
        if self._socket.was_sent_too_much:
            # It may have been money, which the charger sends again and again, with all that is new behind it.
            limit = self._around.config.max_message_bytes
            told = f"longer than chargers.max_message_bytes ({limit}) and not taken: raise that"
            self._odd_frames.note(Anomaly("message_too_long", told))
        self._release_resources()
        self._inbox.end()

    def close(self, code: int, reason: str) -> None:
        """Close the socket; 1000 (another connection has the charger) and 1012 send it elsewhere."""
        self._calling.wanted_elsewhere = code in (1000, 1012)
        self._socket.close(code, reason)
        # Nothing more goes out, so commands that wait are certainly not sent.
        self._apply(self._session.drain())

    async def leave(self, code: int, reason: str, *, seconds: float) -> None:
        """Close as soon as nothing is under way: what the charger said is answered, what it was asked it has answered.

        After `seconds` it is closed in any case; commands that wait unsent then are certainly not sent.
        """
        give_up_at = self._loop.time() + seconds
        # Looked at now and then, as nothing that the hot path would have to tell is worth its time there.
        while self._is_busy and self._closed is None and self._loop.time() < give_up_at:  # noqa: ASYNC110
            await asyncio.sleep(LEAVE_POLL)
        self.close(code, reason)

    @property
    def _is_busy(self) -> bool:
        return self._inbox.is_busy or self._session.is_calling

    # ------------------------------------------------------------ upkeep, called by the server every second or so

    def claim_anew(self) -> None:
        """Redis lost its data: store everything known again, which claims the charger where need be."""
        self._enqueue_change(self._recorder.twin.everything)

    async def do_later(self, work: Work) -> None:
        """Do later work that is due, in its turn; returns once that is stored.

        Raises OwnershipLost where this connection ends before.
        """
        done = self._loop.create_future()
        self._inbox.put(Internal(lambda: self._do_later(work), done))
        await done

    async def _do_later(self, work: Work) -> None:
        self._calling.watches.noticed(await self._recorder.do_later(work))

    def upkeep(self, now: float) -> None:
        """Ping, close what is silent or stuck, note now and then that the charger is there, and give it starts that
        waited."""
        config, socket = self._around.config, self._socket
        self._sleeping.kept_up(now)
        silent = now - socket.last_received
        if config.idle_timeout and silent > config.idle_timeout:
            self.close(1001, f"nothing received for {silent:.0f} s")
        elif config.ping_interval and silent > config.ping_interval and now - socket.pinged_at > config.ping_interval:
            socket.ping()
        waiting = self.money_waiting_since
        if waiting is not None and now - waiting > config.money_grace:
            what = "no decision was made" if self._answering.patience.is_deciding else "the event log cannot be reached"
            self.close(1013, f"try again later: {what}")
        work = self._calling.starting.work() if self._closed is None else None
        if work is not None:
            self._spawn(work)
        if socket.last_received > self._seen_at + config.last_seen_interval and not self._inbox:
            self._seen_at = socket.last_received
            self._enqueue_change(lambda: self._recorder.twin.seen(self._around.clock.now()))

    # ------------------------------------------------------------ session events

    def _apply(self, events: list[SessionEvent]) -> None:
        for event in events:
            match event:
                case CallReceived():
                    self._answering.take_in(event)
                case Transmit():
                    self._socket.send(event.text)
                case CallAnswered() | CallFailed() | CallTimedOut() | CallExpired() | CallLost() | CallSuperseded():
                    resolve(event.handle, event)
                    self._note_responsiveness(event)
                case Anomaly():
                    self._odd_frames.note(event)
        if self._timer is not None or self._session.is_calling:
            self._arm()

    def _note_responsiveness(self, end: CallEnd) -> None:
        known, twin, clock = self._responsiveness, self._recorder.twin, self._around.clock
        if known.ended(end):
            responsive, unanswered = not known.unresponsive, known.unanswered
            self._enqueue_change(lambda: twin.responsive(clock.now(), responsive, unanswered))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._session.next_deadline()
        if deadline is not None:
            delay = max(0.0, deadline - self._around.clock.monotonic())
            self._timer = self._loop.call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._apply(self._session.poll(self._around.clock.monotonic()))

    # ------------------------------------------------------------ what else changes the twin

    def _enqueue_change(self, make: Callable[[], Change], stored: "asyncio.Future[None] | None" = None) -> None:
        self._inbox.put(Internal(lambda: self._recorder.store(make()), stored))

    def _enqueue_work(self, do: Callable[[], Awaitable[object]]) -> None:
        self._inbox.put(Internal(do))

    # ------------------------------------------------------------ the walk of a command

    async def execute(self, command: Command) -> CommandResult:
        return await self._calling.execute(command)

    async def ready(self) -> bool:
        """See LocalCharger: one that has just started up speaks before it listens."""
        await self._replies.first(seconds=SPEAKS_WITHIN)
        return self._recorder.twin.boot_status not in ("pending", "rejected")

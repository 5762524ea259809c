"""One charger's connection: a socket pumping a session, a twin keeping the picture, a log taking what happened.

Everything that changes the twin goes through one inbox and is worked off in order, one item at a time, because a
change is made on a copy and counts only once it is committed. A charger is answered after that, never before.

Most messages need nobody's decision and find nothing before them: those are committed as they arrive, and answered by
the log's receipt, without a turn of the connection's task.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from gateway.chargers.calling import Calling
from gateway.chargers.certificates import send_certificate, signed_at_once
from gateway.chargers.commands import CallEnd, resolve
from gateway.chargers.costs import with_cost
from gateway.chargers.giving_up import give_up
from gateway.chargers.interpretation import UNDECIDED, Prepared, Received, decided, prepared, received
from gateway.chargers.later_work import Work
from gateway.chargers.make import KnownMake
from gateway.chargers.patience import Patience
from gateway.chargers.recorder import Recorder, is_empty, may_owe
from gateway.chargers.responsiveness import Responsiveness
from gateway.chargers.surroundings import Surroundings
from gateway.chargers.websocket import WebSocket
from gateway.core.commands import Command, CommandResult
from gateway.core.errors import OwnershipLost
from gateway.core.identity import ChargerId
from gateway.core.policies import DEADLINE_SHARE
from gateway.core.ports import Claim
from gateway.core.reports import Boot, Notice
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
    SendReceived,
    Session,
    SessionEvent,
    Transmit,
)

_log = structlog.get_logger(__name__)

VIOLATION_INTERVAL = 1.0
"""Seconds between two violation events of one connection: a charger that sends garbage must not fill the log."""

LEAVE_POLL = 0.02
"""Seconds between two looks at whether a charger that is sent away is done."""

SPEAKS_WITHIN = 3.0
"""Seconds after which a charger that says nothing of its own is called all the same."""

SLEPT = 2.0
"""Seconds without upkeep from which on this node was asleep: its chargers may have gone to others meanwhile."""

MAX_ODD_TEXT = 64 * 1024
"""Characters of what is no message that its event tells."""


@dataclass(slots=True)
class _Internal:
    """Work on the twin that no message of the charger causes. `done` is set once what follows from it is stored."""

    do: Callable[[], Awaitable[object]]
    done: asyncio.Future[None] | None = None


def _size(item: Received | _Internal) -> int:
    """What an item counts in the inbox: the characters of its payload."""
    return len(item.call.raw) if isinstance(item, Received) else 0


Spawn = Callable[[Coroutine[Any, Any, None]], None]
"""Has work done beside the connection, which outlives it if need be; it must not raise."""


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
        self._spawn = spawn
        self._profile = profile
        self._socket = socket
        self._around = around
        self._session = Session(profile, around.schemas[profile.subprotocol], strict=around.config.strict)
        self._recorder = Recorder(charger, claim, around, has_socket=lambda: self._closed is None)
        self._make = KnownMake(self._recorder, self._session, around)
        self._calling = Calling(
            profile,
            self._session,
            socket,
            self._recorder,
            around,
            make=self._make,
            apply=self._apply,
            enqueue=self._enqueue_change,
        )
        self._priced = around.responder.is_decided("transaction_cost", charger)
        self._responsiveness = Responsiveness(charger)
        self._patience = Patience()
        self._inbox: deque[Received | _Internal] = deque()
        self._inbox_size = 0
        self._in_hand: Received | _Internal | None = None
        self._loop = asyncio.get_running_loop()
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._opened_at = around.clock.monotonic()
        self._seen_at = self._opened_at
        self._kept_up_at = self._loop.time()
        self._is_in_doubt = False
        self._violation_at = float("-inf")
        self._closed: tuple[int, str] | None = None
        self._superseded = False
        self._has_spoken = False
        self._speaking: asyncio.Event | None = None

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
        return self._patience.waiting_since(self._in_hand, self._inbox)

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
            while self._closed is None or self._inbox or self._in_hand is not None:
                await self._work_off()
            await self._farewell()
        except OwnershipLost:
            self._superseded = self._calling.wanted_elsewhere = True
            self._socket.close(1000, "superseded by a newer connection")
        finally:
            self._release_resources()
            self._fail_what_waits()
            code, reason = self._closed or (1000, "superseded" if self._superseded else "gateway stopping")
            around.observer.connection_closed(self.version, "superseded" if self._superseded else str(code))
            _log.info("charger disconnected", charger=str(self.charger), code=code, reason=reason,
                      seconds=round(around.clock.monotonic() - self._opened_at, 1))  # fmt: skip

    async def _work_off(self) -> None:
        """Work off the inbox, or wait for something to do; returns, too, where the socket was closed."""
        if self._in_hand is not None or not self._inbox:
            self._wake = self._loop.create_future()
            await self._wake
            self._wake = None
        while self._inbox and self._in_hand is None:
            self._in_hand = item = self._inbox.popleft()
            self._inbox_size -= _size(item)
            if not self._is_full(2):
                self._socket.resume()
            if isinstance(item, _Internal):
                await item.do()
                if item.done is not None and not item.done.done():
                    item.done.set_result(None)
            else:
                await self._handle(item)
            self._in_hand = None
        if self._recorder.owes_schedule:
            await self._recorder.schedule()

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

    def _fail_what_waits(self) -> None:
        for item in (self._in_hand, *self._inbox):
            if isinstance(item, _Internal) and item.done is not None and not item.done.done():
                item.done.set_exception(OwnershipLost(str(self.charger), forgotten=False))

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
            self._note_anomaly(Anomaly("message_too_long", told))
        self._release_resources()
        self._wake_up()

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
        return self._in_hand is not None or bool(self._inbox) or self._session.is_calling

    # ------------------------------------------------------------ upkeep, called by the server every second or so

    def claim_anew(self) -> None:
        """Redis lost its data: store everything known again, which claims the charger where need be."""
        self._enqueue_change(self._recorder.twin.everything)

    async def do_later(self, work: Work) -> None:
        """Do later work that is due, in its turn; returns once that is stored.

        Raises OwnershipLost where this connection ends before.
        """
        done = self._loop.create_future()
        self._enqueue(_Internal(lambda: self._do_later(work), done))
        await done

    async def _do_later(self, work: Work) -> None:
        self._calling.watches.noticed(await self._recorder.do_later(work))

    def upkeep(self, now: float) -> None:
        """Ping, close what is silent or stuck, and note now and then that the charger is there."""
        config, socket = self._around.config, self._socket
        self._is_in_doubt = self._is_in_doubt or now - self._kept_up_at > SLEPT
        self._kept_up_at = now
        silent = now - socket.last_received
        if config.idle_timeout and silent > config.idle_timeout:
            self.close(1001, f"nothing received for {silent:.0f} s")
        elif config.ping_interval and silent > config.ping_interval and now - socket.pinged_at > config.ping_interval:
            socket.ping()
        waiting = self.money_waiting_since
        if waiting is not None and now - waiting > config.money_grace:
            what = "no decision was made" if self._patience.is_deciding else "the event log cannot be reached"
            self.close(1013, f"try again later: {what}")
        if socket.last_received > self._seen_at + config.last_seen_interval and not self._inbox:
            self._seen_at = socket.last_received
            self._enqueue_change(lambda: self._recorder.twin.seen(self._around.clock.now()))

    # ------------------------------------------------------------ session events

    def _apply(self, events: list[SessionEvent]) -> None:
        for event in events:
            match event:
                case CallReceived():
                    self._take_in(event)
                case Transmit():
                    self._socket.send(event.text)
                case CallAnswered() | CallFailed() | CallTimedOut() | CallExpired() | CallLost() | CallSuperseded():
                    resolve(event.handle, event)
                    self._note_responsiveness(event)
                case Anomaly():
                    self._note_anomaly(event)
        if self._timer is not None or self._session.is_calling:
            self._arm()

    def _note_responsiveness(self, end: CallEnd) -> None:
        known, twin, clock = self._responsiveness, self._recorder.twin, self._around.clock
        if known.ended(end):
            responsive, unanswered = not known.unresponsive, known.unanswered
            self._enqueue_change(lambda: twin.responsive(clock.now(), responsive, unanswered))

    def _note_anomaly(self, anomaly: Anomaly) -> None:
        """Unknown is forwarded, never dropped: what is no message becomes an event, at a bounded rate."""
        clock = self._around.clock
        self._around.observer.message(self.version, "in", anomaly.kind, "anomaly")
        self._around.observer.violations(str(self.charger), [anomaly.kind])
        if clock.monotonic() - self._violation_at < VIOLATION_INTERVAL:
            return
        self._violation_at = clock.monotonic()
        _log.warning("odd frame", charger=str(self.charger), kind=anomaly.kind, detail=anomaly.detail[:300])
        told = {"code": anomaly.kind, "message": anomaly.detail, "raw": anomaly.raw[:MAX_ODD_TEXT]}
        notice, now, recorder = Notice("ocpp.charger.violation", told), clock.now(), self._recorder
        self._enqueue_change(
            lambda: recorder.twin.handle(notice, now=now, redis_now=now + recorder.ahead, violations=[anomaly.kind])
        )

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

    # ------------------------------------------------------------ the inbox

    def _take_in(self, call: CallReceived) -> None:
        money = call.inbound is not None and call.inbound.money
        if not self._calling.admission.may_send(call.action, self._recorder.twin.boot_status):
            if not money:
                self._refuse_unbooted(call)
                return
            # Money is taken from whoever says so; a human will see that it came from a charger that is not accepted.
            call.violations.append(
                {"code": "not_accepted", "path": "", "message": "the charger's boot was not accepted"}
            )
        self._responsiveness.heard()
        item = received(self.charger, call, self._around.clock.monotonic(), self._make.quirks, priced=self._priced)
        waits_for_work = self._wake is not None and not self._wake.done()
        if waits_for_work and self._in_hand is None and not self._inbox and not item.is_question:
            try:
                self._commit_at_once(item)
            except Exception:
                # Our own bug, on one charger: that one is cut off, every other goes on.
                _log.exception("connection failed", charger=str(self.charger))
                self._in_hand = None
                self._socket.abort()
        else:
            self._enqueue(item)

    def _refuse_unbooted(self, call: CallReceived) -> None:
        """OCPP 2.x part 2, B02.FR.09 and B03.FR.07: SecurityError to what must wait for the boot's acceptance."""
        told = "the boot was not accepted: only BootNotification may be sent, and what the CSMS asked for"
        if not isinstance(call, SendReceived):
            self._socket.send(self._session.refuse(call.message_id, self._profile.error_codes.security_error, told))
        self._note_anomaly(Anomaly("not_accepted", call.action, call.raw))

    def _enqueue_change(self, make: Callable[[], Change]) -> None:
        self._enqueue_work(lambda: self._recorder.store(make()))

    def _enqueue_work(self, do: Callable[[], Awaitable[object]]) -> None:
        self._enqueue(_Internal(do))

    def _enqueue(self, item: Received | _Internal) -> None:
        self._inbox.append(item)
        self._inbox_size += _size(item)
        if self._is_full():
            self._socket.pause()
        if self._in_hand is None:
            self._wake_up()

    def _is_full(self, part: int = 1) -> bool:
        """Whether the inbox, or this part of it (2: the half), is full."""
        config = self._around.config
        return (
            len(self._inbox) >= max(1, config.max_inbound_queue // part)
            or self._inbox_size >= config.max_inbound_bytes // part
        )

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    # ------------------------------------------------------------ the walk of a message

    def _prepared(self, item: Received) -> Prepared:
        recorder = self._recorder
        return prepared(
            item,
            UNDECIDED,
            twin=recorder.twin,
            version=self.version,
            now=self._around.clock.now(),
            ahead=recorder.ahead,
        )

    def _commit_at_once(self, item: Received) -> None:
        ready = self._certain(self._prepared(item))
        if is_empty(ready.change):
            if ready.change.recall:
                self._enqueue(item)
            else:
                self._answer(ready, None)
            return
        self._in_hand = item
        commit = self._recorder.commit_of(
            ready.change, origin=ready.origin, answer=ready.answer, recorded=ready.recorded
        )
        self._around.log.submit(commit, _Receipt(self, ready))

    def _certain(self, ready: Prepared) -> Prepared:
        """What is answered without a commit (a Heartbeat) gets one where this node slept: it may have moved."""
        if not is_empty(ready.change) or ready.change.recall:
            return ready
        if not self._is_in_doubt and self._loop.time() - self._kept_up_at <= SLEPT:
            return ready
        return replace(ready, change=self._recorder.twin.seen(self._around.clock.now()))

    def receipt(self, ready: Prepared, earlier: bytes | None) -> None:
        """The log has a call that was committed at once (`earlier`: the answer of its first time)."""
        if earlier is None:
            self._recorder.adopt(ready.change)
            self._calling.watches.noticed(ready.change.events)
        self._in_hand, self._is_in_doubt = None, False
        self._answer(ready, earlier)
        if self._inbox or self._closed is not None or (may_owe(ready.change) and self._recorder.owes_schedule):
            self._wake_up()

    def no_receipt(self, ready: Prepared) -> None:
        """The charger is not owned under this epoch any more: the connection's task tries again, and finds out why."""
        self._in_hand = None
        self._inbox.appendleft(ready.received)
        self._inbox_size += _size(ready.received)
        self._wake_up()

    async def _handle(self, item: Received) -> None:
        recorder, began = self._recorder, self._around.clock.monotonic()
        if item.is_question:
            self._patience.decision_begins(began)
        decisions = await decided(
            self.charger,
            item,
            self._around.responder,
            boot_status=recorder.twin.boot_status,
            asked_for=self._calling.admission.was_asked_for(item.call.action),
        )
        now = self._around.clock.now()
        ready = prepared(item, decisions, twin=recorder.twin, version=self.version, now=now, ahead=recorder.ahead)
        if ready.change.recall:
            found = await recorder.recall(ready.change.recall)
            ready = prepared(
                item,
                decisions,
                twin=recorder.twin,
                version=self.version,
                now=now,
                ahead=recorder.ahead,
                recalled=found,
            )
        if item.cost_question is not None:
            left = began + self._around.config.money_grace * DEADLINE_SHARE - self._around.clock.monotonic()
            ready = await with_cost(ready, self.charger, self._around.responder, seconds=left)
        if item.is_question:
            self._patience.decision_ends(self._around.clock.monotonic())
        ready = self._certain(ready)
        earlier = await recorder.store(ready.change, origin=ready.origin, answer=ready.answer, recorded=now)
        if earlier is None:
            self._calling.watches.noticed(ready.change.events)
        if isinstance(item.report, Boot) and self._make.choose():
            self._enqueue_change(lambda: recorder.twin.known_as(self._around.clock.now(), self._make.name))
        self._answer(ready, earlier)
        if isinstance(item.report, Boot):
            self._around.router.deliver(self.charger)
        self._patience.answered()
        certificate = signed_at_once(decisions)
        if certificate is not None:
            self._spawn(send_certificate(certificate, self.charger, self.epoch, item, self._around))

    def _answer(self, ready: Prepared, earlier: bytes | None) -> None:
        call, observer = ready.received.call, self._around.observer
        known = call.inbound is not None
        self._has_spoken = True
        if self._speaking is not None:
            self._speaking.set()
            self._speaking = None
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
            observer.violations(str(self.charger), [violation["code"] for violation in violations])
        outcome = "repeated" if earlier is not None else "violated" if violations else "ok"
        observer.message(self.version, "in", call.action if known else "unknown", outcome)

    # ------------------------------------------------------------ the walk of a command

    async def execute(self, command: Command) -> CommandResult:
        return await self._calling.execute(command)

    async def ready(self) -> bool:
        """See LocalCharger: one that has just started up speaks before it listens."""
        if not self._has_spoken:
            # Made for the few that are waited for: every connection would keep it.
            self._speaking = self._speaking or asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(SPEAKS_WITHIN):
                    await self._speaking.wait()
        return self._recorder.twin.boot_status not in ("pending", "rejected")


class _Receipt:
    """What the log gives its receipt to: hands it on to the connection, whose faults are not the log's."""

    __slots__ = ("_connection", "_given", "_ready")

    def __init__(self, connection: Connection, ready: Prepared) -> None:
        self._connection, self._ready = connection, ready
        self._given = False

    def done(self) -> bool:
        return self._given

    def cancel(self) -> None:
        self._given = True

    def set_result(self, earlier: bytes | None) -> None:
        self._given = True
        try:
            self._connection.receipt(self._ready, earlier)
        except Exception:
            _log.exception("connection failed", charger=str(self._connection.charger))
            self._connection.socket.abort()

    def set_exception(self, error: Exception) -> None:
        self._given = True
        self._connection.no_receipt(self._ready)

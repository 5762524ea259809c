"""One charger's connection: a socket pumping a session, a twin keeping the picture, a log taking what happened.

Everything that changes the twin goes through one inbox and is worked off in order, one item at a time, because a
change is made on a copy and counts only once it is committed. A charger is answered after that, never before.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from secrets import randbelow

import orjson
import structlog

from gateway.chargers.commands import CallEnd, carry_out, resolve
from gateway.chargers.giving_up import give_up
from gateway.chargers.surroundings import Surroundings
from gateway.chargers.websocket import WebSocket
from gateway.core.clock import rfc3339
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import LogUnavailable, OwnershipLost
from gateway.core.events import Origin, stamp
from gateway.core.identity import ChargerId
from gateway.core.ports import Claim, Commit
from gateway.core.reports import (
    Authorization,
    Boot,
    BootDecision,
    Notice,
    Report,
    TokenDecision,
    Transaction,
    Untranslated,
    Verdict,
)
from gateway.core.responder import AuthorizeQuestion
from gateway.core.twin import Change, Twin
from gateway.ocpp.profile import Call, Notes, Profile, Station
from gateway.ocpp.session import (
    Anomaly,
    CallAnswered,
    CallExpired,
    CallFailed,
    CallLost,
    CallReceived,
    CallTimedOut,
    SendReceived,
    Session,
    SessionEvent,
    Transmit,
)

_log = structlog.get_logger(__name__)

_QUESTIONS = (Boot, Authorization, Transaction)
"""Reports that a responder is asked about."""

END_PENDING = "end_pending"
"""Kind of the later work that ends a transaction whose last messages never came."""

VIOLATION_INTERVAL = 1.0
"""Seconds between two violation events of one connection: a charger that sends garbage must not fill the log."""

MAX_ODD_TEXT = 64 * 1024
"""Characters of what is no message that its event tells."""

CLAIM_RETRY = 1.0
"""Seconds between attempts to claim a charger anew after Redis lost its data."""


@dataclass(slots=True)
class _Internal:
    """A change of the twin that no message of the charger causes. `done` is set once it is stored."""

    make: Callable[[], Change]
    done: asyncio.Future[None] | None = None


_Item = CallReceived | SendReceived | _Internal
"""What waits in the inbox, each with the (monotonic) time of its arrival."""


class Connection:
    """A charger whose socket this node holds; implements `LocalCharger` and the socket's `Listener`."""

    def __init__(
        self, charger: ChargerId, profile: Profile, socket: WebSocket, claim: Claim, around: Surroundings
    ) -> None:
        self.charger = charger
        self.epoch = claim.epoch
        self._profile = profile
        self._socket = socket
        self._around = around
        self._schemas = around.schemas[profile.subprotocol]
        self._session = Session(profile, self._schemas, strict=around.config.strict)
        self._twin = Twin.restore(charger, claim.fields, claim.transactions)
        self._sequence = 0
        self._redis_ahead = claim.redis_time - around.clock.now()
        self._inbox: deque[tuple[_Item, float]] = deque()
        self._in_hand: tuple[_Item, float] | None = None
        self._loop = asyncio.get_running_loop()
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._next_id = count(randbelow(1 << 30) + 1)
        self._opened_at = around.clock.monotonic()
        self._seen_at = self._opened_at
        self._violation_at = float("-inf")
        self._pending: set[str] = set()
        self._closed: tuple[int, str] | None = None
        self._superseded = False

    @property
    def socket(self) -> WebSocket:
        return self._socket

    @property
    def version(self) -> str:
        return self._profile.version

    @property
    def money_waiting_since(self) -> float | None:
        """When the oldest of a transaction's messages arrived that is not answered yet; None if there is none."""
        if self._in_hand is not None and _is_money(self._in_hand[0]):
            return self._in_hand[1]
        return next((arrived for item, arrived in self._inbox if _is_money(item)), None)

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Work until the socket is closed, then say so in the log and give the charger up."""
        around = self._around
        around.observer.connection_opened(self.version)
        _log.info("charger connected", charger=str(self.charger), version=self.version, epoch=self.epoch,
                  remote=self._socket.remote_address)  # fmt: skip
        try:
            await self._store(self._connected())
            await self._schedule_ends()
            # What had arrived before the socket was closed counts, too.
            while self._closed is None or self._inbox:
                await self._work_off()
            await self._farewell()
        except OwnershipLost:
            self._superseded = True
            self._socket.close(1000, "superseded by a newer connection")
        finally:
            self._release_resources()
            self._fail_what_waits()
            code, reason = self._closed or (1000, "superseded" if self._superseded else "gateway stopping")
            around.observer.connection_closed(self.version, "superseded" if self._superseded else str(code))
            _log.info("charger disconnected", charger=str(self.charger), code=code, reason=reason,
                      seconds=round(around.clock.monotonic() - self._opened_at, 1))  # fmt: skip

    async def _work_off(self) -> None:
        if not self._inbox:
            self._wake = self._loop.create_future()
            await self._wake
        while self._inbox:
            self._in_hand = item, arrived = self._inbox.popleft()
            if len(self._inbox) < self._around.config.max_inbound_queue // 2:
                self._socket.resume()
            if isinstance(item, _Internal):
                await self._store(item.make())
                if item.done is not None and not item.done.done():
                    item.done.set_result(None)
            else:
                await self._handle(item, arrived)
            self._in_hand = None

    async def abandon(self, reason: str) -> None:
        """Say farewell for a charger whose socket was gone before the handshake was over."""
        self._closed = (1006, reason)
        try:
            await self._farewell()
        except OwnershipLost as lost:
            _log.info("charger has another connection", charger=str(self.charger), reason=str(lost))

    async def _farewell(self) -> None:
        code, reason = self._closed or (1006, "")
        await self._store(self._twin.disconnected(self._around.clock.now(), reason=f"{code} {reason}".strip()))
        await give_up(self._around.ownership, self.charger, self.epoch)

    def _release_resources(self) -> None:
        self._around.router.detach(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._apply(self._session.drain())

    def _fail_what_waits(self) -> None:
        left = [*self._inbox] if self._in_hand is None else [self._in_hand, *self._inbox]
        for item, _ in left:
            if isinstance(item, _Internal) and item.done is not None and not item.done.done():
                item.done.set_exception(OwnershipLost(str(self.charger), forgotten=False))

    def _connected(self) -> Change:
        return self._twin.connected(
            self._around.clock.now(),
            version=self.version,
            remote_address=self._socket.remote_address,
            node=self._around.node,
            security="tls" if self._socket.encrypted else None,
        )

    # ------------------------------------------------------------ the socket's Listener

    def text_received(self, text: str) -> None:
        self._apply(self._session.receive(text, self._around.clock.monotonic()))

    def socket_closed(self, code: int, reason: str) -> None:
        self._closed = (code, reason)
        self._release_resources()
        self._wake_up()

    def close(self, code: int, reason: str) -> None:
        self._socket.close(code, reason)
        # Nothing more goes out, so commands that wait are certainly not sent.
        self._apply(self._session.drain())

    # ------------------------------------------------------------ upkeep, called by the server every second or so

    def claim_anew(self) -> None:
        """Redis lost its data: store everything known again, which claims the charger where need be."""
        self._enqueue(_Internal(self._twin.everything))

    async def end_pending(self, transaction_id: str) -> None:
        """The grace time of a transaction's missing messages is over: end it, if they did not come.

        Returns once that is stored. Raises OwnershipLost where this connection ends before.
        """
        done: asyncio.Future[None] = self._loop.create_future()
        self._enqueue(_Internal(lambda: self._twin.end_pending(self._around.clock.now(), transaction_id), done))
        await done

    def upkeep(self, now: float) -> None:
        """Ping, close what is silent or stuck, and note now and then that the charger is there."""
        config, socket = self._around.config, self._socket
        silent = now - socket.last_received
        if config.idle_timeout and silent > config.idle_timeout:
            self.close(1001, f"nothing received for {silent:.0f} s")
        elif config.ping_interval and silent > config.ping_interval and now - socket.pinged_at > config.ping_interval:
            socket.ping()
        waiting = self.money_waiting_since
        if waiting is not None and now - waiting > config.money_grace:
            self.close(1013, "try again later: the event log cannot be reached")
        if socket.last_received > self._seen_at + config.last_seen_interval and not self._inbox:
            self._seen_at = socket.last_received
            self._enqueue(_Internal(lambda: self._twin.seen(self._around.clock.now())))

    # ------------------------------------------------------------ session events

    def _apply(self, events: list[SessionEvent]) -> None:
        for event in events:
            match event:
                case CallReceived():
                    self._enqueue(event)
                case Transmit():
                    self._socket.send(event.text)
                case CallAnswered() | CallFailed() | CallTimedOut() | CallExpired() | CallLost():
                    resolve(event.handle, event)
                case Anomaly():
                    self._note_anomaly(event)
        if self._timer is not None or self._session.is_calling:
            self._arm()

    def _note_anomaly(self, anomaly: Anomaly) -> None:
        """Unknown is forwarded, never dropped: what is no message becomes an event, at a bounded rate."""
        clock = self._around.clock
        self._around.observer.message(self.version, "in", anomaly.kind, "anomaly")
        if clock.monotonic() - self._violation_at < VIOLATION_INTERVAL:
            return
        self._violation_at = clock.monotonic()
        _log.warning("odd frame", charger=str(self.charger), kind=anomaly.kind, detail=anomaly.detail[:300])
        notice = Notice("ocpp.charger.violation", {"code": anomaly.kind, "message": anomaly.detail})
        notice.data["raw"] = anomaly.raw[:MAX_ODD_TEXT]
        now = clock.now()
        self._enqueue(
            _Internal(lambda: self._twin.handle(notice, now=now, redis_now=now + self._redis_ahead, violations=1))
        )

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._session.next_deadline()
        if deadline is not None:
            delay = max(0.0, deadline - self._around.clock.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._apply(self._session.poll(self._around.clock.monotonic()))

    def _enqueue(self, item: _Item) -> None:
        self._inbox.append((item, self._around.clock.monotonic()))
        if len(self._inbox) >= self._around.config.max_inbound_queue:
            self._socket.pause()
        self._wake_up()

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    # ------------------------------------------------------------ the walk of a message

    async def _handle(self, call: CallReceived | SendReceived, arrived: float) -> None:
        clock = self._around.clock
        row = call.inbound
        notes = Notes(call.violations)
        report = self._translated(call, notes)
        token, boot = await self._decided(report) if isinstance(report, _QUESTIONS) else (None, None)
        now = clock.now()
        change = self._changed(report, call, notes, token, boot, now)
        answer = b""
        if row is not None and row.answered:
            verdict = Verdict(rfc3339(now), token, boot, change.transaction_id)
            answer = orjson.dumps(row.reply(verdict))
        origin = Origin(self.version, call.action, call.message_id, call.raw, notes.violations, call.is_json)
        earlier = await self._store(change, origin=origin, answer=answer, recorded=now)
        if not isinstance(call, SendReceived):
            self._answer(call, answer if earlier is None else earlier)
            self._around.observer.answered(clock.monotonic() - arrived)
        outcome = "repeated" if earlier is not None else "violated" if notes.violations else "ok"
        self._around.observer.message(self.version, "in", call.action if row is not None else "unknown", outcome)

    def _answer(self, call: CallReceived, answer: bytes) -> None:
        if call.inbound is None:
            code = self._session.refusal_for(call.action)
            self._socket.send(self._session.refuse(call.message_id, code, f"{call.action} is not handled"))
        else:
            self._socket.send(self._session.answer(call.message_id, answer))

    def _translated(self, call: CallReceived | SendReceived, notes: Notes) -> Report:
        if call.inbound is None:
            return Untranslated()
        try:
            return call.inbound.translate(call.payload, notes)
        except Exception:
            # A bug of ours must not stop the charger: what it said travels raw and is answered.
            _log.exception("translation failed", charger=str(self.charger), action=call.action)
            notes.violation("untranslatable", "", "the gateway could not translate this message")
            return Untranslated()

    async def _decided(self, report: Report) -> tuple[TokenDecision | None, BootDecision | None]:
        responder = self._around.responder
        match report:
            case Boot():
                return None, await responder.boot(self.charger, report)
            case Authorization():
                question = AuthorizeQuestion(self.charger, report.token, report.evse_id, "presented")
                return await responder.authorize(question), None
            case Transaction(token=token) if token is not None:
                question = AuthorizeQuestion(self.charger, token, report.evse_id, "start")
                return await responder.authorize(question), None
        return None, None

    def _changed(
        self,
        report: Report,
        call: CallReceived | SendReceived,
        notes: Notes,
        token: TokenDecision | None,
        boot: BootDecision | None,
        now: float,
    ) -> Change:
        payload_hash = blake2b(call.raw.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
        try:
            return self._twin.handle(
                report,
                now=now,
                redis_now=now + self._redis_ahead,
                token=token,
                boot=boot,
                payload_hash=payload_hash,
                violations=len(notes.violations),
            )
        except Exception:
            _log.exception("report not understood", charger=str(self.charger), action=call.action)
            notes.violation("untranslatable", "", "the gateway could not make sense of this message")
            return self._twin.handle(Untranslated(), now=now, redis_now=now + self._redis_ahead)

    async def _store(
        self, change: Change, *, origin: Origin | None = None, answer: bytes = b"", recorded: float | None = None
    ) -> bytes | None:
        """Commit a change and adopt it; the stored answer where the log has seen its key before.

        `recorded` is when it came about (Unix seconds), now where nothing is said. Raises OwnershipLost where a newer
        connection owns the charger.
        """
        if not (change.events or change.fields or change.transactions):
            return None
        if recorded is None:
            recorded = self._around.clock.now()
        while True:
            stamped = [
                stamp(
                    event,
                    charger=self.charger,
                    epoch=self.epoch,
                    sequence=self._sequence + place,
                    recorded=recorded,
                    origin=origin if place == 0 else None,
                )
                for place, event in enumerate(change.events)
            ]
            commit = Commit(self.charger, self.epoch, stamped, change.key, answer, change.fields, change.transactions)
            try:
                earlier = await self._around.log.commit(commit)
            except OwnershipLost as lost:
                if not lost.forgotten:
                    raise
                await self._claim_again()
                continue
            if earlier is None:
                self._sequence += len(stamped)
                self._twin.adopt(change)
                if change.transactions and self._twin.pending_ends().keys() != self._pending:
                    await self._schedule_ends()
            return earlier

    async def _schedule_ends(self) -> None:
        """Have transactions ended after the grace time whose end waits for missing messages."""
        pending = self._twin.pending_ends()
        for transaction_id in pending.keys() - self._pending:
            due = self._around.clock.now() + self._around.config.missing_messages_grace
            try:
                await self._around.later.schedule(
                    self.charger, END_PENDING, due, transaction_id.encode(), key=transaction_id
                )
            except LogUnavailable as error:
                _log.warning("end not scheduled; the next message tries again", charger=str(self.charger),
                             transaction=transaction_id, error=str(error))  # fmt: skip
                return
        self._pending = set(pending)

    async def _claim_again(self) -> None:
        """Redis came back empty: claim under a new epoch and store all that is known.

        Raises OwnershipLost where another connection has the charger by now.
        """
        while True:
            claim = await self._claimed_again()
            self.epoch, self._sequence = claim.epoch, 0
            self._redis_ahead = claim.redis_time - self._around.clock.now()
            everything = self._twin.everything()
            commit = Commit(self.charger, self.epoch, (), None, b"", everything.fields, everything.transactions)
            try:
                await self._around.log.commit(commit)
                break
            except OwnershipLost as lost:
                if not lost.forgotten:
                    raise
        _log.warning("charger claimed anew", charger=str(self.charger), epoch=self.epoch)

    async def _claimed_again(self) -> Claim:
        ownership = self._around.ownership
        while True:
            newer = self._around.router.local(self.charger)
            if newer is not None and newer is not self:
                raise OwnershipLost(str(self.charger), forgotten=False)
            try:
                # Without a socket it must not take the charger from a connection that has one.
                here = self._closed is None
                claim = await (ownership.claim(self.charger) if here else ownership.claim_absent(self.charger))
            except LogUnavailable:
                await asyncio.sleep(CLAIM_RETRY)
                continue
            if claim is None:
                raise OwnershipLost(str(self.charger), forgotten=False)
            return claim

    # ------------------------------------------------------------ the walk of a command

    async def execute(self, command: Command) -> CommandResult:
        if not self._socket.is_open:
            return CommandResult(
                command.id, command.charger, command.name, Outcome.OFFLINE, "the charger is not connected"
            )
        result = await carry_out(
            command,
            profile=self._profile,
            schemas=self._schemas,
            station=lambda: Station(self._twin.active_transactions(), lambda: next(self._next_id)),
            caller=lambda call: self._call(call, command.deadline),
        )
        if result.outcome is Outcome.ACCEPTED:
            self._note_effect(command)
        _log.info("command", charger=str(self.charger), command=command.name, id=command.id,
                  outcome=result.outcome.value, reason=result.reason)  # fmt: skip
        return result

    async def _call(self, call: Call, deadline: float) -> CallEnd:
        clock = self._around.clock
        now = clock.monotonic()
        waiting: asyncio.Future[CallEnd] = asyncio.get_running_loop().create_future()
        if not self._socket.is_open:
            return CallLost(waiting, sent=False)
        self._apply(
            self._session.call(
                call.action,
                call.payload,
                handle=waiting,
                deadline=now + max(0.0, deadline - clock.now()),
                answer_within=self._around.config.command_timeout,
                now=now,
            )
        )
        try:
            end = await waiting
        except asyncio.CancelledError:
            self._session.cancel(waiting)
            raise
        self._around.observer.message(self.version, "out", call.action, type(end).__name__.removeprefix("Call").lower())
        return end

    def _note_effect(self, command: Command) -> None:
        """What an accepted command changes in the picture of the charger, which it does not report by itself."""
        arguments, clock = command.arguments, self._around.clock
        if command.name == "set_charging_limit":
            self._enqueue(
                _Internal(
                    lambda: self._twin.limited(
                        clock.now(), arguments["evse_id"], arguments["current_a"], arguments["power_w"]
                    )
                )
            )
        elif command.name == "set_availability":
            self._enqueue(
                _Internal(
                    lambda: self._twin.availability_set(clock.now(), arguments["evse_id"], arguments["available"])
                )
            )


def _is_money(item: _Item) -> bool:
    return not isinstance(item, _Internal) and item.inbound is not None and item.inbound.money

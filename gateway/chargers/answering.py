"""The walk of a message on one connection: from the call that the session received to the answer that is sent.

A charger is answered once what its message changes is committed, never before. Most messages need nobody's decision
and find nothing before them: those are committed as they arrive, and answered by the log's receipt, without a turn of
the connection's task.
"""

from collections.abc import Callable
from dataclasses import replace

import structlog

from gateway.chargers.calling import Calling
from gateway.chargers.certificates import send_certificate, signed_at_once
from gateway.chargers.costs import with_cost
from gateway.chargers.inbox import Inbox
from gateway.chargers.interpretation import UNDECIDED, Decisions, Prepared, Received, decided, prepared, received
from gateway.chargers.make import KnownMake
from gateway.chargers.odd_frames import OddFrames
from gateway.chargers.patience import Patience
from gateway.chargers.recorder import Recorder, is_empty, may_owe
from gateway.chargers.replies import Replies
from gateway.chargers.responsiveness import Responsiveness
from gateway.chargers.sleeping import Sleeping
from gateway.chargers.surroundings import Spawn, Surroundings
from gateway.chargers.websocket import WebSocket
from gateway.core.policies import DEADLINE_SHARE
from gateway.core.reports import Boot
from gateway.core.twin import Change
from gateway.ocpp.session import Anomaly, CallReceived

_log = structlog.get_logger(__name__)


class Answering:
    """Answers the calls of one charger.

    `enqueue` takes a change of the twin that is to be stored in its turn, `spawn` work beside the connection.
    """

    __slots__ = (
        "_around",
        "_calling",
        "_enqueue",
        "_inbox",
        "_make",
        "_odd_frames",
        "_priced",
        "_recorder",
        "_replies",
        "_responsiveness",
        "_sleeping",
        "_socket",
        "_spawn",
        "_version",
        "patience",
    )

    def __init__(
        self,
        version: str,
        socket: WebSocket,
        recorder: Recorder,
        around: Surroundings,
        *,
        make: KnownMake,
        calling: Calling,
        inbox: Inbox,
        replies: Replies,
        odd_frames: OddFrames,
        responsiveness: Responsiveness,
        sleeping: Sleeping,
        enqueue: Callable[[Callable[[], Change]], None],
        spawn: Spawn,
    ) -> None:
        self._version, self._socket, self._recorder, self._around = version, socket, recorder, around
        self._make, self._calling, self._inbox, self._replies = make, calling, inbox, replies
        self._odd_frames, self._responsiveness, self._sleeping = odd_frames, responsiveness, sleeping
        self._enqueue, self._spawn = enqueue, spawn
        self._priced = around.responder.is_decided("transaction_cost", recorder.charger)
        self.patience = Patience()

    # ------------------------------------------------------------ as it arrives

    def take_in(self, call: CallReceived) -> None:
        """Commit a call at once where that can be done, else have it worked off in its turn."""
        money = call.inbound is not None and call.inbound.money
        if not self._calling.admission.may_send(call.action, self._recorder.twin.boot_status):
            if not money:
                self._replies.refuse_unbooted(call)
                self._odd_frames.note(Anomaly("not_accepted", call.action, call.raw))
                return
            # Money is taken from whoever says so; a human will see that it came from a charger that is not accepted.
            call.violations.append(
                {"code": "not_accepted", "path": "", "message": "the charger's boot was not accepted"}
            )
        self._responsiveness.heard()
        arrived = self._around.clock.monotonic()
        item = received(self._recorder.charger, call, arrived, self._make.quirks, priced=self._priced)
        if self._inbox.is_idle and not item.is_question:
            try:
                self._commit_at_once(item)
            except Exception:
                self._inbox.in_hand = None
                self.cut_off()
        else:
            self._inbox.put(item)

    def cut_off(self) -> None:
        """End the connection for the exception at hand: our own bug, on one charger. Every other goes on."""
        _log.exception("connection failed", charger=str(self._recorder.charger))
        self._socket.abort()

    def _commit_at_once(self, item: Received) -> None:
        ready = self._certain(self._prepared(item, UNDECIDED, self._around.clock.now()))
        if is_empty(ready.change):
            if ready.change.recall:
                self._inbox.put(item)
            else:
                self._replies.send(ready, None)
            return
        self._inbox.in_hand = item
        commit = self._recorder.commit_of(
            ready.change, origin=ready.origin, answer=ready.answer, recorded=ready.recorded
        )
        self._around.log.submit(commit, _Receipt(self, ready))

    def receipt(self, ready: Prepared, earlier: bytes | None) -> None:
        """The log has a call that was committed at once (`earlier`: the answer of its first time)."""
        recorder, inbox = self._recorder, self._inbox
        if earlier is None:
            recorder.adopt(ready.change)
            self._calling.watches.noticed(ready.change.events)
        inbox.in_hand, self._sleeping.in_doubt = None, False
        self._replies.send(ready, earlier)
        if inbox.needs_task or (may_owe(ready.change) and recorder.owes_schedule):
            inbox.wake()

    def no_receipt(self, ready: Prepared) -> None:
        """The charger is not owned under this epoch any more: the connection's task tries again, and finds out why."""
        self._inbox.put_back(ready.received)

    # ------------------------------------------------------------ in its turn

    async def handle(self, item: Received) -> None:
        """Have decided what a call asks, store what it changes, answer it. Raises OwnershipLost."""
        recorder, around, began = self._recorder, self._around, self._around.clock.monotonic()
        if item.is_question:
            self.patience.decision_begins(began)
        decisions = await decided(
            recorder.charger,
            item,
            around.responder,
            boot_status=recorder.twin.boot_status,
            asked_for=self._calling.admission.was_asked_for(item.call.action),
        )
        now = around.clock.now()
        ready = self._prepared(item, decisions, now)
        if ready.change.recall:
            ready = self._prepared(item, decisions, now, await recorder.recall(ready.change.recall))
        if item.cost_question is not None:
            left = began + around.config.money_grace * DEADLINE_SHARE - around.clock.monotonic()
            ready = await with_cost(ready, recorder.charger, around.responder, seconds=left)
        if item.is_question:
            self.patience.decision_ends(around.clock.monotonic())
        ready = self._certain(ready)
        earlier = await recorder.store(ready.change, origin=ready.origin, answer=ready.answer, recorded=now)
        if earlier is None:
            self._calling.watches.noticed(ready.change.events)
        if isinstance(item.report, Boot) and self._make.choose():
            self._enqueue(lambda: recorder.twin.known_as(around.clock.now(), self._make.name))
        self._replies.send(ready, earlier)
        if isinstance(item.report, Boot):
            self._booted(decisions)
            around.router.deliver(recorder.charger)
        self.patience.answered()
        certificate = signed_at_once(decisions)
        if certificate is not None:
            self._spawn(send_certificate(certificate, recorder.charger, recorder.epoch, item, around))

    def _booted(self, decisions: Decisions) -> None:
        """Have people find a charger that is let in, and kept from working."""
        refusals, charger = self._around.refusals, self._recorder.charger.identity
        status = None if decisions.boot is None else decisions.boot.status
        if status == "rejected":
            reason = "its boot was rejected, by the business system or the policy that decides on it"
            refusals.note(
                "boot_rejected",
                reason,
                remote=self._socket.remote_address,
                now=self._around.clock.now(),
                charger_id=charger,
            )
        elif status == "accepted":
            refusals.accepted(charger)

    # ------------------------------------------------------------ either way

    def _prepared(self, item: Received, decisions: Decisions, now: float, recalled: bytes | None = None) -> Prepared:
        recorder = self._recorder
        return prepared(
            item,
            decisions,
            twin=recorder.twin,
            version=self._version,
            now=now,
            ahead=recorder.ahead,
            recalled=recalled,
        )

    def _certain(self, ready: Prepared) -> Prepared:
        """What is answered without a commit (a Heartbeat) gets one where this node slept: it may have moved."""
        if not is_empty(ready.change) or ready.change.recall or not self._sleeping.may_have_moved:
            return ready
        return replace(ready, change=self._recorder.twin.seen(self._around.clock.now()))


class _Receipt:
    """What the log gives its receipt to: hands it on to the connection, whose faults are not the log's."""

    __slots__ = ("_answering", "_given", "_ready")

    def __init__(self, answering: Answering, ready: Prepared) -> None:
        self._answering, self._ready = answering, ready
        self._given = False

    def done(self) -> bool:
        return self._given

    def cancel(self) -> None:
        self._given = True

    def set_result(self, earlier: bytes | None) -> None:
        self._given = True
        try:
            self._answering.receipt(self._ready, earlier)
        except Exception:
            self._answering.cut_off()

    def set_exception(self, error: Exception) -> None:
        self._given = True
        self._answering.no_receipt(self._ready)

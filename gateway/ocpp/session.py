"""One OCPP-J session without I/O: texts in, events out; commands in, texts out.

Inbound CALLs are handed on in order, each to be answered by `answer` or `refuse`. Outbound CALLs wait in a queue; one
at a time is outstanding, as OCPP demands. Time is an argument (monotonic seconds); `next_deadline` says when `poll`
wants to be called.
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from typing import Any

from gateway.core.events import Violation
from gateway.ocpp import frames
from gateway.ocpp.profile import Inbound, Profile
from gateway.ocpp.schemas import SchemaSet, canonical_error, error_code

MAX_OUTBOUND = 256
"""CALLs of one charger that may wait; a queue that long means that nobody answers."""

# ---------------------------------------------------------------- events


@dataclass(slots=True)
class CallReceived:
    """The charger's CALL, to be answered. `inbound` is its row in the table, None for an action without one."""

    message_id: str
    action: str
    payload: dict[str, Any]
    raw: str
    violations: list[Violation]
    inbound: Inbound | None


@dataclass(slots=True)
class SendReceived(CallReceived):
    """The charger's SEND (OCPP 2.1): like a CALL, but never answered."""


@dataclass(slots=True)
class CallAnswered:
    """A CALL of ours got its CALLRESULT."""

    handle: Any
    payload: dict[str, Any]
    raw: str
    violations: list[Violation]


@dataclass(slots=True)
class CallFailed:
    """A CALL of ours got a CALLERROR. `code` as received, `canonical` in one spelling for all versions."""

    handle: Any
    code: str
    canonical: str
    description: str
    details: Any


@dataclass(slots=True)
class CallTimedOut:
    """A CALL of ours was sent and not answered in time; whether the charger acted on it is unknown."""

    handle: Any


@dataclass(slots=True)
class CallExpired:
    """A CALL of ours was not sent by its deadline, and will not be."""

    handle: Any


@dataclass(slots=True)
class CallLost:
    """The session ended before a CALL of ours was answered; `sent` tells whether the charger may have it."""

    handle: Any
    sent: bool


@dataclass(slots=True)
class Transmit:
    """A text to be sent."""

    text: str


@dataclass(slots=True)
class Anomaly:
    """Something that no rule foresees and the session survives."""

    kind: str
    detail: str


SessionEvent = CallReceived | CallAnswered | CallFailed | CallTimedOut | CallExpired | CallLost | Transmit | Anomaly


# ---------------------------------------------------------------- the session


@dataclass(order=True, slots=True)
class _Waiting:
    """An outbound CALL: the higher priority first, then the older."""

    order: tuple[int, int]
    action: str = field(compare=False)
    payload: Mapping[str, Any] = field(compare=False)
    handle: Any = field(compare=False)
    deadline: float = field(compare=False)
    answer_within: float = field(compare=False)


@dataclass(slots=True)
class _Outstanding:
    """The one CALL that was sent and not answered yet."""

    message_id: str
    call: _Waiting
    deadline: float


def _random_ids() -> Callable[[], str]:
    # The prefix tells the sessions of one charger apart: an answer to an earlier one's CALL must match none of ours.
    prefix, numbers = token_hex(4), count(1)
    return lambda: f"{prefix}-{next(numbers)}"


class Session:
    """The protocol state of one connection."""

    __slots__ = ("_late", "_new_id", "_numbers", "_outstanding", "_profile", "_queue", "_schemas", "_strict")

    def __init__(
        self,
        profile: Profile,
        schemas: SchemaSet,
        *,
        strict: bool = False,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        self._profile = profile
        self._schemas = schemas
        self._strict = strict
        self._new_id = new_id or _random_ids()
        self._numbers = count()
        self._queue: list[_Waiting] = []
        self._outstanding: _Outstanding | None = None
        self._late: str | None = None

    # ------------------------------------------------------------ receiving

    def receive(self, text: str, now: float) -> list[SessionEvent]:
        """What a text from the charger means. Never raises."""
        events: list[SessionEvent] = []
        for frame in frames.decode(text):
            match frame:
                case frames.Call():
                    events += self._call_received(frame)
                case frames.CallResult():
                    events += self._result_received(frame, now)
                case frames.CallError():
                    events += self._error_received(frame, now)
                case frames.Malformed():
                    events += self._malformed(frame, now)
        return events

    def _call_received(self, call: frames.Call) -> list[SessionEvent]:
        profile, action = self._profile, call.action
        row = profile.inbound.get(action)
        if row is None:
            action = self._right_case(action)
            row = profile.inbound.get(action)
            if row is not None:
                call.violations.append(_violation("action_case", f"the action is spelt {call.action!r}"[:200]))
        violations = call.violations
        if row is not None and "payload_not_an_object" not in {violation["code"] for violation in violations}:
            violations += self._schemas.check_call(action, call.payload)
        if violations and self._strict and row is not None and not row.money and row.answered:
            return self._refused(call, violations)
        if call.send and not profile.sends:
            violations.append(_violation("send_not_known", f"OCPP {profile.version} knows no SEND"))
        if call.send or (row is not None and not row.answered):
            return [SendReceived(call.message_id, action, call.payload, call.raw, violations, row)]
        return [CallReceived(call.message_id, action, call.payload, call.raw, violations, row)]

    def _right_case(self, action: str) -> str:
        lowered = action.lower()
        return next((known for known in self._profile.inbound if known.lower() == lowered), action)

    def _refused(self, call: frames.Call, violations: list[Violation]) -> list[SessionEvent]:
        code = error_code(violations[0], self._profile.error_codes)
        told = "; ".join(f"{violation['path'] or '/'}: {violation['message']}" for violation in violations[:3])
        return [
            Transmit(frames.encode_error(call.message_id, code, told)),
            Anomaly("schema_violation", f"{call.action} {told}: {call.raw[:500]}"),
        ]

    def _result_received(self, result: frames.CallResult, now: float) -> list[SessionEvent]:
        taken = self._take_outstanding(result.message_id)
        if taken is None:
            return [self._unexpected("answer", result.message_id)]
        violations = result.violations + self._schemas.check_result(taken.action, result.payload)
        answered = CallAnswered(taken.handle, result.payload, result.raw, violations)
        return [answered, *self._advance(now)]

    def _error_received(self, error: frames.CallError, now: float) -> list[SessionEvent]:
        if error.of_result:
            return [Anomaly("result_error", f"{error.message_id}: {error.code} {error.description}")]
        taken = self._take_outstanding(error.message_id)
        if taken is None:
            return [self._unexpected("error", error.message_id, f"{error.code} {error.description}")]
        failed = CallFailed(taken.handle, error.code, canonical_error(error.code), error.description, error.details)
        return [failed, *self._advance(now)]

    def _take_outstanding(self, message_id: str) -> _Waiting | None:
        outstanding = self._outstanding
        if outstanding is None or outstanding.message_id != message_id:
            return None
        self._outstanding = None
        return outstanding.call

    def _unexpected(self, what: str, message_id: str, detail: str = "") -> Anomaly:
        kind = f"late_{what}" if message_id == self._late else f"unknown_{what}"
        return Anomaly(kind, f"{message_id!r} {detail}".strip()[:300])

    def _malformed(self, frame: frames.Malformed, now: float) -> list[SessionEvent]:
        anomaly = Anomaly("malformed", f"{frame.reason}: {frame.text[:200]}")
        if frame.kind in (frames.CALLRESULT, frames.CALLERROR, frames.CALLRESULTERROR):
            return self._unreadable_answer(frame, now, anomaly)
        if frame.kind == frames.SEND:
            return [anomaly]
        codes = self._profile.error_codes
        message_id = frame.message_id if frame.message_id is not None else self._profile.message_id_unknown
        known_kind = frame.kind is None or frame.kind == frames.CALL
        silent = self._profile.message_id_unknown is None and not known_kind
        if message_id is None or silent or self._is_money(frame.action):
            return [anomaly]
        code = codes.formation_violation if known_kind else codes.message_type_not_supported
        return [Transmit(frames.encode_error(message_id, code, frame.reason)), anomaly]

    def _is_money(self, action: str | None) -> bool:
        row = None if action is None else self._profile.inbound.get(self._right_case(action))
        return row is not None and row.money

    def _unreadable_answer(self, frame: frames.Malformed, now: float, anomaly: Anomaly) -> list[SessionEvent]:
        """An answer that cannot be read ends its CALL all the same: the charger will not answer it again."""
        taken = None if frame.message_id is None else self._take_outstanding(frame.message_id)
        if taken is None:
            return [anomaly]
        failed = CallFailed(taken.handle, "FormatViolation", "formation_violation", "the answer is unreadable", {})
        return [failed, anomaly, *self._advance(now)]

    # ------------------------------------------------------------ answering

    @staticmethod
    def answer(message_id: str, payload: Mapping[str, Any] | bytes) -> str:
        """The CALLRESULT to a CALL."""
        return frames.encode_result(message_id, payload)

    @staticmethod
    def refuse(message_id: str, code: str, description: str = "", details: Mapping[str, Any] | None = None) -> str:
        """The CALLERROR to a CALL."""
        return frames.encode_error(message_id, code, description, details)

    def refusal_for(self, action: str) -> str:
        """The code for a CALL without a row: NotSupported if the version knows the action, else NotImplemented."""
        codes = self._profile.error_codes
        known = action in self._profile.actions_out or action in self._profile.actions_in
        return codes.not_supported if known else codes.not_implemented

    # ------------------------------------------------------------ calling

    def call(
        self,
        action: str,
        payload: Mapping[str, Any],
        *,
        handle: Any,
        deadline: float,
        answer_within: float,
        now: float,
        priority: int = 0,
    ) -> list[SessionEvent]:
        """Send a CALL as soon as it is its turn: the higher `priority` first, else in order.

        One not sent by `deadline` ends in CallExpired, one not answered `answer_within` seconds after it was sent in
        CallTimedOut. A full queue ends it at once in CallLost, not sent.
        """
        if len(self._queue) >= MAX_OUTBOUND:
            return [CallLost(handle, sent=False)]
        waiting = _Waiting((-priority, next(self._numbers)), action, payload, handle, deadline, answer_within)
        heapq.heappush(self._queue, waiting)
        return self._advance(now)

    def cancel(self, handle: Any) -> bool:
        """Withdraw a CALL that was not sent yet; False if it was, or is unknown."""
        kept = [waiting for waiting in self._queue if waiting.handle is not handle]
        withdrawn = len(kept) != len(self._queue)
        heapq.heapify(kept)
        self._queue = kept
        return withdrawn

    def poll(self, now: float) -> list[SessionEvent]:
        """End what is overdue, and send what became due by that."""
        events: list[SessionEvent] = []
        outstanding = self._outstanding
        if outstanding is not None and outstanding.deadline <= now:
            self._outstanding, self._late = None, outstanding.message_id
            events.append(CallTimedOut(outstanding.call.handle))
        if any(waiting.deadline <= now for waiting in self._queue):
            overdue = sorted(waiting for waiting in self._queue if waiting.deadline <= now)
            self._queue = [waiting for waiting in self._queue if waiting.deadline > now]
            heapq.heapify(self._queue)
            events += [CallExpired(waiting.handle) for waiting in overdue]
        return events + self._advance(now)

    def next_deadline(self) -> float | None:
        """When `poll` must be called next, None while nothing waits."""
        deadlines = [waiting.deadline for waiting in self._queue]
        if self._outstanding is not None:
            deadlines.append(self._outstanding.deadline)
        return min(deadlines, default=None)

    def drain(self) -> list[SessionEvent]:
        """The connection is gone: end every CALL."""
        events: list[SessionEvent] = []
        if self._outstanding is not None:
            events.append(CallLost(self._outstanding.call.handle, sent=True))
            self._outstanding = None
        events += [CallLost(waiting.handle, sent=False) for waiting in sorted(self._queue)]
        self._queue = []
        return events

    def _advance(self, now: float) -> list[SessionEvent]:
        """Send the next CALL, if none is outstanding."""
        events: list[SessionEvent] = []
        while self._outstanding is None and self._queue:
            waiting = heapq.heappop(self._queue)
            if waiting.deadline <= now:
                events.append(CallExpired(waiting.handle))
                continue
            message_id = self._new_id()
            self._outstanding = _Outstanding(message_id, waiting, now + waiting.answer_within)
            events.append(Transmit(frames.encode_call(message_id, waiting.action, waiting.payload)))
        return events


def _violation(code: str, message: str) -> Violation:
    return {"code": code, "path": "", "message": message}

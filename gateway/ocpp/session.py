"""One OCPP-J session without I/O: texts in, events out; commands in, texts out.

Inbound CALLs are handed on in order, each to be answered by `answer` or `refuse`. Outbound CALLs wait in a queue; one
at a time is outstanding, as OCPP demands. Time is an argument (monotonic seconds); `next_deadline` says when `poll`
wants to be called.
"""

import heapq
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from typing import Any

from gateway.core.events import Violation
from gateway.ocpp import frames
from gateway.ocpp.profile import STANDARD, Profile
from gateway.ocpp.schemas import SchemaSet, canonical_error, error_code
from gateway.ocpp.session_events import (
    UNREADABLE_ANSWER,
    Anomaly,
    CallAnswered,
    CallExpired,
    CallFailed,
    CallLost,
    CallReceived,
    CallSuperseded,
    CallTimedOut,
    SendReceived,
    SessionEvent,
    Transmit,
)

MAX_OUTBOUND = 256
"""CALLs of one charger that may wait; a queue that long means that nobody answers."""

MAX_LATE = 16
"""CALLs that timed out and whose answers are still told from unknown ones."""
_HEAD_LENGTH = 512
"""Characters of a broken CALL among which its action is looked for."""
_CUT_HEAD = re.compile(r'\s*\[\s*,?\s*2\s*,\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*(,\s*("[^"]*)?)?').fullmatch
"""A CALL that ends before its action does, so that nobody knows what it would have said."""
RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
"""A frame whose message id cannot be read (2.x part 4, section 4.3; 1.6 does not answer such a one)."""

__all__ = [
    "Anomaly",
    "CallAnswered",
    "CallExpired",
    "CallFailed",
    "CallLost",
    "CallReceived",
    "CallSuperseded",
    "CallTimedOut",
    "SendReceived",
    "Session",
    "SessionEvent",
    "Transmit",
]


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

    __slots__ = (
        "_closed",
        "_id_tag_length",
        "_late",
        "_max_outbound",
        "_new_id",
        "_numbers",
        "_numeric_ids",
        "_outstanding",
        "_profile",
        "_queue",
        "_schemas",
        "_strict",
    )

    def __init__(
        self,
        profile: Profile,
        schemas: SchemaSet,
        *,
        strict: bool = False,
        max_outbound: int = MAX_OUTBOUND,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        self._profile = profile
        self._schemas = schemas
        self._strict = strict
        self._id_tag_length = STANDARD.id_tag_length
        self._new_id = new_id or _random_ids()
        self._numbers = count()
        self._queue: list[_Waiting] = []
        self._outstanding: _Outstanding | None = None
        self._max_outbound = max_outbound
        self._late: dict[str, str] = {}
        self._numeric_ids: set[str] = set()
        self._closed = False

    def adapt(self, *, strict: bool, id_tag_length: int) -> None:
        """From now on: refuse what breaks the schema (`strict`), and forgive id tags of up to so many characters."""
        self._strict, self._id_tag_length = strict, id_tag_length

    # ------------------------------------------------------------ receiving

    def receive(self, text: str | bytes, now: float) -> list[SessionEvent]:
        """What a text from the charger means. Never raises."""
        if self._closed:
            return []
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
                    call = self._deep_money(frame)
                    events += self._malformed(frame, now) if call is None else self._call_received(call)
        return events

    def _call_received(self, call: frames.Call) -> list[SessionEvent]:
        profile, action = self._profile, call.action
        row = profile.inbound.get(action)
        if row is None:
            action = self._right_case(action)
            row = profile.inbound.get(action)
            if row is not None:
                call.violations.append(_violation("action_case", f"the action is spelt {call.action!r}"[:200]))
        broken = [] if row is None else self._broken(action, call.payload)
        if self._strict and row is not None and not row.money:
            # What stands in an object's place breaks every schema, also that of a message without fields.
            wrong = [told for told in call.violations if told["code"] == "payload_not_an_object"] + broken
            if wrong:
                return self._refused(call, wrong)
        violations = call.violations
        violations += broken
        if call.send:
            if action not in profile.sends:
                violations.append(_violation("send_not_known", f"OCPP {profile.version} has no such SEND"))
            return [SendReceived(call.message_id, action, call.payload, call.raw, violations, row, call.is_json)]
        if row is not None and not row.answered:
            violations.append(_violation("call_not_known", "sent as a CALL, though it is a SEND"))
        if call.numeric_id:
            self._numeric_ids.add(call.message_id)
        return [CallReceived(call.message_id, action, call.payload, call.raw, violations, row, call.is_json)]

    def _broken(self, action: str, payload: Mapping[str, Any]) -> list[Violation]:
        """Where a payload breaks its schema, but for an id tag that is as long as this charger's may be."""
        broken = self._schemas.check_call(action, payload)
        if broken and self._id_tag_length > STANDARD.id_tag_length:
            tag = payload.get("idTag")
            if isinstance(tag, str) and len(tag) <= self._id_tag_length:
                return [told for told in broken if (told["code"], told["path"]) != ("max_length", "/idTag")]
        return broken

    def _right_case(self, action: str) -> str:
        lowered = action.lower()
        return next((known for known in self._profile.inbound if known.lower() == lowered), action)

    def _refused(self, call: frames.Call, violations: list[Violation]) -> list[SessionEvent]:
        code = error_code(violations[0], self._profile.error_codes)
        told = "; ".join(f"{violation['path'] or '/'}: {violation['message']}" for violation in violations[:3])
        anomaly = Anomaly("schema_violation", f"{call.action} {told}", call.raw)
        if call.send:
            return [anomaly]
        text = frames.encode_error(call.message_id, code, told, numeric_id=call.numeric_id)
        return [Transmit(text), anomaly]

    def _result_received(self, result: frames.CallResult, now: float) -> list[SessionEvent]:
        taken = self._take_outstanding(result.message_id)
        if taken is None:
            return [self._unexpected("answer", result.message_id, raw=result.raw)]
        broken = self._schemas.check_result(taken.action, result.payload)
        events: list[SessionEvent] = [
            CallAnswered(taken.handle, result.payload, result.raw, [*result.violations, *broken])
        ]
        if broken and self._strict and self._profile.knows_call_result_error:
            code = error_code(broken[0], self._profile.error_codes)
            events.append(Transmit(self.reject_result(result.message_id, code, broken[0]["message"])))
        return events + self._advance(now)

    def _error_received(self, error: frames.CallError, now: float) -> list[SessionEvent]:
        if error.of_result:
            return [Anomaly("result_error", f"{error.message_id}: {error.code} {error.description}")]
        taken = self._take_outstanding(error.message_id)
        if taken is None:
            return [self._unexpected("error", error.message_id, f"{error.code} {error.description}")]
        failed = CallFailed(taken.handle, error.code, canonical_error(error.code), error.description, error.details)
        return [failed, *self._advance(now)]

    def _take_outstanding(self, message_id: str) -> _Waiting | None:
        """The CALL that an answer belongs to.

        An empty id is taken for the outstanding CALL's (ocpp-go#267) where no late answer could bear it too.
        """
        outstanding = self._outstanding
        if outstanding is None:
            return None
        if outstanding.message_id != message_id and (message_id or self._late):
            return None
        self._outstanding = None
        return outstanding.call

    def _unexpected(self, what: str, message_id: str, detail: str = "", raw: str = "") -> Anomaly:
        action = self._late.pop(message_id, None)
        if action is None:
            return Anomaly(f"unknown_{what}", f"{message_id[:64]!r} {detail}".strip()[:300], raw)
        return Anomaly(f"late_{what}", f"{action} {message_id!r} {detail}".strip()[:300], raw)

    def _malformed(self, frame: frames.Malformed, now: float) -> list[SessionEvent]:
        anomaly = Anomaly("malformed", frame.reason, frame.text)
        if frame.kind in (frames.CALLRESULT, frames.CALLERROR, frames.CALLRESULTERROR):
            return self._unreadable_answer(frame, now, anomaly)
        text = None if frame.kind == frames.SEND else self._complaint(frame)
        return [anomaly] if text is None else [Transmit(text), anomaly]

    def _complaint(self, frame: frames.Malformed) -> str | None:
        """The CALLERROR to a frame that is no CALL; None where it goes without one.

        What may be a transaction's message gets none, so that the charger keeps it. OCPP 1.6 knows no id for the
        unreadable, and has frames of unknown type ignored (OCPP-J 1.6 section 4.1.3).
        """
        if self._may_be_money(frame):
            return None
        codes, unknown_id = self._profile.error_codes, self._profile.message_id_unknown
        if frame.kind is not None and frame.kind != frames.CALL:
            if unknown_id is None:
                return None
            return frames.encode_error(frame.message_id or unknown_id, codes.message_type_not_supported, frame.reason)
        if frame.message_id is not None:
            return frames.encode_error(frame.message_id, codes.formation_violation, frame.reason)
        if unknown_id is None:
            return None
        return frames.encode_error(unknown_id, RPC_FRAMEWORK_ERROR, frame.reason)

    def _may_be_money(self, frame: frames.Malformed) -> bool:
        head = frame.text[:_HEAD_LENGTH].lower()
        if any(row.money and action.lower() in head for action, row in self._profile.inbound.items()):
            return True
        return frame.kind == frames.CALL and len(frame.text) < _HEAD_LENGTH and _CUT_HEAD(frame.text) is not None

    def _deep_money(self, frame: frames.Malformed) -> frames.Call | None:
        """A transaction's message is taken however deep it nests: left without an answer it would come for ever."""
        row = self._profile.inbound.get(self._right_case(frame.action or "")) if frame.too_deep else None
        return None if row is None or not row.money else frames.made_shallow(frame)

    def _unreadable_answer(self, frame: frames.Malformed, now: float, anomaly: Anomaly) -> list[SessionEvent]:
        """An answer that cannot be read ends its CALL all the same: the charger will not answer it again."""
        taken = None if not frame.message_id else self._take_outstanding(frame.message_id)
        if taken is None:
            return [anomaly]
        code = self._profile.error_codes.formation_violation
        failed = CallFailed(taken.handle, code, canonical_error(code), UNREADABLE_ANSWER, {})
        return [failed, anomaly, *self._advance(now)]

    # ------------------------------------------------------------ answering

    def answer(self, message_id: str, payload: Mapping[str, Any] | bytes) -> str:
        """The CALLRESULT to a CALL; a payload given as bytes is JSON already."""
        return frames.encode_result(message_id, payload, numeric_id=self._was_numeric(message_id))

    def refuse(
        self, message_id: str, code: str, description: str = "", details: Mapping[str, Any] | None = None
    ) -> str:
        """The CALLERROR to a CALL."""
        return frames.encode_error(message_id, code, description, details, numeric_id=self._was_numeric(message_id))

    def reject_result(
        self, message_id: str, code: str, description: str = "", details: Mapping[str, Any] | None = None
    ) -> str:
        """The CALLRESULTERROR to a CALLRESULT (OCPP 2.1 only: `Profile.knows_call_result_error`)."""
        return frames.encode_error(message_id, code, description, details, kind=frames.CALLRESULTERROR)

    def _was_numeric(self, message_id: str) -> bool:
        if message_id not in self._numeric_ids:
            return False
        self._numeric_ids.discard(message_id)
        return True

    def refusal_for(self, action: str) -> str:
        """The code for a CALL without a row: NotSupported if the version knows the action, else NotImplemented."""
        codes = self._profile.error_codes
        lowered = action.lower()
        known = any(lowered == name.lower() for name in self._profile.actions_out | self._profile.actions_in)
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
        instead_of: Any = None,
    ) -> list[SessionEvent]:
        """Send a CALL as soon as it is its turn: the higher `priority` first, else in order.

        One not sent by `deadline` ends in CallExpired; one sent, but not answered within `answer_within` seconds, nor
        by `deadline`, in CallTimedOut. A full queue or a drained session ends it at once in CallLost, not sent. It
        takes the place of the CALL whose handle is `instead_of`, if that was not sent: that one ends in CallSuperseded.
        """
        older = next((one for one in self._queue if one.handle is instead_of), None) if instead_of is not None else None
        if self._closed or (len(self._queue) >= self._max_outbound and older is None):
            return [CallLost(handle, sent=False)]
        order = (-priority, next(self._numbers)) if older is None else older.order
        waiting = _Waiting(order, action, payload, handle, deadline, answer_within)
        if older is None:
            heapq.heappush(self._queue, waiting)
            return self._advance(now)
        self._queue[self._queue.index(older)] = waiting
        return [CallSuperseded(older.handle), *self._advance(now)]

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
            self._outstanding = None
            self._late[outstanding.message_id] = outstanding.call.action
            if len(self._late) > MAX_LATE:
                del self._late[next(iter(self._late))]
            events.append(CallTimedOut(outstanding.call.handle))
        if any(waiting.deadline <= now for waiting in self._queue):
            overdue = sorted(waiting for waiting in self._queue if waiting.deadline <= now)
            self._queue = [waiting for waiting in self._queue if waiting.deadline > now]
            heapq.heapify(self._queue)
            events += [CallExpired(waiting.handle) for waiting in overdue]
        return events + self._advance(now)

    @property
    def is_calling(self) -> bool:
        """Whether a CALL of ours waits, to be sent or to be answered."""
        return self._outstanding is not None or bool(self._queue)

    def next_deadline(self) -> float | None:
        """When `poll` must be called next, None while nothing waits."""
        deadlines = [waiting.deadline for waiting in self._queue]
        if self._outstanding is not None:
            deadlines.append(self._outstanding.deadline)
        return min(deadlines, default=None)

    def drain(self) -> list[SessionEvent]:
        """The connection is gone: end every CALL; nothing is received or sent any more."""
        self._closed = True
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
            answer_by = min(now + waiting.answer_within, waiting.deadline)
            self._outstanding = _Outstanding(message_id, waiting, answer_by)
            events.append(Transmit(frames.encode_call(message_id, waiting.action, waiting.payload)))
        return events


def _violation(code: str, message: str) -> Violation:
    return {"code": code, "path": "", "message": message}

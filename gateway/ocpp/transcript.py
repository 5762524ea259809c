"""Every message of a session, both ways, as events of type `ocpp.message`: an answer with the request that it answers.

Passwords do not appear in it.
"""

from typing import Any, Literal, NamedTuple

import orjson

from gateway.core.events import Event, Origin, to_json
from gateway.ocpp import frames
from gateway.ocpp.profile import Profile
from gateway.ocpp.redaction import redacted, redacted_text

Direction = Literal["received", "sent"]
"""From the charger, or to it."""

UNKNOWN = "unknown"
"""The action of what answers no request that is known, or cannot be read."""

MAX_TEXT = 64 * 1024
"""Characters of what cannot be read that are told."""

MAX_OPEN = 64
"""Requests of one direction whose answers are still expected; of older ones the answer comes without its request."""


class _Shown(NamedTuple):
    """A payload as it is shown: `raw` is text, and `value` what stands for it within another event."""

    raw: str
    value: Any


class Transcript:
    """Writes down one session. Never raises for anything that a charger may send."""

    def __init__(self, profile: Profile) -> None:
        self._version = profile.version
        self._carried = frozenset(action.lower() for action in profile.inbound)
        self._open: dict[Direction, dict[str, tuple[str, Any]]] = {"received": {}, "sent": {}}

    def written(self, direction: Direction, text: str) -> list[tuple[Event, Origin]]:
        """The messages of a text. One that the neutral events carry as `ocpp.message` anyhow is left out."""
        found = (self._message(direction, frame) for frame in frames.decode(text))
        return [message for message in found if message is not None]

    def _message(self, direction: Direction, frame: frames.Frame) -> tuple[Event, Origin] | None:
        match frame:
            case frames.Call():
                return self._call(direction, frame)
            case frames.CallResult():
                shown = _shown(frame.payload, frame.raw)
                return self._answer(direction, frame.message_id, "result", shown.raw)
            case frames.CallError():
                kind = "result_error" if frame.of_result else "error"
                error = {"code": frame.code, "description": redacted_text(frame.description)}
                details = to_json(redacted(frame.details)).decode()
                return self._answer(direction, frame.message_id, kind, details, error=error)
            case frames.Malformed():
                data = {"direction": direction, "kind": "unreadable"}
                return self._event(
                    data, UNKNOWN, frame.message_id or "", redacted_text(frame.text[:MAX_TEXT]), is_json=False
                )

    def _call(self, direction: Direction, call: frames.Call) -> tuple[Event, Origin] | None:
        shown = _shown(call.payload, call.raw)
        if not call.send:
            waiting = self._open[direction]
            waiting[call.message_id] = (call.action, shown.value)
            if len(waiting) > MAX_OPEN:
                del waiting[next(iter(waiting))]
        if direction == "received" and call.action.lower() not in self._carried:
            return None
        data = {"direction": direction, "kind": "send" if call.send else "call"}
        return self._event(data, call.action, call.message_id, shown.raw)

    def _answer(self, direction: Direction, message_id: str, kind: str, raw: str, **more: Any) -> tuple[Event, Origin]:
        asked = self._open["received" if direction == "sent" else "sent"]
        # A CALLRESULTERROR answers an answer, whose request is gone by then.
        found = None if kind == "result_error" else asked.pop(message_id, None)
        action, request = (UNKNOWN, None) if found is None else found
        data = {"direction": direction, "kind": kind, **more}
        return self._event(data if found is None else {**data, "request": request}, action, message_id, raw)

    def _event(
        self, data: dict[str, Any], action: str, message_id: str, raw: str, *, is_json: bool = True
    ) -> tuple[Event, Origin]:
        return Event("ocpp.message", data), Origin(
            self._version, action, message_id, raw, is_json=is_json and _is_json(raw)
        )


def _shown(payload: Any, raw: str) -> _Shown:
    shown = redacted(payload)
    if shown is not payload:
        text = to_json(shown).decode()
        return _Shown(text, orjson.Fragment(text))
    return _Shown(raw, orjson.Fragment(raw) if _is_json(raw) else shown)


def _is_json(raw: str) -> bool:
    try:
        orjson.loads(raw)
    except ValueError:
        return False
    return True

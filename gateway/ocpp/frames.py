"""OCPP-J frames: text to values and back, for every version (OCPP-J 1.6 section 4, 2.x part 4 section 4).

Well-formed CALLs take a fast path: their head is matched, and only the payload is parsed. Everything else is read as
tolerantly as it can be, each deviation told as a violation; what cannot be read ends in a `Malformed`, never in an
exception.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.core.events import Violation

CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND = 2, 3, 4, 5, 6

MAX_DEPTH = 64
"""How deep a payload may nest; no OCPP message comes near."""

_CALL_HEAD = re.compile(r'\[2,"([^"\\\x00-\x1f]{1,255})","([A-Za-z0-9]{1,64})",(?=\{)')
_LOOSE_HEAD = re.compile(
    r'\s*\[\s*,?\s*(\d+)\s*,\s*(?:"((?:[^"\\]|\\.){0,255})"|(-?\d{1,30}))(?:\s*,\s*"([A-Za-z0-9]{1,64})")?'
)
_NOISE = "\ufeff\x00 \t\r\n"
_STRAY_COMMA = re.compile(r"\A\[\s*,")


@dataclass(slots=True)
class Call:
    """CALL (2), or SEND (6) where `send` is true. `raw` is the payload's original text."""

    message_id: str
    action: str
    payload: dict[str, Any]
    raw: str
    violations: list[Violation] = field(default_factory=list)
    send: bool = False


@dataclass(slots=True)
class CallResult:
    """CALLRESULT (3)."""

    message_id: str
    payload: dict[str, Any]
    raw: str
    violations: list[Violation] = field(default_factory=list)


@dataclass(slots=True)
class CallError:
    """CALLERROR (4), or CALLRESULTERROR (5, OCPP 2.1) where `of_result` is true."""

    message_id: str
    code: str
    description: str
    details: Any
    violations: list[Violation] = field(default_factory=list)
    of_result: bool = False


@dataclass(slots=True)
class Malformed:
    """What is no frame. Message id, `kind` (the frame's type number) and action are told where they can be read."""

    reason: str
    text: str
    message_id: str | None = None
    kind: int | None = None
    action: str | None = None


Frame = Call | CallResult | CallError | Malformed


def decode(text: str) -> list[Frame]:
    """The frames in a text: one, or several where a charger put them together. Never raises."""
    head = _CALL_HEAD.match(text)
    if head is not None and text.endswith("}]") and text.count("[") < MAX_DEPTH:
        raw = text[head.end() : -1]
        try:
            return [Call(head[1], head[2], orjson.loads(raw), raw)]
        except ValueError:
            pass
    return _decode_tolerantly(text)


def _decode_tolerantly(text: str) -> list[Frame]:
    notes: list[Violation] = []
    cleaned = text.strip(_NOISE)
    if "\x00" in cleaned:
        cleaned = cleaned.replace("\x00", "")
    if len(cleaned) != len(text):
        _note(notes, "surrounding_noise", "a BOM, NUL bytes or blanks stand around or in the frame")
    if _STRAY_COMMA.match(cleaned):
        cleaned = _STRAY_COMMA.sub("[", cleaned)
        _note(notes, "stray_comma", "a comma stands before the first element")
    if _depth_exceeds(cleaned):
        return [_malformed(f"nested deeper than {MAX_DEPTH} levels", cleaned)]
    frames: list[Frame] = []
    position = 0
    while position < len(cleaned) and len(frames) < 16:
        try:
            elements, end = _DECODER.raw_decode(cleaned, position)
        except (ValueError, RecursionError):
            # What was read before the broken rest counts; a rest after at least one frame is told too.
            frames.append(_malformed("not valid JSON", cleaned[position:]))
            break
        if frames:
            _note(notes, "several_frames", "several frames stand in one text")
        frames.append(_frame(elements, cleaned[position:end], list(notes)))
        position = end
        while position < len(cleaned) and cleaned[position] in _NOISE + ",":
            position += 1
    return frames or [_malformed("empty", text)]


def _depth_exceeds(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif char in "]}":
            depth -= 1
    return False


def _integer(digits: str) -> int | str:
    # Python refuses to convert very long numbers; such a one is no number that OCPP knows, and stays text.
    return int(digits) if len(digits) < 400 else digits


_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=str, strict=False)
"""Takes what orjson refuses: big integers, NaN and Infinity (as text), lone surrogates, control characters."""


def _frame(elements: Any, text: str, notes: list[Violation]) -> Frame:
    if not isinstance(elements, list) or not elements:
        return _malformed("not a JSON array", text)
    kind = elements[0]
    if isinstance(kind, str) and kind.strip().isdigit():
        kind = int(kind)
        _note(notes, "frame_type_as_text", "the frame's type number is a string")
    if isinstance(kind, bool) or not isinstance(kind, int | float) or kind not in (2, 3, 4, 5, 6):
        return _malformed("the first element is no frame type from 2 to 6", text)
    if len(elements) < 2 or isinstance(elements[1], bool) or not isinstance(elements[1], str | int | float):
        return Malformed("the message id is missing or no string", text, None, int(kind))
    message_id = elements[1]
    if not isinstance(message_id, str):
        message_id = str(message_id)
        _note(notes, "message_id_not_text", "the message id is a number")
    match int(kind):
        case 2 | 6:
            return _call(int(kind), message_id, elements, text, notes)
        case 3:
            payload, raw = _payload(elements, 2, text, notes)
            return CallResult(message_id, payload, raw, notes)
    return _error(int(kind), message_id, elements, notes)


def _call(kind: int, message_id: str, elements: list[Any], text: str, notes: list[Violation]) -> Frame:
    if len(elements) < 3 or not isinstance(elements[2], str) or not elements[2]:
        return Malformed("the action is missing or no string", text, message_id, kind)
    payload, raw = _payload(elements, 3, text, notes)
    return Call(message_id, elements[2], payload, raw, notes, send=kind == SEND)


def _payload(elements: list[Any], place: int, text: str, notes: list[Violation]) -> tuple[dict[str, Any], str]:
    """The payload as an object and its original text; what is no object counts as an empty one, with a violation."""
    if len(elements) > place + 1:
        _note(notes, "extra_elements", f"{len(elements) - place - 1} element(s) stand after the payload")
    if len(elements) <= place:
        _note(notes, "payload_missing", "the payload is missing")
        return {}, "{}"
    payload = elements[place]
    raw = _element_text(text, place) if len(elements) == place + 1 else json.dumps(payload)
    if isinstance(payload, dict):
        return payload, raw
    code = "payload_null" if payload is None else "payload_not_an_object"
    _note(notes, code, f"the payload is {'null' if payload is None else type(payload).__name__}, not an object")
    return {}, raw


def _element_text(text: str, place: int) -> str:
    """The original text of the array's last element, which is number `place`."""
    position = text.index("[") + 1
    for _ in range(place):
        while text[position] in " \t\r\n":
            position += 1
        _, position = _DECODER.raw_decode(text, position)
        position = text.index(",", position) + 1
    return text[position : text.rindex("]")].strip()


def _error(kind: int, message_id: str, elements: list[Any], notes: list[Violation]) -> CallError:
    code, description, details = [*elements[2:5], None, None, None][:3]
    if len(elements) != 5:
        _note(notes, "wrong_arity", f"an error has {len(elements)} elements, not 5")
    return CallError(
        message_id,
        code if isinstance(code, str) else "GenericError",
        description if isinstance(description, str) else "",
        details if details is not None else {},
        notes,
        of_result=kind == CALLRESULTERROR,
    )


def _malformed(reason: str, text: str) -> Malformed:
    """Malformed, with the type and the message id where the beginning still tells them."""
    head = _LOOSE_HEAD.match(text)
    if head is None:
        return Malformed(reason, text)
    quoted, number = head[2], head[3]
    message_id = number if quoted is None else _unescaped(quoted)
    return Malformed(reason, text, message_id, int(head[1]) if len(head[1]) < 4 else None, head[4])


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _note(notes: list[Violation], code: str, message: str) -> None:
    notes.append({"code": code, "path": "", "message": message})


# ---------------------------------------------------------------- encoding


def _text(value: str) -> str:
    """A JSON string; lone surrogates, which UTF-8 cannot carry, stay escaped."""
    return json.dumps(value)


def _json(value: Mapping[str, Any] | bytes | str) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):
        return json.dumps(value, separators=(",", ":"))


def encode_call(message_id: str, action: str, payload: Mapping[str, Any] | bytes | str) -> str:
    """CALL, compact: some chargers choke on spaces. A payload given as bytes or text is JSON already."""
    return f"[2,{_text(message_id)},{_text(action)},{_json(payload)}]"


def encode_result(message_id: str, payload: Mapping[str, Any] | bytes | str) -> str:
    """CALLRESULT, compact."""
    return f"[3,{_text(message_id)},{_json(payload)}]"


def encode_error(
    message_id: str,
    code: str,
    description: str = "",
    details: Mapping[str, Any] | None = None,
    *,
    kind: int = CALLERROR,
) -> str:
    """CALLERROR, or CALLRESULTERROR with `kind` 5. The description is cut to the 255 characters that OCPP allows."""
    return f"[{kind},{_text(message_id)},{_text(code)},{_text(description[:255])},{_json(details or {})}]"


def encode_send(message_id: str, action: str, payload: Mapping[str, Any] | bytes | str) -> str:
    """SEND (OCPP 2.1), compact."""
    return f"[6,{_text(message_id)},{_text(action)},{_json(payload)}]"

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
from gateway.core.nesting import MAX_DEPTH, deeper_than
from gateway.ocpp import loose_json

CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND = 2, 3, 4, 5, 6

MAX_ELEMENTS = 16
"""How many elements a frame may have; OCPP's have three to five."""
MAX_FRAMES = 16
"""How many frames in one text are read."""
_ID = r'"([^"\\\x00-\x1f\ud800-\udfff]{1,36})"'
_HEAD = re.compile(
    rf'\s*\[\s*(?:2\s*,\s*{_ID}\s*,\s*"([A-Za-z0-9]{{1,64}})"|3\s*,\s*{_ID})\s*,\s*(?=\{{)', re.ASCII
).match
"""The head of a well-formed CALL or CALLRESULT."""
_LOOSE_HEAD = re.compile(
    r'\s*\[\s*,?\s*(\d{1,3})\s*,\s*(?:"((?:[^"\\]|\\.){0,255})"|(-?\d{1,30}))(?:\s*,\s*"([A-Za-z0-9]{1,64})")?'
).match
_BLANKS = " \t\r\n"
_BLANKS_AND_COMMAS = "," + _BLANKS


@dataclass(slots=True)
class Call:
    """CALL (2), or SEND (6) where `send` is true. `raw` is the payload's original text.

    `numeric_id` tells that the message id was a number, so that the answer can bear it as one; `is_json` that `raw` is
    known to be strictly valid JSON.
    """

    message_id: str
    action: str
    payload: dict[str, Any]
    raw: str
    violations: list[Violation] = field(default_factory=list)
    send: bool = False
    numeric_id: bool = False
    is_json: bool = False


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
    """What is no frame. Message id, `kind` (the frame's type number) and action are told where they can be read.

    `too_deep` is set where nothing but its depth is against it: see `made_shallow`.
    """

    reason: str
    text: str
    message_id: str | None = None
    kind: int | None = None
    action: str | None = None
    too_deep: bool = False


Frame = Call | CallResult | CallError | Malformed


def decode(text: str | bytes) -> list[Frame]:
    """The frames in a text: one, or several where a charger put them together. Never raises.

    On the fast path an integer beyond 64 bits becomes a float; `raw` has it unharmed.
    """
    notes: list[Violation] = []
    if isinstance(text, bytes):
        text = _as_text(text, notes)
    head = _HEAD(text)
    if head is not None and text.endswith("]"):
        raw = text[head.end() : -1]
        try:
            payload = orjson.loads(raw)
        except ValueError:
            return _decode_tolerantly(text, notes)
        if raw.count("{") + raw.count("[") < MAX_DEPTH or not deeper_than(payload, MAX_DEPTH):
            call_id, action, result_id = head.groups()
            if result_id is None:
                return [Call(call_id, action, payload, raw, notes, is_json=True)]
            return [CallResult(result_id, payload, raw, notes)]
    return _decode_tolerantly(text, notes)


def _as_text(received: bytes, notes: list[Violation]) -> str:
    try:
        return received.decode()
    except UnicodeDecodeError:
        _note(notes, "not_utf8", "the text is not UTF-8; what cannot be read is replaced")
        return received.decode(errors="replace")


def _decode_tolerantly(text: str, notes: list[Violation]) -> list[Frame]:
    # What is read is always as long as what was received, so that each payload can be told as it was written.
    readable = loose_json.without_noise(text).rstrip(_BLANKS_AND_COMMAS)
    begin = len(readable) - len(readable.lstrip(_BLANKS_AND_COMMAS))
    if begin == len(readable):
        return [Malformed("empty", text)]
    if "\x00" in text or readable[begin:] != text.strip(_BLANKS):
        _note(notes, "surrounding_noise", "a BOM, NUL bytes or commas stand around or in the frame")
    frames, valid = _read_frames(readable, text, begin, notes)
    if not valid:
        repaired = loose_json.without_stray_commas(readable)
        if repaired != readable:
            stray = _violation("stray_comma", "a comma stands where none may")
            again, valid = _read_frames(repaired, text, begin, [*notes, stray])
            frames = again if valid else frames
    return frames


def _read_frames(readable: str, text: str, begin: int, notes: list[Violation]) -> tuple[list[Frame], bool]:
    """The frames that stand one after the other in a text, and whether all of it is JSON."""
    frames: list[Frame] = []
    position = begin
    while position < len(readable):
        if len(frames) == MAX_FRAMES:
            return [*frames, Malformed(f"more than {MAX_FRAMES} frames in one text", text[position:])], True
        try:
            elements, end = loose_json.DECODER.raw_decode(readable, position)
        except RecursionError:
            return [*frames, _too_deep(text[position:])], True
        except ValueError:
            # What was read before the broken rest counts; the rest is told too.
            return [*frames, _malformed("not valid JSON", text[position:])], False
        if frames:
            _note(notes, "several_frames", "several frames stand in one text")
        frames.append(_frame(elements, readable[position:end], text[position:end], list(notes)))
        while end < len(readable) and readable[end] in _BLANKS_AND_COMMAS:
            end += 1
        position = end
    return frames, True


def _frame(elements: Any, readable: str, text: str, notes: list[Violation]) -> Frame:
    if not isinstance(elements, list) or not elements:
        return _malformed("not a JSON array", text)
    if len(elements) > MAX_ELEMENTS:
        return _malformed(f"more than {MAX_ELEMENTS} elements", text)
    if deeper_than(elements, MAX_DEPTH + 1):
        return _too_deep(text)
    try:
        orjson.loads(readable.replace("\x00", ""))
    except ValueError as error:
        _note(notes, "invalid_json", str(error))
    elements = loose_json.well_formed(elements, text)
    if "\x00" in text:
        elements = loose_json.without_nuls(elements)
    kind = elements[0]
    if isinstance(kind, str) and kind.strip().isascii() and kind.strip().isdigit() and len(kind) < 4:
        kind = int(kind)
        _note(notes, "frame_type_as_text", "the frame's type number is a string")
    if isinstance(kind, bool) or not isinstance(kind, int | float) or kind not in (2, 3, 4, 5, 6):
        return _malformed("the first element is no frame type from 2 to 6", text)
    action = elements[2] if len(elements) > 2 and isinstance(elements[2], str) else None
    if len(elements) < 2 or isinstance(elements[1], bool) or not isinstance(elements[1], str | int | float):
        return Malformed("the message id is missing or no string", text, None, int(kind), action)
    message_id = _message_id(elements[1], notes)
    if kind in (CALLERROR, CALLRESULTERROR):
        return _error(int(kind), message_id, elements, notes)
    place = 2 if kind == CALLRESULT else 3
    raw = "{}" if len(elements) <= place else text[_element_span(readable, place)]
    payload = _payload(elements, place, notes)
    if kind == CALLRESULT:
        return CallResult(message_id, payload, raw, notes)
    if len(elements) < 3 or not isinstance(elements[2], str) or not elements[2]:
        return Malformed("the action is missing or no string", text, message_id, int(kind))
    numeric = not isinstance(elements[1], str)
    return Call(message_id, elements[2], payload, raw, notes, send=kind == SEND, numeric_id=numeric)


def _message_id(written: str | int | float, notes: list[Violation]) -> str:
    if not isinstance(written, str):
        _note(notes, "message_id_not_text", "the message id is a number")
        return str(written)
    if not written:
        _note(notes, "message_id_empty", "the message id is empty")
    elif len(written) > 36:
        _note(notes, "message_id_too_long", f"the message id has {len(written)} characters, more than 36")
    return written


_TYPES = {type(None): "null", bool: "a boolean", str: "a string", list: "a list"}


def _payload(elements: list[Any], place: int, notes: list[Violation]) -> dict[str, Any]:
    """The payload as an object; what is no object counts as an empty one, with a violation."""
    if len(elements) > place + 1:
        _note(notes, "extra_elements", f"{len(elements) - place - 1} element(s) stand after the payload")
    if len(elements) <= place:
        _note(notes, "payload_missing", "the payload is missing")
        return {}
    payload = elements[place]
    if isinstance(payload, dict):
        return payload
    code = "payload_null" if payload is None else "payload_not_an_object"
    _note(notes, code, f"the payload is {_TYPES.get(type(payload), 'a number')}, not an object")
    if isinstance(payload, list) and len(payload) == 1 and isinstance(payload[0], dict):
        return payload[0]
    return {}


def _element_span(text: str, place: int) -> slice:
    """Where in the text of an array its element number `place` stands."""
    position = text.index("[") + 1
    while True:
        while text[position] in _BLANKS:
            position += 1
        begin = position
        _, position = loose_json.DECODER.raw_decode(text, position)
        if place == 0:
            return slice(begin, position)
        place -= 1
        position = text.index(",", position) + 1


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
    """Malformed, with type, message id and action where the beginning still tells them."""
    head = _LOOSE_HEAD(text)
    if head is None:
        return Malformed(reason, text)
    kind, quoted, number, action = head.groups()
    return Malformed(reason, text, number if quoted is None else _unescaped(quoted), int(kind), action)


def _too_deep(text: str) -> Malformed:
    frame = _malformed(f"nested deeper than {MAX_DEPTH} levels", text)
    frame.too_deep = True
    return frame


def made_shallow(frame: Malformed) -> Call | None:
    """A CALL that nests too deep, as one whose payload has null where it does, or is empty; `raw` is as it came."""
    notes = [_violation("too_deep", f"what nests deeper than {MAX_DEPTH} levels was not read")]
    head = _HEAD(frame.text)
    if head is None or head[1] is None:
        loose = _LOOSE_HEAD(frame.text)
        if loose is None or frame.kind != CALL or not frame.message_id or not frame.action:
            return None
        numeric = loose[2] is None
        return Call(frame.message_id, frame.action, {}, frame.text, notes, numeric_id=numeric)
    raw = frame.text[head.end() :].rstrip(_BLANKS).removesuffix("]")
    payload: dict[str, Any] = {}
    if len(raw) <= loose_json.MAX_REPAIRED:
        try:
            payload = _payload([loose_json.DECODER.decode(loose_json.cut_to(MAX_DEPTH, raw))], 0, notes)
        except ValueError:
            _note(notes, "invalid_json", "the payload cannot be read")
    return Call(head[1], head[2], loose_json.well_formed(payload, raw), raw, notes)


def _unescaped(text: str) -> str:
    try:
        read = str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        read = text
    return read.encode("utf-8", "replace").decode()


def _violation(code: str, message: str) -> Violation:
    return {"code": code, "path": "", "message": message}


def _note(notes: list[Violation], code: str, message: str) -> None:
    notes.append(_violation(code, message))


# ---------------------------------------------------------------- encoding


def _text(value: str) -> str:
    """A JSON string; lone surrogates, which UTF-8 cannot carry, stay escaped."""
    if value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return json.dumps(value)


def _json(value: Mapping[str, Any] | bytes | str) -> str:
    if isinstance(value, bytes):
        return value.decode() or "{}"
    if isinstance(value, str):
        return value or "{}"
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):
        return json.dumps(value, separators=(",", ":"))


def encode_call(message_id: str, action: str, payload: Mapping[str, Any] | bytes | str) -> str:
    """CALL, compact: some chargers choke on spaces. A payload given as bytes or text is JSON already."""
    return f"[2,{_text(message_id)},{_text(action)},{_json(payload)}]"


def encode_result(message_id: str, payload: Mapping[str, Any] | bytes | str, *, numeric_id: bool = False) -> str:
    """CALLRESULT, compact; with `numeric_id` the message id is written as the number that it was received as."""
    return f"[3,{message_id if numeric_id else _text(message_id)},{_json(payload)}]"


def encode_error(
    message_id: str,
    code: str,
    description: str = "",
    details: Mapping[str, Any] | None = None,
    *,
    kind: int = CALLERROR,
    numeric_id: bool = False,
) -> str:
    """CALLERROR, or CALLRESULTERROR with `kind` 5. The description is cut to the 255 characters that OCPP allows."""
    written_id = message_id if numeric_id else _text(message_id)
    return f"[{kind},{written_id},{_text(code)},{_text(description[:255])},{_json(details or {})}]"


def encode_send(message_id: str, action: str, payload: Mapping[str, Any] | bytes | str) -> str:
    """SEND (OCPP 2.1), compact."""
    return f"[6,{_text(message_id)},{_text(action)},{_json(payload)}]"

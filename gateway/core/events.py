"""Events as the outside sees them: CloudEvents 1.0 in structured JSON, the same bytes to every reader."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import orjson

from gateway.core.clock import rfc3339
from gateway.core.identity import ChargerId
from gateway.core.nesting import MAX_DEPTH, deeper_than

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
SCHEMA_BASE = "https://ocpp-gateway.dev/schemas/v1/"


class Violation(TypedDict):
    """One deviation of a message from its specification: `code`, where in the payload, and what was seen."""

    code: str
    path: str
    message: str


@dataclass(slots=True)
class Event:
    """What happened, before it is stamped with sequence and epoch.

    `type` is the CloudEvents type; `data` is snake_case; `subject` names evse/connector (`evse/1/connector/1`) or
    transaction (`transaction/<id>`); `time` is the charger's clock in RFC 3339, None where it is missing or
    unreadable. `key` is set for money events: their id derives from it alone, so a retransmission has the same id.
    """

    type: str
    data: dict[str, Any]
    subject: str | None = None
    time: str | None = None
    key: str | None = None


@dataclass(slots=True)
class Origin:
    """The OCPP message that an event comes from.

    `raw` is the payload's original text; `is_json` says that it is known to be valid JSON, so that nobody need look.
    """

    ocpp_version: str
    action: str
    message_id: str
    raw: str
    violations: Sequence[Violation] = field(default=())
    is_json: bool = False


@dataclass(slots=True)
class StampedEvent:
    """An event as the log holds it: `body` is the CloudEvent in JSON, final."""

    id: str
    type: str
    body: bytes


TOUCH = StampedEvent("", "", b"")
"""No event: it is in the log for a change that makes none, so that retained state follows. No receiver gets it."""


def stable_id(charger: ChargerId, key: str) -> str:
    """An id of 32 hex digits that depends on the charger and the key alone."""
    return hashlib.blake2b(f"{charger.key}|{key}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def fingerprint(payload: str) -> str:
    """24 hex digits that tell a payload from others."""
    return hashlib.blake2b(payload.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def stamp(
    event: Event,
    *,
    charger: ChargerId,
    epoch: int,
    sequence: int,
    recorded: float,
    origin: Origin | None = None,
    samples: bytes | None = None,
) -> StampedEvent:
    """Encode an event for the log; `samples` are those of its data where they are JSON already.

    `epoch` and `sequence` become fixed-width decimal strings (CloudEvents sequence extension), `recorded` (Unix
    seconds, the gateway's clock) `recordedtime`. Without a charger's time, `time` is the recorded one.
    """
    recorded_text = rfc3339(recorded)
    event_id = stable_id(charger, event.key) if event.key is not None else f"{epoch:016d}-{sequence:012d}"
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": charger.source,
        "type": event.type,
        "time": event.time or recorded_text,
        "datacontenttype": "application/json",
        "dataschema": f"{SCHEMA_BASE}{event.type}",
        "recordedtime": recorded_text,
        "epoch": f"{epoch:016d}",
        "sequence": f"{sequence:012d}",
    }
    if event.subject is not None:
        envelope["subject"] = event.subject
    data = event.data.copy()
    if samples is not None:
        data["samples"] = orjson.Fragment(samples)
    if origin is not None:
        envelope["ocppversion"] = origin.ocpp_version
        envelope["ocppaction"] = origin.action
        envelope["ocppmessageid"] = origin.message_id
        if origin.violations:
            data["violations"] = [*data.get("violations", ()), *origin.violations]
        data["raw"] = orjson.Fragment(origin.raw) if origin.is_json else _as_json_or_text(origin.raw)
    envelope["data"] = data
    return StampedEvent(event_id, event.type, to_json(envelope))


def _as_json_or_text(raw: str) -> orjson.Fragment | str:
    try:
        read = orjson.loads(raw)
    except ValueError:
        return raw.encode("utf-8", "replace").decode()
    if raw.count("{") + raw.count("[") > MAX_DEPTH and deeper_than(read, MAX_DEPTH + 1):
        return raw
    return orjson.Fragment(raw)


def to_json(value: Any) -> bytes:
    """JSON of anything that a charger may have sent; what JSON cannot hold is made tolerable (see `stamp`)."""
    try:
        return compact(orjson.dumps(value))
    except (TypeError, ValueError):
        return compact(orjson.dumps(_tolerable(value)))


def compact(json: bytes) -> bytes:
    """What orjson wrote, in no more memory than it takes.

    orjson hands out the buffer that it wrote into, whole: 16 KiB for an event of 2, 64 for one of 5. What waits for
    Redis held two to four times the memory.
    """
    return b"".join((json, b""))


def _tolerable(value: Any) -> Any:
    """A copy of `value` that JSON can hold: lone surrogates replaced, huge integers as they are, the rest as text."""
    if isinstance(value, dict):
        return {str(_tolerable(name)): _tolerable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tolerable(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        return orjson.Fragment(str(value))
    if value is None or isinstance(value, bool | int | float | orjson.Fragment):
        return value
    return str(value)

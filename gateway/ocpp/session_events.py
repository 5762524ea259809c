"""What a session tells its connection."""

from dataclasses import dataclass
from typing import Any

from gateway.core.events import Violation
from gateway.ocpp.profile import Inbound


@dataclass(slots=True)
class CallReceived:
    """The charger's CALL, to be answered. `inbound` is its row in the table, None for an action without one.

    `is_json` tells that `raw` is known to be strictly valid JSON.
    """

    message_id: str
    action: str
    payload: dict[str, Any]
    raw: str
    violations: list[Violation]
    inbound: Inbound | None
    is_json: bool = False


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


UNREADABLE_ANSWER = "the answer is unreadable"
"""Description of the CallFailed for an answer that could not be read: the charger may have said yes."""


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
class CallSuperseded:
    """A CALL of ours was not sent, and will not be: another took its place."""

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
    """Something that no rule foresees and the session survives.

    `detail` is fit for logs; `raw`, what was received, is not: it may hold tokens.
    """

    kind: str
    detail: str
    raw: str = ""


SessionEvent = (
    CallReceived
    | CallAnswered
    | CallFailed
    | CallTimedOut
    | CallExpired
    | CallLost
    | CallSuperseded
    | Transmit
    | Anomaly
)

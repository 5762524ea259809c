"""What a protocol version is to the gateway: tables from actions to reports, and from commands to calls.

Each version's folder (`v16`, `v201`, `v21`) holds its tables; `PROFILES` in `gateway.ocpp.profiles` names the
versions. The session and the connection know a version only through its `Profile`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from gateway.core.commands import Outcome
from gateway.core.events import Violation
from gateway.core.reports import ActiveTransaction, Report, Verdict


@dataclass(slots=True)
class Notes:
    """What a table needs to know while it reads a payload, and where it notes deviations.

    `time_zone` is that of a charger which sends local time; None means UTC.
    """

    violations: list[Violation] = field(default_factory=list)
    time_zone: tzinfo | None = None

    def violation(self, code: str, path: str, message: str) -> None:
        self.violations.append({"code": code, "path": path, "message": message})


@dataclass(frozen=True, slots=True)
class Inbound:
    """One row of the inbound table: what a charger's action means, and how it is answered.

    `translate` never raises for anything that a charger may send: what it cannot read it leaves out, with a
    violation. `money` marks actions that are never answered with CALLERROR. `answered` is false for SEND frames.
    """

    translate: Callable[[dict[str, Any], Notes], Report]
    reply: Callable[[Verdict], dict[str, Any]]
    money: bool = False
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """A CALL to be sent: action and payload, in OCPP's own casing."""

    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Station:
    """What is known of a charger when a command is turned into calls. `next_id` gives fresh 31-bit numbers."""

    transactions: Sequence[ActiveTransaction]
    next_id: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Answered:
    """A CALLRESULT's payload."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended, read from the charger's answers.

    `acted` is true where the charger may have acted on it although the outcome does not say so.
    """

    outcome: Outcome
    reason: str | None = None
    result: dict[str, Any] | None = None
    acted: bool = False


@dataclass(frozen=True, slots=True)
class Outbound:
    """One row of the outbound table: a neutral command as calls, and its result as read from their answers.

    `calls` raises CommandInvalid where the arguments do not fit the charger's state (no such transaction), and
    `CommandUnsupported` where this version cannot do what they ask. Calls are sent one after
    the other; `ending` gets every answer (CALLRESULTs only: a CALLERROR ends the command with `error`).
    """

    calls: Callable[[dict[str, Any], Station], list[Call]]
    ending: Callable[[list[Call], list[Answered]], Ending]


@dataclass(frozen=True, slots=True)
class ErrorCodes:
    """A version's own spelling of the CALLERROR codes (1.6: table 7 of OCPP-J; 2.x: part 4, section 4.3)."""

    formation_violation: str
    occurrence_constraint_violation: str
    not_implemented: str = "NotImplemented"
    not_supported: str = "NotSupported"
    internal_error: str = "InternalError"
    protocol_error: str = "ProtocolError"
    security_error: str = "SecurityError"
    property_constraint_violation: str = "PropertyConstraintViolation"
    type_constraint_violation: str = "TypeConstraintViolation"
    generic_error: str = "GenericError"
    message_type_not_supported: str = "MessageTypeNotSupported"


@dataclass(frozen=True, slots=True)
class Profile:
    """A protocol version: its names, error codes, tables, and all actions that it knows.

    `actions_in` and `actions_out` name every action of the version by direction (charger → CSMS, CSMS → charger);
    `sends` those that travel as SEND frames (2.1). `message_id_unknown` is the id of a CALLERROR for a frame whose
    id cannot be read, None where the version has no such rule (1.6: stay silent).
    """

    version: str
    subprotocol: str
    schema_package: str
    error_codes: ErrorCodes
    inbound: Mapping[str, Inbound]
    outbound: Mapping[str, Outbound]
    actions_in: frozenset[str]
    actions_out: frozenset[str]
    sends: frozenset[str] = frozenset()
    message_id_unknown: str | None = "-1"
    knows_call_result_error: bool = False

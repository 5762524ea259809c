"""What a protocol version is to the gateway: tables from actions to reports, and from commands to calls.

Each version's folder (`v16`, `v201`, `v21`) holds its tables; `PROFILES` in `gateway.ocpp.profiles` names the
versions. The session and the connection know a version only through its `Profile`.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Literal

from gateway.core.commands import Outcome
from gateway.core.events import Violation
from gateway.core.reports import ActiveTransaction, Limit, Report, Verdict

UnitCorrection = tuple[str, int]
"""What a unit really is, and the power of ten that values are scaled by to be in it: ("Wh", 3) for kWh."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """What is known of a make of chargers: how it strays, and how it wants to be spoken to.

    `time_zone` is that of a charger which sends local time; None means UTC. With `ignore_zone` its times are local
    whatever zone it writes. `units` corrects what is wrongly labelled: (measurand, unit as written) → what it is.
    `strict` overrides the listener's setting. The rest says what a charging limit may look like; None is unknown.
    """

    name: str = "standard"
    default_subprotocol: str | None = None
    probing: bool = False
    id_tag_length: int = 20
    strict: bool | None = None
    time_zone: tzinfo | None = None
    ignore_zone: bool = False
    units: Mapping[tuple[str, str], UnitCorrection] = field(default_factory=dict)
    rate_unit: Literal["A", "W"] | None = None
    max_stack_level: int | None = None
    phases: int | None = None
    voltage_v: float | None = None


STANDARD = Quirks()


@dataclass(slots=True)
class Notes:
    """What a table needs to know while it reads a payload, and where it notes deviations."""

    violations: list[Violation] = field(default_factory=list)
    quirks: Quirks = STANDARD

    def violation(self, code: str, path: str, message: str) -> None:
        self.violations.append({"code": code, "path": path, "message": message})

    def once(self, code: str, path: str, message: str) -> None:
        """Note what is the same all over a message, where it was not noted yet."""
        if all(violation["code"] != code for violation in self.violations):
            self.violation(code, path, message)


def empty_reply(verdict: Verdict) -> dict[str, Any]:
    """The reply to what wants nothing but a receipt: whatever was decided, an empty object."""
    return {}


@dataclass(frozen=True, slots=True)
class Inbound:
    """One row of the inbound table: what a charger's action means, and how it is answered.

    `event` is the type of its carrier event, None where it makes none (Heartbeat); for transactions and statuses the
    twin chooses among several, and this is the one for a first message. `translate` never raises for anything that a
    charger may send: what it cannot read it leaves out, with a violation. `asks` names the question that a responder
    is asked before the reply (see `gateway.core.answers`). `money` marks actions that are never answered with
    CALLERROR. `answered` is false for SEND frames. `asks_after` names a question that is asked once it is known what
    the message makes of its transaction, if somebody is set up to answer it.
    """

    event: str | None
    translate: Callable[[dict[str, Any], Notes], Report]
    reply: Callable[[Verdict], dict[str, Any]]
    asks: str | None = None
    money: bool = False
    answered: bool = True
    asks_after: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A CALL to be sent: action and payload, in OCPP's own casing."""

    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Station:
    """What is known of a charger when a command is turned into calls.

    `next_id` gives fresh 31-bit numbers; `limits` are by EVSE, 0 the whole charger; `evse_ids` those it has reported,
    `places` its connectors, each with its EVSE; `now` is the gateway's clock (RFC 3339).
    """

    transactions: Sequence[ActiveTransaction]
    next_id: Callable[[], int]
    limits: Mapping[int, Limit] = field(default_factory=dict)
    evse_ids: Sequence[int] = ()
    quirks: Quirks = STANDARD
    now: str = "2020-01-01T00:00:00.000Z"
    places: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A CALLRESULT's payload."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A CALLERROR: `code` as received, `canonical` in one spelling for all versions (`not_supported` ...)."""

    code: str
    canonical: str
    description: str = ""
    details: Any = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended, read from the charger's answers.

    `acted` is true where the charger may have acted on it although the outcome does not say so; `final` where nothing
    follows this yes, although the row says what would be followed. `awaiting` are the ids of requests whose reports are
    still to come: a followed command is over when there is none any more.
    """

    outcome: Outcome
    reason: str | None = None
    result: dict[str, Any] | None = None
    acted: bool = False
    final: bool = False
    awaiting: tuple[int, ...] = ()


Dialogue = Generator[Call, Answered | Refused, Ending]
"""The talk of one command: yields the next CALL, is sent its answer, returns the ending."""


@dataclass(frozen=True, slots=True)
class Follow:
    """What a charger sends after its yes, until the command is at its end.

    Events of type `event` that the charger makes from the first CALL on are shown to `ending`, oldest first, together
    with the yes and the calls; it returns None for one that belongs to something else, and while the work goes on. What
    it returns takes the place of the yes while it is `awaiting` more.
    Parts of a report are shown when the last has come, put together, with `complete` in their data.
    """

    event: str
    ending: Callable[[Ending, Sequence[Call], Mapping[str, Any]], Ending | None]


@dataclass(frozen=True, slots=True)
class Outbound:
    """One row of the outbound table: a neutral command as calls, and its result as read from their answers.

    `calls` raises CommandInvalid where the arguments do not fit the charger's state (no such transaction), and
    `CommandUnsupported` where this version cannot do what they ask. Calls are sent one after
    the other; `ending` gets every answer (CALLRESULTs only: a CALLERROR ends the command with `error`). `actions` are
    those that it may call. `follow` is for what the charger answers in messages of its own.
    """

    calls: Callable[[dict[str, Any], Station], list[Call]]
    ending: Callable[[list[Call], list[Answered]], Ending]
    actions: tuple[str, ...]
    follow: Follow | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row of the outbound table whose next call depends on the answer before; `talk` raises as `Outbound.calls`."""

    talk: Callable[[dict[str, Any], Station], Dialogue]
    actions: tuple[str, ...]
    follow: Follow | None = None


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
    outbound: Mapping[str, Outbound | Conversation]
    actions_in: frozenset[str]
    actions_out: frozenset[str]
    sends: frozenset[str] = frozenset()
    message_id_unknown: str | None = "-1"
    knows_call_result_error: bool = False

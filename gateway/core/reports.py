"""What a charger reported, in neutral form: the common tongue between the version tables and the twin.

A version's inbound table turns each payload into one of these. They carry facts only; what they mean for
transactions, state and events is decided once for all versions by `gateway.core.twin`.

Shapes that recur: `time` is RFC 3339 UTC with milliseconds, or None where the charger gave none that can be read
(the table then adds a violation). Energies are Wh. `evse_id` 0 is the charger itself; a 1.6 connector n > 0 is
evse n, connector 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

from gateway.core.answers import Answer


class Sample(TypedDict):
    """One sampled value. `value` is scaled to the unit (Wh, W, A, V, percent ...), a string where it is no number.

    `measurand`, `phase`, `location` and `context` keep OCPP's standard spelling; `phase` is None for an overall
    value. `signed` holds signed meter data untouched.
    """

    measurand: str
    value: float | int | str
    unit: str | None
    phase: str | None
    location: str | None
    context: str | None
    timestamp: str | None
    signed: NotRequired[Any]


@dataclass(slots=True, frozen=True)
class Token:
    """An id token as presented; `type` is OCPP 2.x's (`ISO14443`, `Central` ...), None from 1.6."""

    id: str
    type: str | None = None


@dataclass(slots=True)
class Heartbeat:
    """The charger is there; makes no event."""


@dataclass(slots=True)
class Boot:
    """A BootNotification; every field that was missing is None."""

    vendor: str | None
    model: str | None
    serial_number: str | None = None
    firmware_version: str | None = None
    reason: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None


@dataclass(slots=True)
class Status:
    """A connector's status in neutral spelling: available preparing charging suspended_ev suspended_evse finishing
    reserved unavailable faulted occupied, or the charger's own word in snake_case where it is none of these."""

    evse_id: int
    connector_id: int
    status: str
    time: str | None
    error_code: str | None = None
    vendor_error_code: str | None = None
    vendor_id: str | None = None
    info: str | None = None


@dataclass(slots=True)
class Authorization:
    """May this token charge? `details` are further facts for whoever decides (snake_case): the contract certificate
    and its hash data, the tariff wanted ..."""

    token: Token
    evse_id: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Meter:
    """Samples outside TransactionEvent. `ocpp_transaction_id` is what a 1.6 charger wrote, as text, or None."""

    evse_id: int
    connector_id: int | None
    samples: list[Sample]
    time: str | None
    ocpp_transaction_id: str | None = None


@dataclass(slots=True)
class Transaction:
    """Start, update or end of a transaction, of any version.

    1.6: `kind` is started (StartTransaction, no `ocpp_transaction_id` yet, `meter_wh` is meterStart) or ended
    (StopTransaction, `meter_wh` is meterStop, `evse_id` unknown and None). 2.x: every TransactionEvent, with `seq_no`.
    """

    kind: Literal["started", "updated", "ended"]
    time: str | None
    evse_id: int | None = None
    connector_id: int | None = None
    ocpp_transaction_id: str | None = None
    token: Token | None = None
    meter_wh: float | int | None = None
    samples: list[Sample] = field(default_factory=list)
    stop_reason: str | None = None
    trigger: str | None = None
    charging_state: str | None = None
    seq_no: int | None = None
    offline: bool = False
    reservation_id: int | None = None
    remote_start_id: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    """Further facts that go into the event's data as they are (snake_case): cable_max_current_a, phases_used ..."""


@dataclass(slots=True, frozen=True)
class Part:
    """That a notice is one part of a report which comes in several.

    `items` names the list in the notice's data that the parts fill together; `sequence` counts the parts from 0, None
    where OCPP does not number them, so that the order of arrival counts. Where the items are pieces of one text,
    `text` names the field that holds it, None until it is whole.
    """

    items: str
    request_id: int | None
    last: bool
    sequence: int | None = None
    text: str | None = None


@dataclass(slots=True, frozen=True)
class Problem:
    """Whether something is wrong with a connector (of EVSE 0: with the charger), whatever its status says."""

    evse_id: int
    connector_id: int
    present: bool
    code: str | None = None
    info: str | None = None


@dataclass(slots=True)
class Notice:
    """A report that changes no transaction: one event of `type` with `data` (firmware, variables, data transfer ...).

    `changes` are fields of the charger's snapshot that follow from it, e.g. {"firmware_status": "downloading"};
    `statuses` and `problems` what it says of connectors (2.x NotifyEvent), which goes into their state without events
    of their own; connector 0 of an EVSE stands for the EVSE.
    """

    type: str
    data: dict[str, Any]
    subject: str | None = None
    time: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    part: Part | None = None


@dataclass(slots=True)
class Untranslated:
    """An unknown action, or a payload that says nothing: passes raw as `ocpp.message`."""


Report = Heartbeat | Boot | Status | Authorization | Meter | Transaction | Notice | Untranslated


@dataclass(slots=True, frozen=True)
class TokenDecision:
    """The answer to "may this token charge?": `status` is OCPP's AuthorizationStatus in snake_case.

    accepted blocked expired invalid concurrent_tx no_credit not_allowed_type_evse not_at_this_location
    not_at_this_time unknown. `decided_by` names the policy that said so. The rest is for OCPP 2.x alone:
    `evse_ids` are the only EVSEs it may charge at, `certificate_status` is AuthorizeCertificateStatus in snake_case.
    """

    status: str
    expires_at: str | None = None
    group: str | None = None
    decided_by: str = "local"
    evse_ids: tuple[int, ...] = ()
    charging_priority: int | None = None
    personal_message: str | None = None
    certificate_status: str | None = None


@dataclass(slots=True, frozen=True)
class BootDecision:
    """The answer to a boot: accepted, pending or rejected, and the heartbeat interval in seconds."""

    status: str
    interval: int
    decided_by: str = "local"


@dataclass(slots=True)
class Verdict:
    """All that a reply table needs to write the CALLRESULT: what was decided, and the gateway's clock (RFC 3339).

    `answer` is the decision on any question but authorize and boot (a model of `gateway.core.questions`), None where
    nobody decided; `request` is the charger's payload as received, in which anything may stand.
    """

    now: str
    token: TokenDecision | None = None
    boot: BootDecision | None = None
    transaction_id: int | None = None
    """The id given to a 1.6 transaction."""
    answer: Answer | None = None
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActiveTransaction:
    """A running transaction as the outbound tables need it."""

    id: str
    ocpp_transaction_id: str
    evse_id: int
    connector_id: int


@dataclass(frozen=True, slots=True)
class Carrier:
    """How a charger took a limit: the stack level and purpose of the charging profile that it accepted, and its unit
    where it had refused the other."""

    unit: Literal["A", "W"] | None
    stack_level: int
    purpose: str


@dataclass(frozen=True, slots=True)
class Limit:
    """The charging limit that a user set on an EVSE (0: the whole charger), and whether charging is paused there.

    `until` is RFC 3339; `carrier` is known once the charger has accepted a limit there, also after it was lifted.
    """

    current_a: float | None = None
    power_w: float | None = None
    paused: bool = False
    phases: int | None = None
    until: str | None = None
    carrier: Carrier | None = None

    @property
    def is_set(self) -> bool:
        """Whether the charger holds a profile for it."""
        return self.paused or self.current_a is not None or self.power_w is not None

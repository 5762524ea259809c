"""What stands in `data` of each event, for openapi/asyncapi.yaml. Consumers ignore keys that they do not know."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from gateway.core.connector_state import ConnectorError, Number, TokenFacts


class Violation(TypedDict):
    """One deviation of a message from its specification."""

    code: str
    path: str
    message: str


class FromMessage(TypedDict):
    """What the data of every event carries that comes from an OCPP message."""

    violations: NotRequired[list[Violation]]
    raw: NotRequired[Any]
    """The OCPP payload as received; text where it is not JSON, left out where the broker takes no packet so large."""


class Connected(TypedDict):
    """A charger came online."""

    ocpp_version: str | None
    remote_address: str | None
    node: str
    security: str | None


class Disconnected(TypedDict):
    """A charger's connection ended."""

    reason: str


class Removed(TypedDict):
    """A charger was deleted; its retained topics are cleared."""

    connectors: list[list[int]]


class ProtocolViolation(TypedDict):
    """A charger sent what OCPP-J does not allow."""

    code: str
    message: str
    raw: str


class Unresponsive(TypedDict):
    """A charger that is connected and speaks does not answer calls any more, or (`unresponsive` false) does again."""

    unresponsive: bool
    unanswered_calls: int


class Booted(FromMessage):
    """A BootNotification, and how it was answered. `interval` is in seconds."""

    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    iccid: str | None
    imsi: str | None
    meter_type: str | None
    meter_serial_number: str | None
    reason: str | None
    status: str
    interval: int
    decided_by: str


class ChargerStatus(FromMessage):
    """The state of the charger itself."""

    status: str | None
    previous_status: str | None
    error: ConnectorError | None
    enabled: bool | None
    vendor_id: str | None


class ConnectorStatus(FromMessage):
    """The state of a connector: available preparing charging suspended_ev suspended_evse finishing reserved
    unavailable faulted occupied, or the charger's own word."""

    evse_id: int
    connector_id: int
    status: str | None
    previous_status: str | None
    error: ConnectorError | None
    reported_status: NotRequired[str | None]
    plugged: NotRequired[bool | None]
    charging: NotRequired[bool | None]
    iec61851: NotRequired[str | None]
    enabled: NotRequired[bool | None]
    transaction_id: NotRequired[str | None]
    vendor_id: NotRequired[str | None]


class Sample(TypedDict):
    """One sampled value, scaled to its unit; measurand, phase, location and context keep OCPP's spelling."""

    measurand: str
    value: Number | str
    unit: str | None
    phase: str | None
    location: str | None
    context: str | None
    timestamp: str | None
    signed: NotRequired[Any]


class MeterValues(FromMessage):
    """Samples that belong to no running transaction; those of one travel in `transaction.updated`."""

    evse_id: int | None
    connector_id: int | None
    transaction_id: NotRequired[str | None]
    ocpp_transaction_id: NotRequired[str | None]
    samples: list[Sample]


class TransactionEvent(FromMessage):
    """A transaction as it stands after this event.

    Of a message that repeats or completes what ended before, only the ids and what it adds are given.
    """

    transaction_id: str
    ocpp_transaction_id: str | None
    evse_id: int | None
    connector_id: int | None
    transaction_sequence: NotRequired[int]
    token: NotRequired[TokenFacts | None]
    authorized_by: NotRequired[str | None]
    authorization_status: NotRequired[str | None]
    reservation_id: NotRequired[int | None]
    remote_start_id: NotRequired[int | None]
    started_at: NotRequired[str | None]
    ended_at: NotRequired[str | None]
    duration_s: NotRequired[float | None]
    meter_start_wh: NotRequired[Number | None]
    meter_stop_wh: NotRequired[Number | None]
    energy_wh: NotRequired[Number | None]
    energy_method: NotRequired[str]
    stop_reason: NotRequired[str | None]
    charging_state: NotRequired[str | None]
    trigger: NotRequired[str | None]
    offline: NotRequired[bool]
    samples: NotRequired[list[Sample]]
    suspect: NotRequired[list[str]]
    revision: NotRequired[int]
    pending_end: NotRequired[bool]


class AuthorizationDecided(FromMessage):
    """A token was presented, and what was said to it."""

    token: TokenFacts
    evse_id: int | None
    status: str
    expires_at: str | None
    group: str | None
    decided_by: str


class FirmwareStatus(FromMessage):
    """How a firmware update goes on."""

    status: str | None
    request_id: int | None


class VendorData(FromMessage):
    """A vendor's own message (DataTransfer)."""

    vendor_id: str | None
    message_id: str | None
    data: Any


class VariablesEvent(FromMessage):
    """What a charger's device model noticed (NotifyEvent); comes in parts."""

    events: list[dict[str, Any]]
    sequence_number: int | None
    to_be_continued: bool


class VariablesReported(FromMessage):
    """Variables with attributes and characteristics (NotifyReport); comes in parts."""

    request_id: int | None
    variables: list[dict[str, Any]]
    sequence_number: int | None
    to_be_continued: bool


LogGap = TypedDict("LogGap", {"dropped": int, "from": str, "until": str})
"""`from` cannot be an attribute's name."""


class RawMessage(FromMessage):
    """A message that has no neutral event of its own; `ocppaction` and `raw` say what it is."""

    direction: Literal["received", "sent"]


EVENTS: dict[str, type] = {
    "ocpp.charger.connected": Connected,
    "ocpp.charger.disconnected": Disconnected,
    "ocpp.charger.removed": Removed,
    "ocpp.charger.violation": ProtocolViolation,
    "ocpp.charger.unresponsive": Unresponsive,
    "ocpp.charger.booted": Booted,
    "ocpp.charger.status": ChargerStatus,
    "ocpp.connector.status": ConnectorStatus,
    "ocpp.meter.values": MeterValues,
    "ocpp.transaction.started": TransactionEvent,
    "ocpp.transaction.updated": TransactionEvent,
    "ocpp.transaction.ended": TransactionEvent,
    "ocpp.transaction.corrected": TransactionEvent,
    "ocpp.authorization.decided": AuthorizationDecided,
    "ocpp.firmware.status": FirmwareStatus,
    "ocpp.data.transfer": VendorData,
    "ocpp.variables.event": VariablesEvent,
    "ocpp.variables.reported": VariablesReported,
    "ocpp.log.gap": LogGap,
}
"""Every event type, and what its `data` holds."""

MEANINGS = {
    "ocpp.transaction.started": "A transaction began.",
    "ocpp.transaction.updated": "Something about a running transaction changed, or was measured.",
    "ocpp.transaction.ended": "A transaction ended. Sent once, with revision 1.",
    "ocpp.transaction.corrected": "What became known after the end: the whole record, with the next revision.",
    "ocpp.log.gap": "Events of a charger were dropped because the log was full: how many, and between which times.",
}
"""What a type means where its schema's docstring does not tell."""

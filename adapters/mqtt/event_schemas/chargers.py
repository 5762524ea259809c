"""Events of a charger itself and of its connectors."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas.base import Asked, FromMessage
from gateway.core.connector_state import ConnectorError


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


class SecurityEvent(FromMessage):
    """A security event of the charger: startup_of_the_device, firmware_updated, tamper_detection_activated ..."""

    type: str | None
    tech_info: str | None


class VendorData(Asked):
    """A vendor's own message (DataTransfer)."""

    vendor_id: str | None
    message_id: str | None
    data: Any


LogGap = TypedDict("LogGap", {"dropped": int, "from": str, "until": str})
"""`from` cannot be an attribute's name."""


class MessageError(TypedDict):
    """What a CALLERROR or CALLRESULTERROR says; its details are `raw`."""

    code: str
    description: str


class RawMessage(FromMessage):
    """A message that has no neutral event of its own; where `[chargers] raw_messages` names the charger, any message.

    `ocppaction`, `ocppmessageid` and `raw` (the payload) say what it is. An answer bears the action of its request,
    whose payload is `request`; the action is `unknown` where that is not known. What has no neutral event comes without
    `kind`, whatever is set.
    """

    direction: Literal["received", "sent"]
    kind: NotRequired[Literal["call", "result", "error", "send", "result_error", "unreadable"]]
    request: NotRequired[Any]
    error: NotRequired[MessageError]

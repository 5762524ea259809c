"""Events of firmware, logs, displays, customers and reservations."""

from typing import NotRequired

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas.base import FromMessage, PartOfReport


class StatusInfo(TypedDict):
    """What a charger says beside a status."""

    reason_code: str | None
    additional_info: str | None


class FirmwareStatus(FromMessage):
    """How a firmware update goes on."""

    status: str | None
    request_id: int | None
    status_info: StatusInfo | None


class FirmwarePublished(FromMessage):
    """How a local controller goes on that publishes a firmware; `locations` are where chargers find it."""

    status: str | None
    request_id: int | None
    status_info: StatusInfo | None
    locations: list[str]


class LogStatus(FromMessage):
    """How the upload of a log goes on: uploading, uploaded, upload_failure, idle ...

    `log_type` is diagnostics for OCPP 1.6's DiagnosticsStatusNotification, else null: the request said which.
    """

    status: str | None
    request_id: int | None
    status_info: StatusInfo | None
    log_type: str | None


class DisplayedText(TypedDict):
    """A text in one language; `format` is ascii, html, uri, utf8 or qrcode."""

    format: str | None
    language: str | None
    text: str | None


class DisplayedMessage(DisplayedText):
    """A message, as the command display_message takes it."""

    id: int | None
    priority: str | None
    state: str | None
    starts_at: str | None
    ends_at: str | None
    ocpp_transaction_id: str | None
    display: str | None
    display_instance: str | None
    evse_id: int | None
    connector_id: int | None
    extra: list[DisplayedText]


class DisplayMessages(PartOfReport):
    """The messages that a charger has for its display (NotifyDisplayMessages); comes in parts."""

    messages: list[DisplayedMessage]


class CustomerInformation(PartOfReport):
    """What a charger knows of a customer, in pieces of text; `data` is the whole once it is complete."""

    pieces: list[str]
    data: NotRequired[str | None]


class ReservationUpdated(FromMessage):
    """A reservation ended by itself: expired, removed or no_transaction."""

    reservation_id: int | None
    status: str | None

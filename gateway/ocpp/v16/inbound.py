"""What a charger's calls mean in OCPP 1.6: the table is INBOUND, at the end."""

from collections.abc import Mapping
from typing import Any

from gateway.core.reports import (
    Authorization,
    Boot,
    Meter,
    Report,
    Status,
    Token,
    Transaction,
    Untranslated,
)
from gateway.ocpp.fields import identifier, integer, snake_case, text, word
from gateway.ocpp.notices import data_transfer, firmware_status, heartbeat, log_status, security_event
from gateway.ocpp.profile import Inbound, Notes
from gateway.ocpp.samples import SAMPLES_16, read_meter_values, read_register_16
from gateway.ocpp.timestamps import read_timestamp
from gateway.ocpp.tokens import read_token_id
from gateway.ocpp.v16 import replies
from gateway.ocpp.v16.notices.certificates import sign_certificate
from gateway.ocpp.v16.notices.logs import diagnostics_status

Payload = dict[str, Any]

DEFAULT_STOP_REASON = "Local"
"""Section 6.49: the reason may be left out where it is Local."""


def boot_notification(payload: Payload, notes: Notes) -> Report:
    """Section 4.2. chargeBoxSerialNumber is the deprecated name of the serial number."""
    serial_number = text(payload, "chargePointSerialNumber", notes)
    return Boot(
        vendor=text(payload, "chargePointVendor", notes),
        model=text(payload, "chargePointModel", notes),
        serial_number=serial_number or text(payload, "chargeBoxSerialNumber", notes),
        firmware_version=text(payload, "firmwareVersion", notes),
        iccid=text(payload, "iccid", notes),
        imsi=text(payload, "imsi", notes),
        meter_type=text(payload, "meterType", notes),
        meter_serial_number=text(payload, "meterSerialNumber", notes),
    )


def status_notification(payload: Payload, notes: Notes) -> Report:
    """Section 4.9. The error code NoError becomes None."""
    evse_id, connector_id = _evse_and_connector(payload, notes)
    status = text(payload, "status", notes)
    if evse_id is None or connector_id is None or not status:
        notes.violation("untranslatable", "", "a status without connectorId or status says nothing")
        return Untranslated()
    error_code = text(payload, "errorCode", notes)
    return Status(
        evse_id=evse_id,
        connector_id=connector_id,
        status=snake_case(status),
        time=read_timestamp(payload.get("timestamp"), notes, ("timestamp",)),
        error_code=None if error_code == "NoError" else error_code,
        vendor_error_code=text(payload, "vendorErrorCode", notes),
        vendor_id=text(payload, "vendorId", notes),
        info=text(payload, "info", notes),
    )


def authorize(payload: Payload, notes: Notes) -> Report:
    """Section 4.1. A missing token is an empty one, which nobody accepts."""
    return Authorization(_token(payload, notes) or Token(""))


def start_transaction(payload: Payload, notes: Notes) -> Report:
    """Section 4.8. A missing token is an empty one, which nobody accepts."""
    evse_id, connector_id = _evse_and_connector(payload, notes)
    return Transaction(
        kind="started",
        time=read_timestamp(payload.get("timestamp"), notes, ("timestamp",)),
        evse_id=evse_id,
        connector_id=connector_id,
        token=_token(payload, notes) or Token(""),
        meter_wh=read_register_16(payload, "meterStart", notes),
        reservation_id=integer(payload, "reservationId", notes),
    )


def meter_values(payload: Payload, notes: Notes) -> Report:
    """Section 4.7. Without a connectorId the samples are the charger's."""
    evse_id, connector_id = _evse_and_connector(payload, notes)
    samples, time = read_meter_values(payload, "meterValue", SAMPLES_16, notes)
    return Meter(
        evse_id=evse_id or 0,
        connector_id=connector_id,
        samples=samples,
        time=time,
        ocpp_transaction_id=identifier(payload, "transactionId", notes),
    )


def stop_transaction(payload: Payload, notes: Notes) -> Report:
    """Section 4.10."""
    samples, _ = read_meter_values(payload, "transactionData", SAMPLES_16, notes)
    return Transaction(
        kind="ended",
        time=read_timestamp(payload.get("timestamp"), notes, ("timestamp",)),
        ocpp_transaction_id=identifier(payload, "transactionId", notes),
        token=_token(payload, notes),
        meter_wh=read_register_16(payload, "meterStop", notes),
        samples=samples,
        stop_reason=word(payload, "reason", notes) or snake_case(DEFAULT_STOP_REASON),
    )


def _token(payload: Payload, notes: Notes) -> Token | None:
    found = read_token_id(payload, "idTag", notes)
    return Token(found) if found else None


def _evse_and_connector(payload: Payload, notes: Notes) -> tuple[int | None, int | None]:
    """Connector n > 0 is EVSE n, connector 1; connector 0 is the charger itself."""
    connector = integer(payload, "connectorId", notes)
    if connector is None or connector < 0:
        notes.violation("connector_missing", "/connectorId", "no connector is named")
        return None, None
    return connector, 1 if connector else 0


INBOUND: Mapping[str, Inbound] = {
    # action → (its event, what it means, how it is answered, what is asked)
    "Authorize": Inbound("ocpp.authorization.decided", authorize, replies.authorize, asks="authorize"),
    "BootNotification": Inbound("ocpp.charger.booted", boot_notification, replies.boot_notification, asks="boot"),
    "DataTransfer": Inbound("ocpp.data.transfer", data_transfer, replies.data_transfer, asks="data_transfer"),
    "DiagnosticsStatusNotification": Inbound("ocpp.log.status", diagnostics_status, replies.empty),
    "FirmwareStatusNotification": Inbound("ocpp.firmware.status", firmware_status, replies.empty),
    "Heartbeat": Inbound(None, heartbeat, replies.heartbeat),
    "MeterValues": Inbound("ocpp.meter.values", meter_values, replies.empty, money=True),
    "StartTransaction": Inbound(
        "ocpp.transaction.started", start_transaction, replies.start_transaction, asks="authorize", money=True
    ),
    "StatusNotification": Inbound("ocpp.connector.status", status_notification, replies.empty),
    "StopTransaction": Inbound(
        "ocpp.transaction.ended", stop_transaction, replies.stop_transaction, asks="authorize", money=True
    ),
    # Security extension
    "LogStatusNotification": Inbound("ocpp.log.status", log_status, replies.empty),
    "SecurityEventNotification": Inbound("ocpp.charger.security", security_event, replies.empty),
    "SignCertificate": Inbound(
        "ocpp.certificate.requested", sign_certificate, replies.sign_certificate, asks="sign_certificate"
    ),
    "SignedFirmwareStatusNotification": Inbound("ocpp.firmware.status", firmware_status, replies.empty),
}

"""What a charger's calls mean in OCPP 2.0.1: the table is INBOUND, at the end."""

from collections.abc import Mapping
from typing import Any, Literal

from gateway.core.reports import Authorization, Boot, Meter, Report, Status, Token, Transaction, Untranslated
from gateway.ocpp.fields import boolean, identifier, integer, mapping, snake_case, text, word
from gateway.ocpp.notices import data_transfer, firmware_status, heartbeat, log_status, security_event
from gateway.ocpp.profile import Inbound, Notes
from gateway.ocpp.samples import SAMPLES_2X, read_meter_values
from gateway.ocpp.shapes import each
from gateway.ocpp.timestamps import read_timestamp
from gateway.ocpp.tokens import read_token_id
from gateway.ocpp.v201 import replies
from gateway.ocpp.v201.notices import certificates, charging
from gateway.ocpp.v201.notices.customers import customer_information
from gateway.ocpp.v201.notices.device_model import notify_event, notify_monitoring_report, notify_report
from gateway.ocpp.v201.notices.display import display_messages
from gateway.ocpp.v201.notices.firmware import published_firmware_status
from gateway.ocpp.v201.notices.reservations import reservation_status
from gateway.ocpp.v201.notices.tokens import ADDITIONAL_INFO

Payload = dict[str, Any]

EVENT_TYPES: Mapping[str, Literal["started", "updated", "ended"]] = {
    # TransactionEventEnumType → kind
    "Started": "started",
    "Updated": "updated",
    "Ended": "ended",
}


def boot_notification(payload: Payload, notes: Notes) -> Report:
    """Use case B01."""
    station, at = mapping(payload, "chargingStation", notes), ("chargingStation",)
    modem = mapping(station, "modem", notes, at)
    return Boot(
        vendor=text(station, "vendorName", notes, at),
        model=text(station, "model", notes, at),
        serial_number=text(station, "serialNumber", notes, at),
        firmware_version=text(station, "firmwareVersion", notes, at),
        reason=word(payload, "reason", notes),
        iccid=text(modem, "iccid", notes, (*at, "modem")),
        imsi=text(modem, "imsi", notes, (*at, "modem")),
    )


def status_notification(payload: Payload, notes: Notes) -> Report:
    """Use case G01. A missing connectorId is the EVSE's connector 1."""
    evse_id = integer(payload, "evseId", notes)
    connector_id = integer(payload, "connectorId", notes)
    status = text(payload, "connectorStatus", notes)
    if evse_id is None or evse_id < 0 or not status:
        notes.violation("untranslatable", "", "a status without evseId or connectorStatus says nothing")
        return Untranslated()
    if connector_id is None or connector_id < 0:
        connector_id = 1 if evse_id else 0
    return Status(
        evse_id=evse_id,
        connector_id=connector_id,
        status=snake_case(status),
        time=read_timestamp(payload.get("timestamp"), notes, ("timestamp",)),
    )


def authorize(payload: Payload, notes: Notes) -> Report:
    """Use cases C01, C07. A missing token is an empty one, which nobody accepts."""
    return Authorization(read_token(payload, notes) or Token(""), details=_presented(payload, notes))


def meter_values(payload: Payload, notes: Notes) -> Report:
    """Use case J01: samples outside transactions. Without an evseId they are the charger's."""
    samples, time = read_meter_values(payload, "meterValue", SAMPLES_2X, notes)
    return Meter(
        evse_id=_not_negative(integer(payload, "evseId", notes)) or 0,
        connector_id=None,
        samples=samples,
        time=time,
    )


def transaction_event(payload: Payload, notes: Notes) -> Report:
    """Use cases E01 to E15. The EVSE may be missing once it is known."""
    info = mapping(payload, "transactionInfo", notes)
    in_info = ("transactionInfo",)
    evse = mapping(payload, "evse", notes)
    samples, _ = read_meter_values(payload, "meterValue", SAMPLES_2X, notes)
    return Transaction(
        kind=_kind(payload, notes),
        time=read_timestamp(payload.get("timestamp"), notes, ("timestamp",)),
        evse_id=_not_negative(integer(evse, "id", notes, ("evse",))),
        connector_id=_not_negative(integer(evse, "connectorId", notes, ("evse",))),
        ocpp_transaction_id=identifier(info, "transactionId", notes, in_info),
        token=read_token(payload, notes),
        samples=samples,
        stop_reason=word(info, "stoppedReason", notes, in_info),
        trigger=word(payload, "triggerReason", notes),
        charging_state=word(info, "chargingState", notes, in_info),
        seq_no=integer(payload, "seqNo", notes),
        offline=boolean(payload, "offline", notes) or False,
        reservation_id=integer(payload, "reservationId", notes),
        remote_start_id=integer(info, "remoteStartId", notes, in_info),
        details=_details(payload, info, notes),
    )


def read_token(payload: Payload, notes: Notes) -> Token | None:
    """The idToken; also one written as plain text. An empty one counts only as NoAuthorization."""
    written = payload.get("idToken")
    if written is None:
        return None
    if type(written) is not dict:
        plain = read_token_id(payload, "idToken", notes)
        return Token(plain) if plain else None
    found = read_token_id(written, "idToken", notes, ("idToken",)) or ""
    kind = text(written, "type", notes, ("idToken",))
    return Token(found, kind) if found or kind else None


def _kind(payload: Payload, notes: Notes) -> Literal["started", "updated", "ended"]:
    written = payload.get("eventType")
    kind = EVENT_TYPES.get(written.strip().capitalize()) if type(written) is str else None
    if kind is None:
        # Neither a beginning nor an end may be made up, so what cannot be read is an update.
        notes.violation("event_type_unknown", "/eventType", "neither Started, Updated nor Ended; taken as Updated")
        return "updated"
    return kind


def _details(payload: Payload, info: Payload, notes: Notes) -> dict[str, Any]:
    details = {
        "cable_max_current_a": integer(payload, "cableMaxCurrent", notes),
        "phases_used": integer(payload, "numberOfPhasesUsed", notes),
        "time_spent_charging_s": integer(info, "timeSpentCharging", notes, ("transactionInfo",)),
    }
    found: dict[str, Any] = {name: value for name, value in details.items() if value is not None}
    return found | _additional_info(payload, notes)


def _presented(payload: Payload, notes: Notes) -> dict[str, Any]:
    """What was presented beside the token: a contract certificate, or the hashes of its chain (C07)."""
    details = _additional_info(payload, notes)
    certificate = text(payload, "certificate", notes)
    if certificate is not None:
        details["certificate"] = certificate
    hashes = certificates.read_certificate_hashes(payload, "iso15118CertificateHashData", notes, ())
    if hashes:
        details["certificate_hashes"] = hashes
    return details


def _additional_info(payload: Payload, notes: Notes) -> dict[str, Any]:
    """Further ids of the same driver, beside the token's own."""
    token = payload.get("idToken")
    if type(token) is not dict or "additionalInfo" not in token:
        return {}
    return {"token_additional_info": each(ADDITIONAL_INFO)(token, "additionalInfo", notes, ("idToken",))}


def _not_negative(value: int | None) -> int | None:
    return None if value is None or value < 0 else value


INBOUND: Mapping[str, Inbound] = {
    # action → (its event, what it means, how it is answered, what is asked)
    "Authorize": Inbound("ocpp.authorization.decided", authorize, replies.authorize, asks="authorize"),
    "BootNotification": Inbound("ocpp.charger.booted", boot_notification, replies.boot_notification, asks="boot"),
    "ClearedChargingLimit": Inbound("ocpp.charging.limit", charging.cleared_charging_limit, replies.empty),
    "DataTransfer": Inbound("ocpp.data.transfer", data_transfer, replies.data_transfer, asks="data_transfer"),
    "FirmwareStatusNotification": Inbound("ocpp.firmware.status", firmware_status, replies.empty),
    "Get15118EVCertificate": Inbound(
        "ocpp.certificate.ev_requested", certificates.ev_certificate, replies.ev_certificate, asks="ev_certificate"
    ),
    "GetCertificateStatus": Inbound(
        "ocpp.certificate.status_requested",
        certificates.certificate_status,
        replies.certificate_status,
        asks="certificate_status",
    ),
    "Heartbeat": Inbound(None, heartbeat, replies.heartbeat),
    "LogStatusNotification": Inbound("ocpp.log.status", log_status, replies.empty),
    "MeterValues": Inbound("ocpp.meter.values", meter_values, replies.empty, money=True),
    "NotifyChargingLimit": Inbound("ocpp.charging.limit", charging.charging_limit, replies.empty),
    "NotifyCustomerInformation": Inbound("ocpp.customer.information", customer_information, replies.empty),
    "NotifyDisplayMessages": Inbound("ocpp.display.messages", display_messages, replies.empty),
    "NotifyEVChargingNeeds": Inbound(
        "ocpp.charging.needs", charging.charging_needs, replies.charging_needs, asks="charging_needs"
    ),
    "NotifyEVChargingSchedule": Inbound(
        "ocpp.charging.schedule", charging.ev_schedule, replies.charging_schedule, asks="charging_schedule"
    ),
    "NotifyEvent": Inbound("ocpp.variables.event", notify_event, replies.empty),
    "NotifyMonitoringReport": Inbound("ocpp.variables.monitoring", notify_monitoring_report, replies.empty),
    "NotifyReport": Inbound("ocpp.variables.reported", notify_report, replies.empty),
    "PublishFirmwareStatusNotification": Inbound("ocpp.firmware.published", published_firmware_status, replies.empty),
    "ReportChargingProfiles": Inbound("ocpp.charging.profiles", charging.charging_profiles, replies.empty),
    "ReservationStatusUpdate": Inbound("ocpp.reservation.updated", reservation_status, replies.empty),
    "SecurityEventNotification": Inbound("ocpp.charger.security", security_event, replies.empty),
    "SignCertificate": Inbound(
        "ocpp.certificate.requested", certificates.sign_certificate, replies.sign_certificate, asks="sign_certificate"
    ),
    "StatusNotification": Inbound("ocpp.connector.status", status_notification, replies.empty),
    "TransactionEvent": Inbound(
        "ocpp.transaction.updated",
        transaction_event,
        replies.transaction_event,
        asks="authorize",
        money=True,
        asks_after="transaction_cost",
    ),
}

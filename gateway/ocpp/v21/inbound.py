"""What a charger's calls mean in OCPP 2.1: the table is INBOUND, at the end."""

from collections.abc import Mapping
from typing import Any

from gateway.core.reports import Report, Transaction
from gateway.ocpp.fields import boolean, integer, mapping, number, text, word
from gateway.ocpp.notices import data_transfer, firmware_status, heartbeat, log_status, security_event
from gateway.ocpp.profile import Inbound, Notes
from gateway.ocpp.v21 import replies as replies21
from gateway.ocpp.v21.notices import der, streams
from gateway.ocpp.v21.notices.battery import battery_swap
from gateway.ocpp.v21.notices.certificates import certificate_chain_status
from gateway.ocpp.v21.notices.charging import dynamic_schedule_requested, priority_charging
from gateway.ocpp.v21.notices.costs import read_costs
from gateway.ocpp.v21.notices.payment import settlement, vat_check
from gateway.ocpp.v201 import inbound as v201
from gateway.ocpp.v201 import replies
from gateway.ocpp.v201.notices import certificates, charging
from gateway.ocpp.v201.notices.customers import customer_information
from gateway.ocpp.v201.notices.device_model import notify_event, notify_monitoring_report, notify_report
from gateway.ocpp.v201.notices.display import display_messages
from gateway.ocpp.v201.notices.firmware import published_firmware_status
from gateway.ocpp.v201.notices.reservations import reservation_status

Payload = dict[str, Any]


def transaction_event(payload: Payload, notes: Notes) -> Report:
    """As in 2.0.1, with 2.1's further facts among the details."""
    report = v201.transaction_event(payload, notes)
    info = payload.get("transactionInfo")
    if isinstance(report, Transaction) and type(info) is dict:
        report.details |= _details(payload, info, notes)
    return report


def _details(payload: Payload, info: Payload, notes: Notes) -> dict[str, Any]:
    at = ("transactionInfo",)
    details: dict[str, Any] = {
        "preconditioning_status": word(payload, "preconditioningStatus", notes),
        "evse_sleep": boolean(payload, "evseSleep", notes),
        "operation_mode": word(info, "operationMode", notes, at),
        "tariff_id": text(info, "tariffId", notes, at),
        "costs": read_costs(payload, notes) if "costDetails" in payload else None,
    }
    limit = mapping(info, "transactionLimit", notes, at)
    if limit:
        at_limit = (*at, "transactionLimit")
        details["transaction_limit"] = {
            "max_cost": number(limit, "maxCost", notes, at_limit),
            "max_energy_wh": number(limit, "maxEnergy", notes, at_limit),
            "max_time_s": integer(limit, "maxTime", notes, at_limit),
            "max_soc_percent": integer(limit, "maxSoC", notes, at_limit),
        }
    return {name: value for name, value in details.items() if value is not None}


INBOUND: Mapping[str, Inbound] = {
    # action → (its event, what it means, how it is answered, what is asked)
    "Authorize": Inbound("ocpp.authorization.decided", v201.authorize, replies21.authorize, asks="authorize"),
    "BatterySwap": Inbound("ocpp.battery.swap", battery_swap, replies.empty),
    "BootNotification": Inbound("ocpp.charger.booted", v201.boot_notification, replies.boot_notification, asks="boot"),
    "ClearedChargingLimit": Inbound("ocpp.charging.limit", charging.cleared_charging_limit, replies.empty),
    "ClosePeriodicEventStream": Inbound("ocpp.stream.closed", streams.stream_closed, replies.empty),
    "DataTransfer": Inbound("ocpp.data.transfer", data_transfer, replies.data_transfer, asks="data_transfer"),
    "FirmwareStatusNotification": Inbound("ocpp.firmware.status", firmware_status, replies.empty),
    "Get15118EVCertificate": Inbound(
        "ocpp.certificate.ev_requested", certificates.ev_certificate, replies21.ev_certificate, asks="ev_certificate"
    ),
    "GetCertificateChainStatus": Inbound(
        "ocpp.certificate.chain_status_requested",
        certificate_chain_status,
        replies21.certificate_chain_status,
        asks="certificate_chain_status",
    ),
    "GetCertificateStatus": Inbound(
        "ocpp.certificate.status_requested",
        certificates.certificate_status,
        replies21.certificate_status,
        asks="certificate_status",
    ),
    "Heartbeat": Inbound(None, heartbeat, replies.heartbeat),
    "LogStatusNotification": Inbound("ocpp.log.status", log_status, replies.empty),
    "MeterValues": Inbound("ocpp.meter.values", v201.meter_values, replies.empty, money=True),
    "NotifyChargingLimit": Inbound("ocpp.charging.limit", charging.charging_limit, replies.empty),
    "NotifyCustomerInformation": Inbound("ocpp.customer.information", customer_information, replies.empty),
    "NotifyDERAlarm": Inbound("ocpp.der.alarm", der.der_alarm, replies.empty),
    "NotifyDERStartStop": Inbound("ocpp.der.start_stop", der.der_start_stop, replies.empty),
    "NotifyDisplayMessages": Inbound("ocpp.display.messages", display_messages, replies.empty),
    "NotifyEVChargingNeeds": Inbound(
        "ocpp.charging.needs", charging.charging_needs, replies21.charging_needs, asks="charging_needs"
    ),
    "NotifyEVChargingSchedule": Inbound(
        "ocpp.charging.schedule", charging.ev_schedule, replies.charging_schedule, asks="charging_schedule"
    ),
    "NotifyEvent": Inbound("ocpp.variables.event", notify_event, replies.empty),
    "NotifyMonitoringReport": Inbound("ocpp.variables.monitoring", notify_monitoring_report, replies.empty),
    "NotifyPeriodicEventStream": Inbound("ocpp.stream.data", streams.stream_data, replies.empty, answered=False),
    "NotifyPriorityCharging": Inbound("ocpp.charging.priority", priority_charging, replies.empty),
    "NotifyReport": Inbound("ocpp.variables.reported", notify_report, replies.empty),
    "NotifySettlement": Inbound("ocpp.payment.settled", settlement, replies21.settlement, asks="settlement"),
    "OpenPeriodicEventStream": Inbound(
        "ocpp.stream.opened", streams.stream_opened, replies21.event_stream, asks="event_stream"
    ),
    "PublishFirmwareStatusNotification": Inbound("ocpp.firmware.published", published_firmware_status, replies.empty),
    "PullDynamicScheduleUpdate": Inbound(
        "ocpp.charging.dynamic_schedule_requested",
        dynamic_schedule_requested,
        replies21.dynamic_schedule,
        asks="dynamic_schedule",
    ),
    "ReportChargingProfiles": Inbound("ocpp.charging.profiles", charging.charging_profiles, replies.empty),
    "ReportDERControl": Inbound("ocpp.der.controls", der.der_controls, replies.empty),
    "ReservationStatusUpdate": Inbound("ocpp.reservation.updated", reservation_status, replies.empty),
    "SecurityEventNotification": Inbound("ocpp.charger.security", security_event, replies.empty),
    "SignCertificate": Inbound(
        "ocpp.certificate.requested", certificates.sign_certificate, replies.sign_certificate, asks="sign_certificate"
    ),
    "StatusNotification": Inbound("ocpp.connector.status", v201.status_notification, replies.empty),
    "TransactionEvent": Inbound(
        "ocpp.transaction.updated",
        transaction_event,
        replies21.transaction_event,
        asks="authorize",
        money=True,
        asks_after="transaction_cost",
    ),
    "VatNumberValidation": Inbound("ocpp.payment.vat_check", vat_check, replies21.vat_number, asks="vat_number"),
}

SENDS = frozenset(action for action, row in INBOUND.items() if not row.answered)

"""What a charger's calls mean in OCPP 2.1: the table is INBOUND, at the end."""

from collections.abc import Mapping
from typing import Any

from gateway.core.reports import Report, Transaction
from gateway.ocpp.fields import boolean, integer, mapping, number, text, word
from gateway.ocpp.notices import data_transfer, firmware_status, heartbeat, untranslated
from gateway.ocpp.profile import Inbound, Notes
from gateway.ocpp.v21 import replies as replies21
from gateway.ocpp.v201 import inbound as v201
from gateway.ocpp.v201 import replies
from gateway.ocpp.v201.variables import notify_event, notify_report

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
    "Authorize": Inbound("ocpp.authorization.decided", v201.authorize, replies.authorize, asks="authorize"),
    "BatterySwap": Inbound("ocpp.message", untranslated, replies.empty),
    "BootNotification": Inbound("ocpp.charger.booted", v201.boot_notification, replies.boot_notification, asks="boot"),
    "ClearedChargingLimit": Inbound("ocpp.message", untranslated, replies.empty),
    "ClosePeriodicEventStream": Inbound("ocpp.message", untranslated, replies.empty),
    "DataTransfer": Inbound("ocpp.data.transfer", data_transfer, replies.data_transfer, asks="data_transfer"),
    "FirmwareStatusNotification": Inbound("ocpp.firmware.status", firmware_status, replies.empty),
    "Get15118EVCertificate": Inbound("ocpp.message", untranslated, replies.no_ev_certificate, asks="ev_certificate"),
    "GetCertificateChainStatus": Inbound(
        "ocpp.message", untranslated, replies21.no_certificate_chain, asks="certificate_chain_status"
    ),
    "GetCertificateStatus": Inbound("ocpp.message", untranslated, replies.failed, asks="certificate_status"),
    "Heartbeat": Inbound(None, heartbeat, replies.heartbeat),
    "LogStatusNotification": Inbound("ocpp.message", untranslated, replies.empty),
    "MeterValues": Inbound("ocpp.meter.values", v201.meter_values, replies.empty, money=True),
    "NotifyChargingLimit": Inbound("ocpp.message", untranslated, replies.empty),
    "NotifyCustomerInformation": Inbound("ocpp.message", untranslated, replies.empty),
    "NotifyDERAlarm": Inbound("ocpp.message", untranslated, replies.empty),
    "NotifyDERStartStop": Inbound("ocpp.message", untranslated, replies.empty),
    "NotifyDisplayMessages": Inbound("ocpp.message", untranslated, replies.empty),
    "NotifyEVChargingNeeds": Inbound("ocpp.message", untranslated, replies.rejected, asks="charging_needs"),
    "NotifyEVChargingSchedule": Inbound("ocpp.message", untranslated, replies.accepted, asks="charging_schedule"),
    "NotifyEvent": Inbound("ocpp.variables.event", notify_event, replies.empty),
    "NotifyMonitoringReport": Inbound("ocpp.message", untranslated, replies.empty),
    "NotifyPeriodicEventStream": Inbound("ocpp.message", untranslated, replies.empty, answered=False),
    "NotifyPriorityCharging": Inbound("ocpp.message", untranslated, replies.empty),
    "NotifyReport": Inbound("ocpp.variables.reported", notify_report, replies.empty),
    "NotifySettlement": Inbound("ocpp.message", untranslated, replies.empty, asks="settlement"),
    "OpenPeriodicEventStream": Inbound("ocpp.message", untranslated, replies.rejected, asks="event_stream"),
    "PublishFirmwareStatusNotification": Inbound("ocpp.message", untranslated, replies.empty),
    "PullDynamicScheduleUpdate": Inbound("ocpp.message", untranslated, replies.rejected, asks="dynamic_schedule"),
    "ReportChargingProfiles": Inbound("ocpp.message", untranslated, replies.empty),
    "ReportDERControl": Inbound("ocpp.message", untranslated, replies.empty),
    "ReservationStatusUpdate": Inbound("ocpp.message", untranslated, replies.empty),
    "SecurityEventNotification": Inbound("ocpp.message", untranslated, replies.empty),
    "SignCertificate": Inbound("ocpp.message", untranslated, replies.rejected, asks="sign_certificate"),
    "StatusNotification": Inbound("ocpp.connector.status", v201.status_notification, replies.empty),
    "TransactionEvent": Inbound(
        "ocpp.transaction.updated", transaction_event, replies.transaction_event, asks="authorize", money=True
    ),
    "VatNumberValidation": Inbound("ocpp.message", untranslated, replies21.vat_number_not_validated, asks="vat_number"),
}

SENDS = frozenset(action for action, row in INBOUND.items() if not row.answered)

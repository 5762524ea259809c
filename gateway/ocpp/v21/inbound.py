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
    # action → (what it means, how it is answered)
    "Authorize": Inbound(v201.authorize, replies.authorize),
    "BatterySwap": Inbound(untranslated, replies.empty),
    "BootNotification": Inbound(v201.boot_notification, replies.boot_notification),
    "ClearedChargingLimit": Inbound(untranslated, replies.empty),
    "ClosePeriodicEventStream": Inbound(untranslated, replies.empty),
    "DataTransfer": Inbound(data_transfer, replies.data_transfer),
    "FirmwareStatusNotification": Inbound(firmware_status, replies.empty),
    "Get15118EVCertificate": Inbound(untranslated, replies.no_ev_certificate),
    "GetCertificateChainStatus": Inbound(untranslated, replies21.no_certificate_chain),
    "GetCertificateStatus": Inbound(untranslated, replies.failed),
    "Heartbeat": Inbound(heartbeat, replies.heartbeat),
    "LogStatusNotification": Inbound(untranslated, replies.empty),
    "MeterValues": Inbound(v201.meter_values, replies.empty, money=True),
    "NotifyChargingLimit": Inbound(untranslated, replies.empty),
    "NotifyCustomerInformation": Inbound(untranslated, replies.empty),
    "NotifyDERAlarm": Inbound(untranslated, replies.empty),
    "NotifyDERStartStop": Inbound(untranslated, replies.empty),
    "NotifyDisplayMessages": Inbound(untranslated, replies.empty),
    "NotifyEVChargingNeeds": Inbound(untranslated, replies.rejected),
    "NotifyEVChargingSchedule": Inbound(untranslated, replies.accepted),
    "NotifyEvent": Inbound(notify_event, replies.empty),
    "NotifyMonitoringReport": Inbound(untranslated, replies.empty),
    "NotifyPeriodicEventStream": Inbound(untranslated, replies.empty, answered=False),
    "NotifyPriorityCharging": Inbound(untranslated, replies.empty),
    "NotifyReport": Inbound(notify_report, replies.empty),
    "NotifySettlement": Inbound(untranslated, replies.empty),
    "OpenPeriodicEventStream": Inbound(untranslated, replies.rejected),
    "PublishFirmwareStatusNotification": Inbound(untranslated, replies.empty),
    "PullDynamicScheduleUpdate": Inbound(untranslated, replies.rejected),
    "ReportChargingProfiles": Inbound(untranslated, replies.empty),
    "ReportDERControl": Inbound(untranslated, replies.empty),
    "ReservationStatusUpdate": Inbound(untranslated, replies.empty),
    "SecurityEventNotification": Inbound(untranslated, replies.empty),
    "SignCertificate": Inbound(untranslated, replies.rejected),
    "StatusNotification": Inbound(v201.status_notification, replies.empty),
    "TransactionEvent": Inbound(transaction_event, replies.transaction_event, money=True),
    "VatNumberValidation": Inbound(untranslated, replies21.vat_number_not_validated),
}

SENDS = frozenset(action for action, row in INBOUND.items() if not row.answered)

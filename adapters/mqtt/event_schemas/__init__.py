"""What stands in `data` of each event, for openapi/asyncapi.yaml. Consumers ignore keys that they do not know."""

from adapters.mqtt.event_schemas import (
    certificates,
    chargers,
    charging,
    device_model,
    energy,
    needs,
    payment,
    transactions,
    upkeep,
)
from adapters.mqtt.event_schemas.chargers import RawMessage

__all__ = ["EVENTS", "MEANINGS", "RawMessage"]

EVENTS: dict[str, type] = {
    "ocpp.charger.connected": chargers.Connected,
    "ocpp.charger.disconnected": chargers.Disconnected,
    "ocpp.charger.removed": chargers.Removed,
    "ocpp.charger.violation": chargers.ProtocolViolation,
    "ocpp.charger.unresponsive": chargers.Unresponsive,
    "ocpp.charger.booted": chargers.Booted,
    "ocpp.charger.status": chargers.ChargerStatus,
    "ocpp.charger.security": chargers.SecurityEvent,
    "ocpp.connector.status": chargers.ConnectorStatus,
    "ocpp.meter.values": transactions.MeterValues,
    "ocpp.transaction.started": transactions.TransactionEvent,
    "ocpp.transaction.updated": transactions.TransactionEvent,
    "ocpp.transaction.ended": transactions.TransactionEvent,
    "ocpp.transaction.corrected": transactions.TransactionEvent,
    "ocpp.authorization.decided": transactions.AuthorizationDecided,
    "ocpp.reservation.updated": upkeep.ReservationUpdated,
    "ocpp.charging.limit": charging.ChargingLimit,
    "ocpp.charging.needs": needs.ChargingNeeds,
    "ocpp.charging.schedule": charging.EvSchedule,
    "ocpp.charging.profiles": charging.ChargingProfiles,
    "ocpp.charging.priority": charging.PriorityCharging,
    "ocpp.charging.dynamic_schedule_requested": charging.DynamicScheduleRequested,
    "ocpp.variables.reported": device_model.VariablesReported,
    "ocpp.variables.event": device_model.VariablesEvent,
    "ocpp.variables.monitoring": device_model.VariablesMonitoring,
    "ocpp.stream.opened": device_model.StreamOpened,
    "ocpp.stream.closed": device_model.StreamClosed,
    "ocpp.stream.data": device_model.StreamData,
    "ocpp.certificate.requested": certificates.CertificateRequested,
    "ocpp.certificate.ev_requested": certificates.EvCertificateRequested,
    "ocpp.certificate.status_requested": certificates.CertificateStatusRequested,
    "ocpp.certificate.chain_status_requested": certificates.CertificateChainStatusRequested,
    "ocpp.firmware.status": upkeep.FirmwareStatus,
    "ocpp.firmware.published": upkeep.FirmwarePublished,
    "ocpp.log.status": upkeep.LogStatus,
    "ocpp.display.messages": upkeep.DisplayMessages,
    "ocpp.customer.information": upkeep.CustomerInformation,
    "ocpp.data.transfer": chargers.VendorData,
    "ocpp.der.alarm": energy.DerAlarm,
    "ocpp.der.start_stop": energy.DerStartStop,
    "ocpp.der.controls": energy.DerControls,
    "ocpp.battery.swap": energy.BatterySwap,
    "ocpp.payment.settled": payment.PaymentSettled,
    "ocpp.payment.vat_check": payment.VatCheck,
    "ocpp.log.gap": chargers.LogGap,
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

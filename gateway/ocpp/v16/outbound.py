"""Neutral commands as OCPP 1.6 calls: the table is OUTBOUND."""

from collections.abc import Mapping

from gateway.ocpp.endings import by_status, by_status_and, upload_over
from gateway.ocpp.profile import Conversation, Follow, Outbound
from gateway.ocpp.v16.calls import access, certificates, charging, device, maintenance, transactions, variables

OUTBOUND: Mapping[str, Outbound | Conversation] = {
    # command → (its calls, how their answers are read, the actions called)
    # Transactions
    "start": Outbound(transactions.start, transactions.started, ("RemoteStartTransaction",)),
    "stop": Outbound(transactions.stop, by_status, ("RemoteStopTransaction",)),
    # Charging
    "set_charging_limit": Conversation(charging.set_charging_limit, ("SetChargingProfile", "GetConfiguration")),
    "clear_charging_limit": Conversation(charging.clear_charging_limit, ("ClearChargingProfile",)),
    "pause": Conversation(charging.pause, ("SetChargingProfile", "GetConfiguration")),
    "resume": Conversation(charging.resume, ("SetChargingProfile", "ClearChargingProfile", "GetConfiguration")),
    "get_composite_schedule": Outbound(
        charging.get_composite_schedule, charging.got_composite_schedule, ("GetCompositeSchedule",)
    ),
    "set_charging_profile": Outbound(charging.set_charging_profile, by_status, ("SetChargingProfile",)),
    "clear_charging_profile": Outbound(charging.clear_charging_profile, by_status, ("ClearChargingProfile",)),
    # The charger as a device
    "unlock": Outbound(device.unlock, by_status, ("UnlockConnector",)),
    "reset": Outbound(device.reset, by_status, ("Reset",)),
    "set_availability": Outbound(device.set_availability, by_status, ("ChangeAvailability",)),
    "trigger": Outbound(device.trigger, by_status, ("TriggerMessage", "ExtendedTriggerMessage")),
    "data_transfer": Outbound(device.data_transfer, device.data_transferred, ("DataTransfer",)),
    # Variables
    "get_variables": Conversation(variables.get_variables, ("GetConfiguration",)),
    "set_variables": Conversation(variables.set_variables, ("ChangeConfiguration",)),
    "get_report": Conversation(variables.get_report, ("GetConfiguration",)),
    # Firmware and logs
    "update_firmware": Outbound(
        maintenance.update_firmware, maintenance.firmware_asked_for, ("UpdateFirmware", "SignedUpdateFirmware")
    ),
    "get_log": Conversation(maintenance.get_log, ("GetDiagnostics", "GetLog"), Follow("ocpp.log.status", upload_over)),
    # Who may charge where
    "reserve": Outbound(access.reserve, by_status_and(reservation_id="reservationId"), ("ReserveNow",)),
    "cancel_reservation": Outbound(access.cancel_reservation, by_status, ("CancelReservation",)),
    "send_local_list": Conversation(
        access.send_local_list, ("SendLocalList", "GetLocalListVersion", "GetConfiguration")
    ),
    "get_local_list_version": Outbound(
        access.get_local_list_version, access.got_local_list_version, ("GetLocalListVersion",)
    ),
    "clear_cache": Outbound(access.clear_cache, by_status, ("ClearCache",)),
    # Certificates
    "install_certificate": Outbound(certificates.install_certificate, by_status, ("InstallCertificate",)),
    "delete_certificate": Outbound(certificates.delete_certificate, by_status, ("DeleteCertificate",)),
    "list_certificates": Outbound(
        certificates.list_certificates, certificates.listed_certificates, ("GetInstalledCertificateIds",)
    ),
    "send_certificate": Outbound(certificates.send_certificate, by_status, ("CertificateSigned",)),
}

ACTIONS_OUT = frozenset(action for row in OUTBOUND.values() for action in row.actions)
"""Every action that OCPP 1.6 lets the central system call: there is a command for each."""

"""Neutral commands as OCPP 2.0.1 calls: the table is OUTBOUND.

What differs in OCPP 2.1 takes the version as an argument; the rest is the same there.
"""

from collections.abc import Mapping

from gateway.ocpp.endings import by_status, by_status_and, received, report_promised, report_whole, upload_over
from gateway.ocpp.profile import Conversation, Follow, Outbound
from gateway.ocpp.v201.calls import (
    access,
    certificates,
    charging,
    device,
    display,
    maintenance,
    monitoring,
    network,
    transactions,
    variables,
)
from gateway.ocpp.v201.portions import MONITORS_CLEARED, MONITORS_SET, VARIABLES_READ, VARIABLES_SET, in_portions

OUTBOUND: Mapping[str, Outbound | Conversation] = {
    # command → (its calls, how their answers are read, the actions called)
    # Transactions
    "start": Outbound(transactions.start, transactions.started, ("RequestStartTransaction",)),
    "stop": Outbound(transactions.stop, by_status, ("RequestStopTransaction",)),
    "get_transaction_status": Outbound(
        transactions.get_transaction_status, transactions.got_transaction_status, ("GetTransactionStatus",)
    ),
    "update_cost": Outbound(transactions.update_cost, received, ("CostUpdated",)),
    # Charging
    "set_charging_limit": Conversation(charging.set_charging_limit, ("SetChargingProfile", "GetVariables")),
    "clear_charging_limit": Conversation(charging.clear_charging_limit, ("ClearChargingProfile",)),
    "pause": Conversation(charging.pause, ("SetChargingProfile", "GetVariables")),
    "resume": Conversation(charging.resume, ("SetChargingProfile", "ClearChargingProfile", "GetVariables")),
    "get_composite_schedule": Outbound(
        charging.get_composite_schedule, charging.got_composite_schedule, ("GetCompositeSchedule",)
    ),
    "set_charging_profile": Outbound(charging.set_charging_profile, by_status, ("SetChargingProfile",)),
    "clear_charging_profile": Outbound(
        charging.clear_charging_profile, charging.cleared_profiles, ("ClearChargingProfile",)
    ),
    "get_charging_profiles": Outbound(
        charging.get_charging_profiles,
        report_promised("profiles", "NoProfiles"),
        ("GetChargingProfiles",),
        Follow("ocpp.charging.profiles", report_whole("profiles")),
    ),
    # The charger as a device
    "unlock": Outbound(device.unlock, by_status, ("UnlockConnector",)),
    "reset": Outbound(device.reset, by_status, ("Reset",)),
    "set_availability": Outbound(device.set_availability, by_status, ("ChangeAvailability",)),
    "trigger": Outbound(device.trigger, device.triggered, ("TriggerMessage",)),
    "data_transfer": Outbound(device.data_transfer, device.data_transferred, ("DataTransfer",)),
    # Variables
    "get_variables": in_portions(
        Outbound(variables.get_variables, variables.got_variables, ("GetVariables",)), VARIABLES_READ
    ),
    "set_variables": in_portions(
        Outbound(variables.set_variables, variables.did_set_variables, ("SetVariables",)), VARIABLES_SET
    ),
    "get_report": Conversation(
        variables.get_report,
        ("GetBaseReport", "GetReport", "GetVariables"),
        Follow("ocpp.variables.reported", variables.reported),
    ),
    # Monitors of variables
    "set_monitoring": in_portions(
        Outbound(monitoring.set_monitoring, monitoring.did_set_monitoring, ("SetVariableMonitoring",)), MONITORS_SET
    ),
    "clear_monitoring": in_portions(
        Outbound(monitoring.clear_monitoring, monitoring.did_clear_monitoring, ("ClearVariableMonitoring",)),
        MONITORS_CLEARED,
    ),
    "get_monitoring_report": Outbound(
        monitoring.get_monitoring_report,
        report_promised("monitors", "EmptyResultSet"),
        ("GetMonitoringReport",),
        Follow("ocpp.variables.monitoring", report_whole("monitors")),
    ),
    "set_monitoring_base": Outbound(monitoring.set_monitoring_base, by_status, ("SetMonitoringBase",)),
    "set_monitoring_level": Outbound(monitoring.set_monitoring_level, by_status, ("SetMonitoringLevel",)),
    # Firmware and logs
    "update_firmware": Outbound(
        maintenance.update_firmware, by_status_and(request_id="requestId"), ("UpdateFirmware",)
    ),
    "publish_firmware": Outbound(
        maintenance.publish_firmware, by_status_and(request_id="requestId"), ("PublishFirmware",)
    ),
    "unpublish_firmware": Outbound(maintenance.unpublish_firmware, by_status, ("UnpublishFirmware",)),
    "get_log": Outbound(
        maintenance.get_log, maintenance.log_promised, ("GetLog",), Follow("ocpp.log.status", upload_over)
    ),
    # Who may charge where
    "reserve": Outbound(access.reserve, by_status_and(reservation_id="id"), ("ReserveNow",)),
    "cancel_reservation": Outbound(access.cancel_reservation, by_status, ("CancelReservation",)),
    "send_local_list": Conversation(access.send_local_list, ("SendLocalList", "GetLocalListVersion", "GetVariables")),
    "get_local_list_version": Outbound(
        access.get_local_list_version, access.got_local_list_version, ("GetLocalListVersion",)
    ),
    "clear_cache": Outbound(access.clear_cache, by_status, ("ClearCache",)),
    "customer_information": Outbound(
        access.customer_information,
        access.customer_promised,
        ("CustomerInformation",),
        Follow("ocpp.customer.information", access.customer_reported),
    ),
    # Certificates
    "install_certificate": Outbound(certificates.install_certificate, by_status, ("InstallCertificate",)),
    "delete_certificate": Outbound(certificates.delete_certificate, by_status, ("DeleteCertificate",)),
    "list_certificates": Outbound(
        certificates.list_certificates, certificates.listed_certificates, ("GetInstalledCertificateIds",)
    ),
    "send_certificate": Outbound(certificates.send_certificate, by_status, ("CertificateSigned",)),
    # The display
    "display_message": Outbound(display.display_message, display.message_set, ("SetDisplayMessage",)),
    "get_display_messages": Outbound(
        display.get_display_messages,
        report_promised("messages", "Unknown"),
        ("GetDisplayMessages",),
        Follow("ocpp.display.messages", report_whole("messages")),
    ),
    "clear_display_message": Outbound(display.clear_display_message, by_status, ("ClearDisplayMessage",)),
    # The way to the CSMS
    "set_network_profile": Outbound(network.set_network_profile, by_status, ("SetNetworkProfile",)),
}

ACTIONS_OUT = frozenset(action for row in OUTBOUND.values() for action in row.actions)
"""Every action that OCPP 2.0.1 lets the CSMS call: there is a command for each."""

"""Neutral commands as OCPP 2.1 calls: the table is OUTBOUND."""

from collections.abc import Mapping

from gateway.ocpp.endings import by_status, by_status_and, received, report_promised, report_whole, upload_over
from gateway.ocpp.profile import Conversation, Follow, Outbound
from gateway.ocpp.v21.calls import (
    access,
    certificates,
    charging,
    der,
    device,
    display,
    energy,
    maintenance,
    monitoring,
    network,
    tariffs,
    transactions,
    variables,
)
from gateway.ocpp.v201.calls import access as v201_access
from gateway.ocpp.v201.calls import certificates as v201_certificates
from gateway.ocpp.v201.calls import charging as v201_charging
from gateway.ocpp.v201.calls import device as v201_device
from gateway.ocpp.v201.calls import display as v201_display
from gateway.ocpp.v201.calls import maintenance as v201_maintenance
from gateway.ocpp.v201.calls import monitoring as v201_monitoring
from gateway.ocpp.v201.calls import transactions as v201_transactions
from gateway.ocpp.v201.calls import variables as v201_variables
from gateway.ocpp.v201.portions import MONITORS_CLEARED, MONITORS_SET, VARIABLES_READ, VARIABLES_SET, in_portions

OUTBOUND: Mapping[str, Outbound | Conversation] = {
    # command → (its calls, how their answers are read, the actions called)
    # Transactions
    "start": Outbound(transactions.start, v201_transactions.started, ("RequestStartTransaction",)),
    "stop": Outbound(v201_transactions.stop, by_status, ("RequestStopTransaction",)),
    "get_transaction_status": Outbound(
        v201_transactions.get_transaction_status, v201_transactions.got_transaction_status, ("GetTransactionStatus",)
    ),
    "update_cost": Outbound(v201_transactions.update_cost, received, ("CostUpdated",)),
    # Charging
    "set_charging_limit": Conversation(v201_charging.set_charging_limit, ("SetChargingProfile", "GetVariables")),
    "clear_charging_limit": Conversation(v201_charging.clear_charging_limit, ("ClearChargingProfile",)),
    "pause": Conversation(v201_charging.pause, ("SetChargingProfile", "GetVariables")),
    "resume": Conversation(v201_charging.resume, ("SetChargingProfile", "ClearChargingProfile", "GetVariables")),
    "get_composite_schedule": Outbound(
        v201_charging.get_composite_schedule, v201_charging.got_composite_schedule, ("GetCompositeSchedule",)
    ),
    "set_charging_profile": Outbound(charging.set_charging_profile, by_status, ("SetChargingProfile",)),
    "clear_charging_profile": Outbound(
        charging.clear_charging_profile, v201_charging.cleared_profiles, ("ClearChargingProfile",)
    ),
    "get_charging_profiles": Outbound(
        charging.get_charging_profiles,
        report_promised("profiles", "NoProfiles"),
        ("GetChargingProfiles",),
        Follow("ocpp.charging.profiles", report_whole("profiles")),
    ),
    "update_dynamic_schedule": Outbound(charging.update_dynamic_schedule, by_status, ("UpdateDynamicSchedule",)),
    "use_priority_charging": Outbound(charging.use_priority_charging, by_status, ("UsePriorityCharging",)),
    # Energy both ways
    "set_allowed_energy_transfer": Outbound(
        energy.set_allowed_energy_transfer, by_status, ("NotifyAllowedEnergyTransfer",)
    ),
    "send_afrr_signal": Outbound(energy.send_afrr_signal, by_status, ("AFRRSignal",)),
    "set_der_control": Outbound(der.set_der_control, der.did_set_der_control, ("SetDERControl",)),
    "get_der_control": Outbound(
        der.get_der_control,
        report_promised("controls", "NotFound"),
        ("GetDERControl",),
        Follow("ocpp.der.controls", report_whole("controls")),
    ),
    "clear_der_control": Outbound(der.clear_der_control, by_status, ("ClearDERControl",)),
    "request_battery_swap": Outbound(
        energy.request_battery_swap, by_status_and(request_id="requestId"), ("RequestBatterySwap",)
    ),
    # Tariffs and payment
    "set_default_tariff": Outbound(tariffs.set_default_tariff, by_status, ("SetDefaultTariff",)),
    "get_tariffs": Outbound(tariffs.get_tariffs, tariffs.got_tariffs, ("GetTariffs",)),
    "clear_tariffs": Outbound(tariffs.clear_tariffs, tariffs.cleared_tariffs, ("ClearTariffs",)),
    "change_transaction_tariff": Outbound(tariffs.change_transaction_tariff, by_status, ("ChangeTransactionTariff",)),
    "notify_web_payment_started": Outbound(energy.notify_web_payment_started, received, ("NotifyWebPaymentStarted",)),
    # Periodic event streams
    "adjust_event_stream": Outbound(energy.adjust_event_stream, by_status, ("AdjustPeriodicEventStream",)),
    "get_event_streams": Outbound(energy.get_event_streams, energy.got_event_streams, ("GetPeriodicEventStream",)),
    # The charger as a device
    "unlock": Outbound(v201_device.unlock, by_status, ("UnlockConnector",)),
    "reset": Outbound(device.reset, by_status, ("Reset",)),
    "set_availability": Outbound(v201_device.set_availability, by_status, ("ChangeAvailability",)),
    "trigger": Outbound(device.trigger, v201_device.triggered, ("TriggerMessage",)),
    "data_transfer": Outbound(v201_device.data_transfer, v201_device.data_transferred, ("DataTransfer",)),
    # Variables
    "get_variables": in_portions(
        Outbound(v201_variables.get_variables, v201_variables.got_variables, ("GetVariables",)), VARIABLES_READ
    ),
    "set_variables": in_portions(
        Outbound(variables.set_variables, v201_variables.did_set_variables, ("SetVariables",)), VARIABLES_SET
    ),
    "get_report": Conversation(
        v201_variables.get_report,
        ("GetBaseReport", "GetReport", "GetVariables"),
        Follow("ocpp.variables.reported", v201_variables.reported),
    ),
    # Monitors of variables
    "set_monitoring": in_portions(
        Outbound(monitoring.set_monitoring, v201_monitoring.did_set_monitoring, ("SetVariableMonitoring",)),
        MONITORS_SET,
    ),
    "clear_monitoring": in_portions(
        Outbound(v201_monitoring.clear_monitoring, v201_monitoring.did_clear_monitoring, ("ClearVariableMonitoring",)),
        MONITORS_CLEARED,
    ),
    "get_monitoring_report": Outbound(
        v201_monitoring.get_monitoring_report,
        report_promised("monitors", "EmptyResultSet"),
        ("GetMonitoringReport",),
        Follow("ocpp.variables.monitoring", report_whole("monitors")),
    ),
    "set_monitoring_base": Outbound(v201_monitoring.set_monitoring_base, by_status, ("SetMonitoringBase",)),
    "set_monitoring_level": Outbound(v201_monitoring.set_monitoring_level, by_status, ("SetMonitoringLevel",)),
    # Firmware and logs
    "update_firmware": Outbound(
        maintenance.update_firmware, by_status_and(request_id="requestId"), ("UpdateFirmware",)
    ),
    "publish_firmware": Outbound(
        maintenance.publish_firmware, by_status_and(request_id="requestId"), ("PublishFirmware",)
    ),
    "unpublish_firmware": Outbound(v201_maintenance.unpublish_firmware, by_status, ("UnpublishFirmware",)),
    "get_log": Outbound(
        maintenance.get_log, v201_maintenance.log_promised, ("GetLog",), Follow("ocpp.log.status", upload_over)
    ),
    # Who may charge where
    "reserve": Outbound(access.reserve, by_status_and(reservation_id="id"), ("ReserveNow",)),
    "cancel_reservation": Outbound(v201_access.cancel_reservation, by_status, ("CancelReservation",)),
    "send_local_list": Conversation(access.send_local_list, ("SendLocalList", "GetLocalListVersion", "GetVariables")),
    "get_local_list_version": Outbound(
        v201_access.get_local_list_version, v201_access.got_local_list_version, ("GetLocalListVersion",)
    ),
    "clear_cache": Outbound(v201_access.clear_cache, by_status, ("ClearCache",)),
    "customer_information": Outbound(
        access.customer_information,
        v201_access.customer_promised,
        ("CustomerInformation",),
        Follow("ocpp.customer.information", v201_access.customer_reported),
    ),
    # Certificates
    "install_certificate": Outbound(certificates.install_certificate, by_status, ("InstallCertificate",)),
    "delete_certificate": Outbound(v201_certificates.delete_certificate, by_status, ("DeleteCertificate",)),
    "list_certificates": Outbound(
        certificates.list_certificates, v201_certificates.listed_certificates, ("GetInstalledCertificateIds",)
    ),
    "send_certificate": Outbound(certificates.send_certificate, by_status, ("CertificateSigned",)),
    # The display
    "display_message": Outbound(display.display_message, v201_display.message_set, ("SetDisplayMessage",)),
    "get_display_messages": Outbound(
        display.get_display_messages,
        report_promised("messages", "Unknown"),
        ("GetDisplayMessages",),
        Follow("ocpp.display.messages", report_whole("messages")),
    ),
    "clear_display_message": Outbound(v201_display.clear_display_message, by_status, ("ClearDisplayMessage",)),
    # The way to the CSMS
    "set_network_profile": Outbound(network.set_network_profile, by_status, ("SetNetworkProfile",)),
}

ACTIONS_OUT = frozenset(action for row in OUTBOUND.values() for action in row.actions)
"""Every action that OCPP 2.1 lets the CSMS call: there is a command for each."""

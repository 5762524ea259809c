"""OCPP 2.0.1 and 2.1: every call that a CSMS may make, and how a charger obeys it."""

from collections.abc import Mapping

from gateway.simulator.dialect import Dialect, Obey
from gateway.simulator.obey2x import charging, der, device, keeping, monitoring, service, tariffs, transactions

OBEYS_201: Mapping[str, Obey] = {
    # action → what the charger does
    "CancelReservation": transactions.cancel_reservation,
    "CertificateSigned": service.certificate_signed,
    "ChangeAvailability": transactions.change_availability,
    "ClearCache": keeping.clear_cache,
    "ClearChargingProfile": charging.clear_charging_profile,
    "ClearDisplayMessage": keeping.clear_display_message,
    "ClearVariableMonitoring": monitoring.clear_variable_monitoring,
    "CostUpdated": transactions.cost_updated,
    "CustomerInformation": keeping.customer_information,
    "DataTransfer": transactions.data_transfer,
    "DeleteCertificate": keeping.delete_certificate,
    "GetBaseReport": device.get_base_report,
    "GetChargingProfiles": charging.get_charging_profiles,
    "GetCompositeSchedule": charging.get_composite_schedule,
    "GetDisplayMessages": keeping.get_display_messages,
    "GetInstalledCertificateIds": keeping.get_installed_certificate_ids,
    "GetLocalListVersion": keeping.get_local_list_version,
    "GetLog": service.get_log,
    "GetMonitoringReport": monitoring.get_monitoring_report,
    "GetReport": device.get_report,
    "GetTransactionStatus": transactions.get_transaction_status,
    "GetVariables": device.get_variables,
    "InstallCertificate": keeping.install_certificate,
    "PublishFirmware": service.publish_firmware,
    "RequestStartTransaction": transactions.request_start,
    "RequestStopTransaction": transactions.request_stop,
    "ReserveNow": transactions.reserve_now,
    "Reset": transactions.reset,
    "SendLocalList": keeping.send_local_list,
    "SetChargingProfile": charging.set_charging_profile,
    "SetDisplayMessage": keeping.set_display_message,
    "SetMonitoringBase": monitoring.set_monitoring_base,
    "SetMonitoringLevel": monitoring.set_monitoring_level,
    "SetNetworkProfile": device.set_network_profile,
    "SetVariableMonitoring": monitoring.set_variable_monitoring,
    "SetVariables": device.set_variables,
    "TriggerMessage": service.trigger_message,
    "UnlockConnector": transactions.unlock_connector,
    "UnpublishFirmware": service.unpublish_firmware,
    "UpdateFirmware": service.update_firmware,
}

OBEYS_21: Mapping[str, Obey] = {
    **OBEYS_201,
    "AFRRSignal": charging.afrr_signal,
    "AdjustPeriodicEventStream": monitoring.adjust_periodic_event_stream,
    "ChangeTransactionTariff": tariffs.change_transaction_tariff,
    "ClearDERControl": der.clear_der_control,
    "ClearTariffs": tariffs.clear_tariffs,
    "GetDERControl": der.get_der_control,
    "GetPeriodicEventStream": monitoring.get_periodic_event_stream,
    "GetTariffs": tariffs.get_tariffs,
    "NotifyAllowedEnergyTransfer": charging.notify_allowed_energy_transfer,
    "NotifyWebPaymentStarted": tariffs.notify_web_payment_started,
    "RequestBatterySwap": charging.request_battery_swap,
    "SetDERControl": der.set_der_control,
    "SetDefaultTariff": tariffs.set_default_tariff,
    "UpdateDynamicSchedule": charging.update_dynamic_schedule,
    "UsePriorityCharging": charging.use_priority_charging,
}

V201 = Dialect(
    version="2.0.1",
    subprotocol="ocpp2.0.1",
    wording=service.WORDING,
    obeys=OBEYS_201,
    malformed_code="FormatViolation",
    rejected_code="SecurityError",
)

V21 = Dialect(
    version="2.1",
    subprotocol="ocpp2.1",
    wording=service.WORDING,
    obeys=OBEYS_21,
    malformed_code="FormatViolation",
    rejected_code="SecurityError",
)

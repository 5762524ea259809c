"""OCPP 1.6: every call that a CSMS may make, and how a charger obeys it."""

from collections.abc import Mapping

from gateway.simulator.dialect import Dialect, Obey
from gateway.simulator.obey16 import charging, keeping, service

OBEYS: Mapping[str, Obey] = {
    # action → what the charger does
    "CancelReservation": charging.cancel_reservation,
    "ChangeAvailability": charging.change_availability,
    "ChangeConfiguration": keeping.change_configuration,
    "ClearCache": keeping.clear_cache,
    "ClearChargingProfile": charging.clear_charging_profile,
    "DataTransfer": service.data_transfer,
    "GetCompositeSchedule": charging.get_composite_schedule,
    "GetConfiguration": keeping.get_configuration,
    "GetDiagnostics": service.get_diagnostics,
    "GetLocalListVersion": keeping.get_local_list_version,
    "RemoteStartTransaction": charging.remote_start,
    "RemoteStopTransaction": charging.remote_stop,
    "ReserveNow": charging.reserve_now,
    "Reset": charging.reset,
    "SendLocalList": keeping.send_local_list,
    "SetChargingProfile": charging.set_charging_profile,
    "TriggerMessage": service.trigger_message,
    "UnlockConnector": charging.unlock_connector,
    "UpdateFirmware": service.update_firmware,
    # Security extension
    "CertificateSigned": keeping.certificate_signed,
    "DeleteCertificate": keeping.delete_certificate,
    "ExtendedTriggerMessage": service.extended_trigger_message,
    "GetInstalledCertificateIds": keeping.get_installed_certificate_ids,
    "GetLog": service.get_log,
    "InstallCertificate": keeping.install_certificate,
    "SignedUpdateFirmware": service.signed_update_firmware,
}

V16 = Dialect(
    version="1.6",
    subprotocol="ocpp1.6",
    wording=service.WORDING,
    obeys=OBEYS,
    malformed_code="FormationViolation",
    rejected_code=None,
)

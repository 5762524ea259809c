"""MessageTrigger: which messages a charger of each version can be asked to send."""

from collections.abc import Mapping

from gateway.core.errors import CommandInvalid, CommandUnsupported

TRIGGERS: Mapping[str, tuple[str, ...]] = {
    # message → versions. 1.6: TriggerMessage, section 7.37, and ExtendedTriggerMessage of the security extension
    "BootNotification": ("1.6", "2.0.1", "2.1"),
    "CustomTrigger": ("2.1",),
    "DiagnosticsStatusNotification": ("1.6",),
    "FirmwareStatusNotification": ("1.6", "2.0.1", "2.1"),
    "Heartbeat": ("1.6", "2.0.1", "2.1"),
    "LogStatusNotification": ("1.6", "2.0.1", "2.1"),
    "MeterValues": ("1.6", "2.0.1", "2.1"),
    "PublishFirmwareStatusNotification": ("2.0.1", "2.1"),
    "SignChargePointCertificate": ("1.6", "2.0.1", "2.1"),
    "SignChargingStationCertificate": ("1.6", "2.0.1", "2.1"),
    "SignCombinedCertificate": ("2.0.1", "2.1"),
    "SignV2G20Certificate": ("2.1",),
    "SignV2GCertificate": ("2.0.1", "2.1"),
    "SignedFirmwareStatusNotification": ("1.6",),
    "StatusNotification": ("1.6", "2.0.1", "2.1"),
    "TransactionEvent": ("2.0.1", "2.1"),
}

_OWN_NAMES: Mapping[str, Mapping[str, str]] = {
    # version → what it calls a message that has another name elsewhere
    "1.6": {"SignChargingStationCertificate": "SignChargePointCertificate"},
    "2.0.1": {"SignChargePointCertificate": "SignChargingStationCertificate"},
    "2.1": {"SignChargePointCertificate": "SignChargingStationCertificate"},
}


def checked_trigger(message: str, version: str) -> str:
    """The message by the version's own name, if the version can be asked for it.

    Raises CommandUnsupported naming the versions that can, CommandInvalid where none can.
    """
    versions = TRIGGERS.get(message)
    if versions is None:
        raise CommandInvalid(f"trigger: no message {message!r}; known are {', '.join(TRIGGERS)}")
    if version not in versions:
        raise CommandUnsupported(f"OCPP {version} cannot trigger {message}; versions that can: {', '.join(versions)}")
    return _OWN_NAMES[version].get(message, message)

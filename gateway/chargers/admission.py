"""What a charger may say, and be asked, whose last boot was answered with Pending or Rejected.

OCPP 2.x part 2, B02 and B03; OCPP 1.6 section 4.2. Nothing on record, as after a reconnect without a boot, is no
reason to refuse anything.
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.errors import CommandInvalid
from gateway.ocpp.profile import Call

ALWAYS = frozenset({"BootNotification"})

REMOTE_TRANSACTIONS = frozenset(
    {"RemoteStartTransaction", "RemoteStopTransaction", "RequestStartTransaction", "RequestStopTransaction"}
)
"""What may not be asked of a pending charger (1.6 section 4.2; 2.x B02.FR.05)."""

ASKED_FOR: Mapping[str, frozenset[str]] = {
    # what the charger was called with → what it then sends of its own
    "CustomerInformation": frozenset({"NotifyCustomerInformation"}),
    "GetBaseReport": frozenset({"NotifyReport"}),
    "GetChargingProfiles": frozenset({"ReportChargingProfiles"}),
    "GetDERControl": frozenset({"ReportDERControl"}),
    "GetDiagnostics": frozenset({"DiagnosticsStatusNotification"}),
    "GetDisplayMessages": frozenset({"NotifyDisplayMessages"}),
    "GetLog": frozenset({"LogStatusNotification"}),
    "GetMonitoringReport": frozenset({"NotifyMonitoringReport"}),
    "GetReport": frozenset({"NotifyReport"}),
    "PublishFirmware": frozenset({"PublishFirmwareStatusNotification"}),
    "SignedUpdateFirmware": frozenset({"SignedFirmwareStatusNotification"}),
    "UpdateFirmware": frozenset({"FirmwareStatusNotification"}),
}

FIRMWARE_STATUS = "FirmwareStatusNotification"
"""What ExtendedTriggerMessage calls the SignedFirmwareStatusNotification that it asks for (1.6, security extension)."""

CERTIFICATES_ASKED_FOR = "Sign"
"""Every trigger for a certificate begins so (SignChargePointCertificate, SignV2GCertificate ...)."""

NOTHING: frozenset[str] = frozenset()
"""What most chargers are asked for: one for all, as an empty set of its own would cost each of them memory."""


class Admission:
    """The rules of one connection; remembers what the charger was asked for."""

    __slots__ = ("_asked_for",)

    def __init__(self) -> None:
        self._asked_for = NOTHING

    def was_asked_for(self, action: str) -> bool:
        """Whether an operator has, on this connection, asked for what is now sent."""
        return action in self._asked_for

    def may_send(self, action: str, boot_status: str | None) -> bool:
        """Whether a charger whose last boot was answered so may send this."""
        if boot_status not in ("pending", "rejected") or action in ALWAYS:
            return True
        return boot_status == "pending" and action in self._asked_for

    def check_call(self, call: Call, boot_status: str | None) -> None:
        """Note what a charger is asked for. Raises CommandInvalid for what it may not be asked."""
        if boot_status == "rejected":
            raise CommandInvalid(
                f"{call.action}: the charger's boot was rejected, so that it may not be called; accept it, and have it "
                "boot again"
            )
        if boot_status == "pending" and call.action in REMOTE_TRANSACTIONS:
            raise CommandInvalid(
                f"{call.action}: the charger's boot is pending, so that no transaction may begin or end"
            )
        self._asked_for |= ASKED_FOR.get(call.action, frozenset())
        if call.action in ("TriggerMessage", "ExtendedTriggerMessage"):
            self._asked_for |= {_triggered(call.action, call.payload)}


def _triggered(action: str, payload: Mapping[str, Any]) -> str:
    message = str(payload.get("requestedMessage"))
    if message.startswith(CERTIFICATES_ASKED_FOR):
        return "SignCertificate"
    if action == "ExtendedTriggerMessage" and message == FIRMWARE_STATUS:
        return "SignedFirmwareStatusNotification"
    return str(payload.get("customTrigger")) if message == "CustomTrigger" else message

"""The standard variables by one naming: component and variable of the device model of OCPP 2.x, and the key of 1.6.

Values are the same text in both, but for what a row's `words` say. AuthorizationKey and BasicAuthPassword carry the
password as it is; a 1.6 charger that wants it in hexadecimal must be given it so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Standard:
    """One variable: its key in OCPP 1.6, and its place in the device model; `words` are 1.6's words → 2.x's."""

    key: str
    component: str
    variable: str
    instance: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    def value_2x(self, value: str | None) -> str | None:
        """A value of 1.6 as 2.x spells it."""
        return _translated(value, self.words)

    def value_16(self, value: str) -> str:
        """A value of 2.x as 1.6 spells it."""
        return _translated(value, {new: old for old, new in self.words.items()}) or ""


STANDARD_VARIABLES = (
    # OCPP 1.6, section 9.1: core
    Standard("AllowOfflineTxForUnknownId", "AuthCtrlr", "OfflineTxForUnknownIdEnabled"),
    Standard("AuthorizationCacheEnabled", "AuthCacheCtrlr", "Enabled"),
    Standard("AuthorizeRemoteTxRequests", "AuthCtrlr", "AuthorizeRemoteStart"),
    Standard("ClockAlignedDataInterval", "AlignedDataCtrlr", "Interval"),
    Standard("ConnectionTimeOut", "TxCtrlr", "EVConnectionTimeOut"),
    Standard("GetConfigurationMaxKeys", "DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"),
    Standard("HeartbeatInterval", "OCPPCommCtrlr", "HeartbeatInterval"),
    Standard("LocalAuthorizeOffline", "AuthCtrlr", "LocalAuthorizeOffline"),
    Standard("LocalPreAuthorize", "AuthCtrlr", "LocalPreAuthorize"),
    Standard("MaxEnergyOnInvalidId", "TxCtrlr", "MaxEnergyOnInvalidId"),
    Standard("MeterValuesAlignedData", "AlignedDataCtrlr", "Measurands"),
    Standard("MeterValuesSampledData", "SampledDataCtrlr", "TxUpdatedMeasurands"),
    Standard("MeterValueSampleInterval", "SampledDataCtrlr", "TxUpdatedInterval"),
    Standard("MinimumStatusDuration", "OCPPCommCtrlr", "MinimumStatusDuration"),
    Standard("ResetRetries", "OCPPCommCtrlr", "ResetRetries"),
    Standard("StopTransactionOnEVSideDisconnect", "TxCtrlr", "StopTxOnEVSideDisconnect"),
    Standard("StopTransactionOnInvalidId", "TxCtrlr", "StopTxOnInvalidId"),
    Standard("StopTxnAlignedData", "AlignedDataCtrlr", "TxEndedMeasurands"),
    Standard("StopTxnSampledData", "SampledDataCtrlr", "TxEndedMeasurands"),
    Standard("SupportedFileTransferProtocols", "OCPPCommCtrlr", "FileTransferProtocols"),
    Standard("TransactionMessageAttempts", "OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"),
    Standard("TransactionMessageRetryInterval", "OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"),
    Standard("UnlockConnectorOnEVSideDisconnect", "OCPPCommCtrlr", "UnlockOnEVSideDisconnect"),
    Standard("WebSocketPingInterval", "OCPPCommCtrlr", "WebSocketPingInterval"),
    # Sections 9.2 to 9.4: local list, reservation, smart charging
    Standard("LocalAuthListEnabled", "LocalAuthListCtrlr", "Enabled"),
    Standard("SendLocalListMaxLength", "LocalAuthListCtrlr", "ItemsPerMessage"),
    Standard("ReserveConnectorZeroSupported", "ReservationCtrlr", "NonEvseSpecific"),
    Standard("ChargeProfileMaxStackLevel", "SmartChargingCtrlr", "ProfileStackLevel"),
    Standard(
        "ChargingScheduleAllowedChargingRateUnit",
        "SmartChargingCtrlr",
        "RateUnit",
        words={"Current": "A", "Power": "W"},
    ),
    Standard("ChargingScheduleMaxPeriods", "SmartChargingCtrlr", "PeriodsPerSchedule"),
    Standard("ConnectorSwitch3to1PhaseSupported", "SmartChargingCtrlr", "Phases3to1"),
    # Security extension
    Standard("AdditionalRootCertificateCheck", "SecurityCtrlr", "AdditionalRootCertificateCheck"),
    Standard("AuthorizationKey", "SecurityCtrlr", "BasicAuthPassword"),
    Standard("CertificateSignedMaxChainSize", "SecurityCtrlr", "MaxCertificateChainSize"),
    Standard("CertificateStoreMaxLength", "SecurityCtrlr", "CertificateEntries"),
    Standard("CpoName", "SecurityCtrlr", "OrganizationName"),
    Standard("SecurityProfile", "SecurityCtrlr", "SecurityProfile"),
    # ISO 15118 with OCPP 1.6
    Standard("CentralContractValidationAllowed", "ISO15118Ctrlr", "CentralContractValidationAllowed"),
    Standard("CertSigningRepeatTimes", "SecurityCtrlr", "CertSigningRepeatTimes"),
    Standard("CertSigningWaitMinimum", "SecurityCtrlr", "CertSigningWaitMinimum"),
    Standard("ContractValidationOffline", "ISO15118Ctrlr", "ContractValidationOffline"),
    Standard("ISO15118PnCEnabled", "ISO15118Ctrlr", "PnCEnabled"),
)
"""Every standard key of OCPP 1.6 that has a counterpart in the device model.

The others keep their key and have no component: in 2.x they are a characteristic of a variable (the ...MaxLength,
MaxChargingProfilesInstalled), follow from the device model itself (NumberOfConnectors, SupportedFeatureProfiles), have
another shape (ConnectorPhaseRotation), or are gone (BlinkRepeat, LightIntensity).
"""

_COMPONENTS = frozenset(standard.component.lower() for standard in STANDARD_VARIABLES)
_BY_KEY = {standard.key.lower(): standard for standard in STANDARD_VARIABLES}
_BY_NAME = {(standard.component.lower(), standard.variable.lower()): standard for standard in STANDARD_VARIABLES}


def by_key(key: str) -> Standard | None:
    """The standard variable of a 1.6 key, whose case does not matter; None where it has no counterpart in 2.x."""
    return _BY_KEY.get(key.lower())


def by_name(component: str | None, variable: str | None, instance: str | None) -> Standard | None:
    """The standard variable of this name that 1.6 has, None for any other; an instance may be left out."""
    if component is None or variable is None:
        return None
    found = _BY_NAME.get((component.lower(), variable.lower()))
    if found is None or (instance is not None and instance.lower() != (found.instance or "").lower()):
        return None
    return found


def unknown_to_16(reference: Mapping[str, Any]) -> str | None:
    """Why OCPP 1.6 has no key for a neutral reference: UnknownComponent or UnknownVariable; None where it may have.

    1.6 has no components. Only the standard variables have one by the table above; what is a vendor's own is a key, and
    is named by `variable` alone: taken for one, a variable of some component would be whatever key is spelt the same.
    """
    component = reference["component"]
    if component is None or by_name(component, reference["variable"], reference["variable_instance"]) is not None:
        return None
    return "UnknownVariable" if component.lower() in _COMPONENTS else "UnknownComponent"


def without_key(reference: Mapping[str, Any]) -> dict[str, Any]:
    """A neutral reference as it was asked for, in the shape that results have, where 1.6 has no key for it."""
    return {name: reference[name] for name in neutral_reference(None) if name != "key"} | {"key": None}


def neutral_reference(key: str | None) -> dict[str, Any]:
    """A 1.6 key as the neutral reference that results have, with the `key` beside it."""
    standard = None if key is None else by_key(key)
    return {
        "component": None if standard is None else standard.component,
        "component_instance": None,
        "evse_id": None,
        "connector_id": None,
        "variable": key if standard is None else standard.variable,
        "variable_instance": None if standard is None else standard.instance,
        "key": key,
    }


def with_key(reference: dict[str, Any]) -> dict[str, Any]:
    """A neutral reference from 2.x with the 1.6 `key` beside it; None where that has none."""
    standard = by_name(reference["component"], reference["variable"], reference["variable_instance"])
    return {**reference, "key": None if standard is None else standard.key}


def _translated(value: str | None, words: Mapping[str, str]) -> str | None:
    """A list of words, parted by commas, each translated where there is a word for it."""
    if not value or not words:
        return value
    return ",".join(words.get(word.strip(), word.strip()) for word in value.split(","))

"""The variables of a virtual charger: OCPP 2.x part 2, appendix 3 and OCPP 1.6 section 9, as one table."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

Mutability = Literal["ReadWrite", "ReadOnly", "WriteOnly"]

MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
MAX_POWER_W = 22_000


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable under its names: a component's in 2.x, a configuration `key` in 1.6; a version lacks an empty name.

    `values` are all that a list may hold, `limits` the least and the greatest number.
    """

    component: str
    name: str
    value: str
    kind: str = "string"
    mutability: Mutability = "ReadWrite"
    key: str = ""
    instance: str | None = None
    evse: int | None = None
    connector: int | None = None
    unit: str | None = None
    values: str | None = None
    limits: tuple[float | None, float | None] = (None, None)

    @property
    def component_type(self) -> dict[str, Any]:
        """ComponentType of OCPP 2.x."""
        if self.evse is None:
            return {"name": self.component}
        where = {"id": self.evse} | ({} if self.connector is None else {"connectorId": self.connector})
        return {"name": self.component, "evse": where}

    @property
    def variable_type(self) -> dict[str, Any]:
        """VariableType of OCPP 2.x."""
        return {"name": self.name} | ({} if self.instance is None else {"instance": self.instance})

    def takes(self, value: str) -> bool:
        """Whether the value is of the variable's type and within its limits."""
        match self.kind:
            case "boolean":
                return value.lower() in ("true", "false")
            case "integer" | "decimal":
                return self._takes_number(value)
            case "OptionList":
                return self.values is None or value in self.values.split(",")
            case "MemberList" | "SequenceList":
                known = None if self.values is None else self.values.split(",")
                return known is None or all(part.strip() in known for part in value.split(",") if part)
            case _:
                return True

    def _takes_number(self, value: str) -> bool:
        try:
            number = float(int(value) if self.kind == "integer" else float(value))
        except ValueError:
            return False
        least, greatest = self.limits
        return (least is None or number >= least) and (greatest is None or number <= greatest)


def _number(component: str, name: str, value: str, *, unit: str | None = None, **more: Any) -> Variable:
    return Variable(component, name, value, "integer", unit=unit, **({"limits": (0, None)} | more))


def _seconds(component: str, name: str, value: str, **more: Any) -> Variable:
    return _number(component, name, value, unit="s", **more)


def _switch(component: str, name: str, value: str = "true", **more: Any) -> Variable:
    return Variable(component, name, value, "boolean", **more)


def _measurands(component: str, name: str, key: str = "") -> Variable:
    return Variable(component, name, MEASURANDS, "MemberList", key=key, values=MEASURANDS)


def _fixed(component: str, name: str, value: str, kind: str = "string", **more: Any) -> Variable:
    return Variable(component, name, value, kind, "ReadOnly", **more)


def _limit(component: str, name: str, value: str, **more: Any) -> Variable:
    return _fixed(component, name, value, "integer", **more)


def _available(*components: str) -> tuple[Variable, ...]:
    return tuple(_fixed(component, "Available", "true", "boolean") for component in components)


COMMON: tuple[Variable, ...] = (
    _seconds("AlignedDataCtrlr", "Interval", "0", key="ClockAlignedDataInterval"),
    _measurands("AlignedDataCtrlr", "Measurands", "MeterValuesAlignedData"),
    _seconds("AlignedDataCtrlr", "TxEndedInterval", "0"),
    _measurands("AlignedDataCtrlr", "TxEndedMeasurands", "StopTxnAlignedData"),
    _switch("AuthCacheCtrlr", "Enabled", key="AuthorizationCacheEnabled"),
    _seconds("AuthCacheCtrlr", "LifeTime", "86400"),
    _switch("AuthCtrlr", "AuthorizeRemoteStart", "false", key="AuthorizeRemoteTxRequests"),
    _switch("AuthCtrlr", "LocalAuthorizeOffline", key="LocalAuthorizeOffline"),
    _switch("AuthCtrlr", "LocalPreAuthorize", "false", key="LocalPreAuthorize"),
    _switch("AuthCtrlr", "OfflineTxForUnknownIdEnabled", key="AllowOfflineTxForUnknownId"),
    _fixed("ChargingStation", "Model", "Virtual", key="ChargePointModel"),
    _fixed("ChargingStation", "VendorName", "Simulator", key="ChargePointVendor"),
    _limit("ChargingStation", "SupplyPhases", "3"),
    _fixed("ChargingStation", "AvailabilityState", "Available", "OptionList", values="Available,Unavailable"),
    _fixed("ClockCtrlr", "TimeSource", "Heartbeat", "SequenceList"),
    _fixed("ClockCtrlr", "DateTime", "", "dateTime"),
    _limit("DeviceDataCtrlr", "ItemsPerMessage", "50", instance="GetReport"),
    _limit("DeviceDataCtrlr", "ItemsPerMessage", "50", instance="GetVariables"),
    _limit("DeviceDataCtrlr", "ItemsPerMessage", "50", instance="SetVariables"),
    _limit("DeviceDataCtrlr", "BytesPerMessage", "65536", instance="GetReport"),
    _limit("DeviceDataCtrlr", "BytesPerMessage", "65536", instance="GetVariables"),
    _limit("DeviceDataCtrlr", "BytesPerMessage", "65536", instance="SetVariables"),
    _limit("DisplayMessageCtrlr", "DisplayMessages", "0"),
    _fixed("DisplayMessageCtrlr", "SupportedFormats", "ASCII,UTF8", "MemberList"),
    _fixed("DisplayMessageCtrlr", "SupportedPriorities", "AlwaysFront,InFront,NormalCycle", "MemberList"),
    _switch("LocalAuthListCtrlr", "Enabled", key="LocalAuthListEnabled"),
    _limit("LocalAuthListCtrlr", "Entries", "0"),
    _limit("LocalAuthListCtrlr", "ItemsPerMessage", "1000", key="SendLocalListMaxLength"),
    _limit("LocalAuthListCtrlr", "BytesPerMessage", "1000000"),
    _switch("MonitoringCtrlr", "Enabled"),
    _limit("MonitoringCtrlr", "ItemsPerMessage", "50", instance="SetVariableMonitoring"),
    _limit("MonitoringCtrlr", "BytesPerMessage", "65536", instance="SetVariableMonitoring"),
    _seconds("OCPPCommCtrlr", "HeartbeatInterval", "300", key="HeartbeatInterval"),
    _seconds("OCPPCommCtrlr", "WebSocketPingInterval", "30", key="WebSocketPingInterval"),
    _seconds("OCPPCommCtrlr", "OfflineThreshold", "60"),
    _number("OCPPCommCtrlr", "ResetRetries", "3", key="ResetRetries"),
    _number("OCPPCommCtrlr", "NetworkProfileConnectionAttempts", "3"),
    Variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "1", "SequenceList"),
    _fixed("OCPPCommCtrlr", "FileTransferProtocols", "HTTP,HTTPS", "MemberList", key="SupportedFileTransferProtocols"),
    _number("OCPPCommCtrlr", "MessageAttempts", "3", instance="TransactionEvent", key="TransactionMessageAttempts"),
    _seconds(
        "OCPPCommCtrlr",
        "MessageAttemptInterval",
        "60",
        instance="TransactionEvent",
        key="TransactionMessageRetryInterval",
    ),
    _seconds("OCPPCommCtrlr", "MessageTimeout", "30", instance="Default"),
    _switch("OCPPCommCtrlr", "QueueAllMessages", "false"),
    _switch("OCPPCommCtrlr", "UnlockOnEVSideDisconnect", key="UnlockConnectorOnEVSideDisconnect"),
    _fixed("ReservationCtrlr", "NonEvseSpecific", "true", "boolean", key="ReserveConnectorZeroSupported"),
    _switch("ReservationCtrlr", "Enabled"),
    _measurands("SampledDataCtrlr", "TxStartedMeasurands"),
    _measurands("SampledDataCtrlr", "TxUpdatedMeasurands", "MeterValuesSampledData"),
    _measurands("SampledDataCtrlr", "TxEndedMeasurands", "StopTxnSampledData"),
    Variable(
        "SampledDataCtrlr",
        "TxUpdatedInterval",
        "10",
        "decimal",
        key="MeterValueSampleInterval",
        unit="s",
        limits=(0, None),
    ),
    _seconds("SampledDataCtrlr", "TxEndedInterval", "0"),
    Variable("SecurityCtrlr", "BasicAuthPassword", "", mutability="WriteOnly", key="AuthorizationKey"),
    Variable("SecurityCtrlr", "OrganizationName", "Simulator", key="CpoName"),
    _fixed("SecurityCtrlr", "SecurityProfile", "1", "integer", key="SecurityProfile"),
    _limit("SecurityCtrlr", "CertificateEntries", "0", key="CertificateStoreMaxLength"),
    _limit("SecurityCtrlr", "MaxCertificateChainSize", "10000", key="CertificateSignedMaxChainSize"),
    _fixed("SecurityCtrlr", "AdditionalRootCertificateCheck", "false", "boolean", key="AdditionalRootCertificateCheck"),
    _seconds("SecurityCtrlr", "CertSigningWaitMinimum", "30"),
    _number("SecurityCtrlr", "CertSigningRepeatTimes", "3"),
    _switch("SmartChargingCtrlr", "Enabled"),
    _fixed("SmartChargingCtrlr", "RateUnit", "A,W", "MemberList"),
    _limit("SmartChargingCtrlr", "ProfileStackLevel", "100", key="ChargeProfileMaxStackLevel"),
    _limit("SmartChargingCtrlr", "PeriodsPerSchedule", "1024", key="ChargingScheduleMaxPeriods"),
    _limit("SmartChargingCtrlr", "Entries", "100", instance="ChargingProfiles", key="MaxChargingProfilesInstalled"),
    _number("SmartChargingCtrlr", "LimitChangeSignificance", "1", unit="Percent", limits=(0, 100)),
    _fixed("SmartChargingCtrlr", "Phases3to1", "false", "boolean", key="ConnectorSwitch3to1PhaseSupported"),
    Variable("TariffCostCtrlr", "Currency", "EUR"),
    Variable("TariffCostCtrlr", "TariffFallbackMessage", ""),
    Variable("TariffCostCtrlr", "TotalCostFallbackMessage", ""),
    _switch("TariffCostCtrlr", "Enabled", instance="Tariff"),
    _switch("TariffCostCtrlr", "Enabled", instance="Cost"),
    _seconds("TxCtrlr", "EVConnectionTimeOut", "60", key="ConnectionTimeOut"),
    _switch("TxCtrlr", "StopTxOnEVSideDisconnect", key="StopTransactionOnEVSideDisconnect"),
    _switch("TxCtrlr", "StopTxOnInvalidId", key="StopTransactionOnInvalidId"),
    _number("TxCtrlr", "MaxEnergyOnInvalidId", "0", unit="Wh", key="MaxEnergyOnInvalidId"),
    Variable("TxCtrlr", "TxStartPoint", "PowerPathClosed", "MemberList"),
    Variable("TxCtrlr", "TxStopPoint", "PowerPathClosed", "MemberList"),
    *_available(
        "AlignedDataCtrlr",
        "AuthCacheCtrlr",
        "DisplayMessageCtrlr",
        "LocalAuthListCtrlr",
        "MonitoringCtrlr",
        "ReservationCtrlr",
        "SampledDataCtrlr",
        "SmartChargingCtrlr",
    ),
    # OCPP 1.6 only
    _fixed("", "", "Current,Power", key="ChargingScheduleAllowedChargingRateUnit"),
    Variable("", "", "0.RST", key="ConnectorPhaseRotation"),
    _limit("", "", "100", key="GetConfigurationMaxKeys"),
    _limit("", "", "10000", key="LocalAuthListMaxLength"),
    _seconds("", "", "0", key="MinimumStatusDuration"),
    _fixed(
        "",
        "",
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
        key="SupportedFeatureProfiles",
    ),
)


@lru_cache(maxsize=16)
def variables(connectors: int) -> tuple[Variable, ...]:
    """The variables of a charger with so many connectors, with the values that it has from the factory."""
    states = "Available,Occupied,Reserved,Unavailable,Faulted"
    by_evse: list[Variable] = []
    for evse in range(1, connectors + 1):
        by_evse += [
            _fixed("EVSE", "AvailabilityState", "Available", "OptionList", evse=evse, values=states),
            _fixed("EVSE", "Available", "true", "boolean", evse=evse),
            _fixed("EVSE", "AllowReset", "true", "boolean", evse=evse),
            _fixed("EVSE", "Power", "0", "decimal", evse=evse, unit="W", limits=(0, MAX_POWER_W)),
            _limit("EVSE", "SupplyPhases", "3", evse=evse),
            _fixed("Connector", "AvailabilityState", "Available", "OptionList", evse=evse, connector=1, values=states),
            _fixed("Connector", "Available", "true", "boolean", evse=evse, connector=1),
            _fixed("Connector", "ConnectorType", "sType2", evse=evse, connector=1),
            _limit("Connector", "SupplyPhases", "3", evse=evse, connector=1),
        ]
    number = _limit("", "", str(connectors), key="NumberOfConnectors")
    return (*COMMON, number, *by_evse)

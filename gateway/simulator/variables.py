"""What can be configured: 1.6 configuration keys and 2.x variables over the same settings."""

from dataclasses import dataclass


@dataclass(slots=True)
class Variable:
    """A setting under both of its names; `key` is the 1.6 configuration key. A name that a version lacks is empty."""

    key: str
    component: str
    name: str
    value: str
    read_only: bool = False


def _settings(connectors: int, sample_interval: float) -> list[Variable]:
    return [
        Variable("HeartbeatInterval", "OCPPCommCtrlr", "HeartbeatInterval", "300"),
        Variable("MeterValueSampleInterval", "SampledDataCtrlr", "TxUpdatedInterval", f"{sample_interval:g}"),
        Variable(
            "MeterValuesSampledData",
            "SampledDataCtrlr",
            "TxUpdatedMeasurands",
            "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC",
        ),
        Variable("ConnectionTimeOut", "TxCtrlr", "EVConnectionTimeOut", "60"),
        Variable("AuthorizeRemoteTxRequests", "AuthCtrlr", "AuthorizeRemoteStart", "false"),
        Variable("LocalAuthorizeOffline", "AuthCtrlr", "LocalAuthorizeOffline", "true"),
        Variable("WebSocketPingInterval", "OCPPCommCtrlr", "WebSocketPingInterval", "30"),
        Variable("NumberOfConnectors", "ChargingStation", "AvailableEVSEs", str(connectors), read_only=True),
        Variable("ChargePointModel", "ChargingStation", "Model", "Virtual", read_only=True),
        Variable("ChargePointVendor", "ChargingStation", "VendorName", "Simulator", read_only=True),
        Variable("SupportedFeatureProfiles", "", "", "Core,RemoteTrigger,SmartCharging", read_only=True),
        Variable("", "SmartChargingCtrlr", "Available", "true", read_only=True),
    ]


class Variables:
    """The settings of one charger."""

    def __init__(self, *, connectors: int, sample_interval: float) -> None:
        self.all = _settings(connectors, sample_interval)

    def by_key(self, key: str) -> Variable | None:
        """By 1.6 configuration key, in any case of letters."""
        return next((variable for variable in self.all if variable.key.lower() == key.lower()), None)

    def by_name(self, component: str, name: str) -> Variable | None:
        """By 2.x component and variable, in any case of letters."""
        wanted = component.lower(), name.lower()
        return next((v for v in self.all if (v.component.lower(), v.name.lower()) == wanted), None)

    def has_component(self, component: str) -> bool:
        return any(variable.component.lower() == component.lower() for variable in self.all)

    def seconds(self, key: str, default: float) -> float:
        """A duration; the default where the key is unset, 0 or no number."""
        variable = self.by_key(key)
        try:
            value = float(variable.value) if variable is not None else 0.0
        except ValueError:
            return default
        return value if value > 0 else default

    def set(self, key: str, value: str) -> None:
        """Set by the charger itself, so also what is read-only to the CSMS."""
        variable = self.by_key(key)
        if variable is not None:
            variable.value = value

"""What an EV wants and can. What it did not say is left out."""

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas.base import Asked
from gateway.core.connector_state import Number


class AcNeeds(TypedDict, total=False):
    """What the EV wants and can with AC."""

    energy_wh: Number
    min_current_a: Number
    max_current_a: Number
    max_voltage_v: Number


class DcNeeds(TypedDict, total=False):
    """What the EV wants and can with DC."""

    energy_wh: Number
    max_current_a: Number
    max_voltage_v: Number
    max_power_w: Number
    energy_capacity_wh: Number
    soc_percent: int
    full_soc_percent: int
    bulk_soc_percent: int


class V2xNeeds(TypedDict, total=False):
    """What the EV can give and take."""

    min_charge_power_w: Number
    min_charge_power_l2_w: Number
    min_charge_power_l3_w: Number
    max_charge_power_w: Number
    max_charge_power_l2_w: Number
    max_charge_power_l3_w: Number
    min_discharge_power_w: Number
    min_discharge_power_l2_w: Number
    min_discharge_power_l3_w: Number
    max_discharge_power_w: Number
    max_discharge_power_l2_w: Number
    max_discharge_power_l3_w: Number
    min_charge_current_a: Number
    max_charge_current_a: Number
    min_discharge_current_a: Number
    max_discharge_current_a: Number
    min_voltage_v: Number
    max_voltage_v: Number
    target_energy_wh: Number
    min_energy_wh: Number
    max_energy_wh: Number
    min_v2x_energy_wh: Number
    max_v2x_energy_wh: Number
    target_soc_percent: int


class DerNeeds(TypedDict, total=False):
    """What the EV can do for the grid."""

    supported_controls: list[str]
    over_excited_max_discharge_power_w: Number
    over_excited_power_factor: Number
    under_excited_max_discharge_power_w: Number
    under_excited_power_factor: Number
    max_apparent_power_va: Number
    max_charge_apparent_power_va: Number
    max_charge_apparent_power_l2_va: Number
    max_charge_apparent_power_l3_va: Number
    max_discharge_apparent_power_va: Number
    max_discharge_apparent_power_l2_va: Number
    max_discharge_apparent_power_l3_va: Number
    max_charge_reactive_power_var: Number
    max_charge_reactive_power_l2_var: Number
    max_charge_reactive_power_l3_var: Number
    min_charge_reactive_power_var: Number
    min_charge_reactive_power_l2_var: Number
    min_charge_reactive_power_l3_var: Number
    max_discharge_reactive_power_var: Number
    max_discharge_reactive_power_l2_var: Number
    max_discharge_reactive_power_l3_var: Number
    min_discharge_reactive_power_var: Number
    min_discharge_reactive_power_l2_var: Number
    min_discharge_reactive_power_l3_var: Number
    nominal_voltage_v: Number
    nominal_voltage_offset_v: Number
    max_nominal_voltage_v: Number
    min_nominal_voltage_v: Number
    inverter_manufacturer: str
    inverter_model: str
    inverter_serial_number: str
    inverter_software_version: str
    inverter_hardware_version: str
    islanding_detection_methods: list[str]
    islanding_trip_time_s: Number
    max_level1_dc_injection_a: Number
    duration_level1_dc_injection_s: Number
    max_level2_dc_injection_a: Number
    duration_level2_dc_injection_s: Number
    reactive_susceptance_siemens: Number
    session_discharge_energy_available_wh: Number


class EvPowerEntry(TypedDict, total=False):
    """A power for a time; negative discharges."""

    duration_s: int
    power_w: Number


class EvPowerOffer(TypedDict, total=False):
    """The power that the EV offers."""

    starts_at: str
    entries: list[EvPowerEntry]


class EvPriceRule(TypedDict, total=False):
    """What the EV asks from a power on."""

    energy_fee_per_kwh: Number
    power_range_start_w: Number


class EvPriceEntry(TypedDict, total=False):
    """What the EV asks, for a time."""

    duration_s: int
    rules: list[EvPriceRule]


class EvPriceOffer(TypedDict, total=False):
    """What the EV asks for its energy."""

    starts_at: str
    currency: str
    price_algorithm: str
    entries: list[EvPriceEntry]


class EvEnergyOffer(TypedDict, total=False):
    """Energy that the EV offers."""

    power: EvPowerOffer
    prices: EvPriceOffer


class ChargingNeeds(Asked):
    """An EV told what it needs (NotifyEVChargingNeeds)."""

    evse_id: int | None
    max_schedule_tuples: int | None
    requested_energy_transfer: str | None
    available_energy_transfers: list[str]
    control_mode: str | None
    mobility_needs_mode: str | None
    departure_at: str | None
    ac: AcNeeds | None
    dc: DcNeeds | None
    v2x: V2xNeeds | None
    der: DerNeeds | None
    energy_offer: EvEnergyOffer | None

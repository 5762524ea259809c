"""What an EV wants and can (ChargingNeedsType). What it does not say is left out of the nested objects."""

from gateway.ocpp.fields import integer, number, text, word
from gateway.ocpp.shapes import Reader, Shape, each_given, given, time, words


def _by_phase(wire: str, neutral: str, unit: str) -> dict[str, tuple[str, Reader]]:
    """A value for all phases, or for L1 where others are given beside it."""
    return {
        wire: (f"{neutral}_{unit}", number),
        f"{wire}_L2": (f"{neutral}_l2_{unit}", number),
        f"{wire}_L3": (f"{neutral}_l3_{unit}", number),
    }


_AC: Shape = {
    "energyAmount": ("energy_wh", number),
    "evMinCurrent": ("min_current_a", number),
    "evMaxCurrent": ("max_current_a", number),
    "evMaxVoltage": ("max_voltage_v", number),
}

_DC: Shape = {
    "energyAmount": ("energy_wh", number),
    "evMaxCurrent": ("max_current_a", number),
    "evMaxVoltage": ("max_voltage_v", number),
    "evMaxPower": ("max_power_w", number),
    "evEnergyCapacity": ("energy_capacity_wh", number),
    "stateOfCharge": ("soc_percent", integer),
    "fullSoC": ("full_soc_percent", integer),
    "bulkSoC": ("bulk_soc_percent", integer),
}

_V2X: Shape = {
    **_by_phase("minChargePower", "min_charge_power", "w"),
    **_by_phase("maxChargePower", "max_charge_power", "w"),
    **_by_phase("minDischargePower", "min_discharge_power", "w"),
    **_by_phase("maxDischargePower", "max_discharge_power", "w"),
    "minChargeCurrent": ("min_charge_current_a", number),
    "maxChargeCurrent": ("max_charge_current_a", number),
    "minDischargeCurrent": ("min_discharge_current_a", number),
    "maxDischargeCurrent": ("max_discharge_current_a", number),
    "minVoltage": ("min_voltage_v", number),
    "maxVoltage": ("max_voltage_v", number),
    "evTargetEnergyRequest": ("target_energy_wh", number),
    "evMinEnergyRequest": ("min_energy_wh", number),
    "evMaxEnergyRequest": ("max_energy_wh", number),
    "evMinV2XEnergyRequest": ("min_v2x_energy_wh", number),
    "evMaxV2XEnergyRequest": ("max_v2x_energy_wh", number),
    "targetSoC": ("target_soc_percent", integer),
}

_DER: Shape = {
    "evSupportedDERControl": ("supported_controls", words),
    "evOverExcitedMaxDischargePower": ("over_excited_max_discharge_power_w", number),
    "evOverExcitedPowerFactor": ("over_excited_power_factor", number),
    "evUnderExcitedMaxDischargePower": ("under_excited_max_discharge_power_w", number),
    "evUnderExcitedPowerFactor": ("under_excited_power_factor", number),
    "maxApparentPower": ("max_apparent_power_va", number),
    **_by_phase("maxChargeApparentPower", "max_charge_apparent_power", "va"),
    **_by_phase("maxDischargeApparentPower", "max_discharge_apparent_power", "va"),
    **_by_phase("maxChargeReactivePower", "max_charge_reactive_power", "var"),
    **_by_phase("minChargeReactivePower", "min_charge_reactive_power", "var"),
    **_by_phase("maxDischargeReactivePower", "max_discharge_reactive_power", "var"),
    **_by_phase("minDischargeReactivePower", "min_discharge_reactive_power", "var"),
    "nominalVoltage": ("nominal_voltage_v", number),
    "nominalVoltageOffset": ("nominal_voltage_offset_v", number),
    "maxNominalVoltage": ("max_nominal_voltage_v", number),
    "minNominalVoltage": ("min_nominal_voltage_v", number),
    "evInverterManufacturer": ("inverter_manufacturer", text),
    "evInverterModel": ("inverter_model", text),
    "evInverterSerialNumber": ("inverter_serial_number", text),
    "evInverterSwVersion": ("inverter_software_version", text),
    "evInverterHwVersion": ("inverter_hardware_version", text),
    "evIslandingDetectionMethod": ("islanding_detection_methods", words),
    "evIslandingTripTime": ("islanding_trip_time_s", number),
    "evMaximumLevel1DCInjection": ("max_level1_dc_injection_a", number),
    "evDurationLevel1DCInjection": ("duration_level1_dc_injection_s", number),
    "evMaximumLevel2DCInjection": ("max_level2_dc_injection_a", number),
    "evDurationLevel2DCInjection": ("duration_level2_dc_injection_s", number),
    "evReactiveSusceptance": ("reactive_susceptance_siemens", number),
    "evSessionTotalDischargeEnergyAvailable": ("session_discharge_energy_available_wh", number),
}

_POWER_OFFER: Shape = {
    "timeAnchor": ("starts_at", time),
    "evPowerScheduleEntries": (
        "entries",
        each_given({"duration": ("duration_s", integer), "power": ("power_w", number)}),
    ),
}

_PRICE_RULE: Shape = {"energyFee": ("energy_fee_per_kwh", number), "powerRangeStart": ("power_range_start_w", number)}

_PRICE_OFFER: Shape = {
    "timeAnchor": ("starts_at", time),
    "currency": ("currency", text),
    "priceAlgorithm": ("price_algorithm", text),
    "evAbsolutePriceScheduleEntries": (
        "entries",
        each_given({"duration": ("duration_s", integer), "evPriceRule": ("rules", each_given(_PRICE_RULE))}),
    ),
}

CHARGING_NEEDS: Shape = {
    "requestedEnergyTransfer": ("requested_energy_transfer", word),
    "availableEnergyTransfer": ("available_energy_transfers", words),
    "controlMode": ("control_mode", word),
    "mobilityNeedsMode": ("mobility_needs_mode", word),
    "departureTime": ("departure_at", time),
    "acChargingParameters": ("ac", given(_AC)),
    "dcChargingParameters": ("dc", given(_DC)),
    "v2xChargingParameters": ("v2x", given(_V2X)),
    "derChargingParameters": ("der", given(_DER)),
    "evEnergyOffer": (
        "energy_offer",
        given(
            {
                "evPowerSchedule": ("power", given(_POWER_OFFER)),
                "evAbsolutePriceSchedule": ("prices", given(_PRICE_OFFER)),
            }
        ),
    ),
}
"""ChargingNeedsType; all but AC and DC parameters are OCPP 2.1's."""

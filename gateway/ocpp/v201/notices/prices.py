"""Prices within charging schedules (ISO 15118), shared by charging profiles, limits and the EV's own schedules."""

from gateway.ocpp.fields import boolean, integer, number, text, word
from gateway.ocpp.shapes import Shape, each_given, given, rational, time

_COST: Shape = {
    "costKind": ("kind", word),
    "amount": ("amount", integer),
    "amountMultiplier": ("amount_multiplier", integer),
}

_CONSUMPTION_COST: Shape = {"startValue": ("start_value", number), "cost": ("costs", each_given(_COST))}

_SALES_TARIFF_ENTRY: Shape = {
    "relativeTimeInterval": ("interval", given({"start": ("start_s", integer), "duration": ("duration_s", integer)})),
    "ePriceLevel": ("price_level", integer),
    "consumptionCost": ("consumption_costs", each_given(_CONSUMPTION_COST)),
}

SALES_TARIFF: Shape = {
    "id": ("id", integer),
    "salesTariffDescription": ("description", text),
    "numEPriceLevels": ("price_levels", integer),
    "salesTariffEntry": ("entries", each_given(_SALES_TARIFF_ENTRY)),
}
"""SalesTariffType, by ISO 15118-2."""

_PRICE_RULE: Shape = {
    "powerRangeStart": ("power_range_start_w", rational),
    "energyFee": ("energy_fee", rational),
    "parkingFee": ("parking_fee", rational),
    "parkingFeePeriod": ("parking_fee_period_s", integer),
    "carbonDioxideEmission": ("carbon_dioxide_g_per_kwh", integer),
    "renewableGenerationPercentage": ("renewable_percent", integer),
}

_PRICE_RULE_STACK: Shape = {
    "duration": ("duration_s", integer),
    "priceRule": ("rules", each_given(_PRICE_RULE)),
}

_TAX_RULE: Shape = {
    "taxRuleID": ("id", integer),
    "taxRuleName": ("name", text),
    "taxRate": ("rate", rational),
    "taxIncludedInPrice": ("included_in_price", boolean),
    "appliesToEnergyFee": ("applies_to_energy_fee", boolean),
    "appliesToParkingFee": ("applies_to_parking_fee", boolean),
    "appliesToOverstayFee": ("applies_to_overstay_fee", boolean),
    "appliesToMinimumMaximumCost": ("applies_to_minimum_maximum_cost", boolean),
}

_OVERSTAY_RULE: Shape = {
    "startTime": ("start_s", integer),
    "overstayFee": ("fee", rational),
    "overstayFeePeriod": ("fee_period_s", integer),
    "overstayRuleDescription": ("description", text),
}

_OVERSTAY: Shape = {
    "overstayTimeThreshold": ("time_threshold_s", integer),
    "overstayPowerThreshold": ("power_threshold_w", rational),
    "overstayRule": ("rules", each_given(_OVERSTAY_RULE)),
}

ABSOLUTE_PRICES: Shape = {
    "priceScheduleID": ("id", integer),
    "priceScheduleDescription": ("description", text),
    "timeAnchor": ("starts_at", time),
    "currency": ("currency", text),
    "language": ("language", text),
    "priceAlgorithm": ("price_algorithm", text),
    "minimumCost": ("minimum_cost", rational),
    "maximumCost": ("maximum_cost", rational),
    "priceRuleStacks": ("stacks", each_given(_PRICE_RULE_STACK)),
    "taxRules": ("tax_rules", each_given(_TAX_RULE)),
    "overstayRuleList": ("overstay", given(_OVERSTAY)),
    "additionalSelectedServices": (
        "additional_services",
        each_given({"serviceName": ("name", text), "serviceFee": ("fee", rational)}),
    ),
}
"""AbsolutePriceScheduleType of OCPP 2.1, by ISO 15118-20."""

PRICE_LEVELS: Shape = {
    "priceScheduleId": ("id", integer),
    "priceScheduleDescription": ("description", text),
    "timeAnchor": ("starts_at", time),
    "numberOfPriceLevels": ("price_levels", integer),
    "priceLevelScheduleEntries": (
        "entries",
        each_given({"duration": ("duration_s", integer), "priceLevel": ("price_level", integer)}),
    ),
}
"""PriceLevelScheduleType of OCPP 2.1, by ISO 15118-20."""

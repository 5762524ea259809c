"""Prices within charging schedules. What the charger left out is left out."""

from typing_extensions import TypedDict

from gateway.core.connector_state import Number


class PriceCost(TypedDict, total=False):
    """A cost per kWh: amount x 10^amount_multiplier."""

    kind: str
    amount: int
    amount_multiplier: int


class ConsumptionCost(TypedDict, total=False):
    """Costs from a level of consumption on."""

    start_value: Number
    costs: list[PriceCost]


class PriceInterval(TypedDict, total=False):
    """When an entry holds, in seconds from the schedule's start."""

    start_s: int
    duration_s: int


class SalesTariffEntry(TypedDict, total=False):
    """A price level, the lower the cheaper, and costs."""

    interval: PriceInterval
    price_level: int
    consumption_costs: list[ConsumptionCost]


class SalesTariff(TypedDict, total=False):
    """Prices by ISO 15118-2."""

    id: int
    description: str
    price_levels: int
    entries: list[SalesTariffEntry]


class PriceRule(TypedDict, total=False):
    """Fees from a power on."""

    power_range_start_w: Number
    energy_fee: Number
    parking_fee: Number
    parking_fee_period_s: int
    carbon_dioxide_g_per_kwh: int
    renewable_percent: int


class PriceRuleStack(TypedDict, total=False):
    """The rules of a stretch of time."""

    duration_s: int
    rules: list[PriceRule]


class TaxRule(TypedDict, total=False):
    """A tax, and what it applies to."""

    id: int
    name: str
    rate: Number
    included_in_price: bool
    applies_to_energy_fee: bool
    applies_to_parking_fee: bool
    applies_to_overstay_fee: bool
    applies_to_minimum_maximum_cost: bool


class OverstayRule(TypedDict, total=False):
    """A fee for staying too long."""

    start_s: int
    fee: Number
    fee_period_s: int
    description: str


class Overstay(TypedDict, total=False):
    """When fees for staying too long begin, and what they are."""

    time_threshold_s: int
    power_threshold_w: Number
    rules: list[OverstayRule]


class AdditionalService(TypedDict, total=False):
    """A service that is paid beside the energy."""

    name: str
    fee: Number


class AbsolutePrices(TypedDict, total=False):
    """Prices by ISO 15118-20 (OCPP 2.1)."""

    id: int
    description: str
    starts_at: str
    currency: str
    language: str
    price_algorithm: str
    minimum_cost: Number
    maximum_cost: Number
    stacks: list[PriceRuleStack]
    tax_rules: list[TaxRule]
    overstay: Overstay
    additional_services: list[AdditionalService]


class PriceLevelEntry(TypedDict, total=False):
    """A price level, the lower the cheaper, for a time."""

    duration_s: int
    price_level: int


class PriceLevels(TypedDict, total=False):
    """Price levels by ISO 15118-20 (OCPP 2.1)."""

    id: int
    description: str
    starts_at: str
    price_levels: int
    entries: list[PriceLevelEntry]

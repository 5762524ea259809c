"""What a transaction costs."""

from typing_extensions import TypedDict

from gateway.core.connector_state import Number


class CostTax(TypedDict, total=False):
    """A tax and its rate."""

    type: str
    tax_percent: Number
    stack: int


class CostPrice(TypedDict, total=False):
    """A cost with and without taxes."""

    excluding_tax: Number
    including_tax: Number
    tax_rates: list[CostTax]


class CostUsage(TypedDict):
    """What is paid for."""

    energy: Number | None
    charging_time_s: int | None
    idle_time_s: int | None
    reservation_time_s: int | None


class CostDimension(TypedDict):
    """How much of something there was: energy, charging_time, idle_time, max_power ..."""

    type: str | None
    volume: Number | None


class CostPeriod(TypedDict):
    """A stretch of the transaction under one tariff."""

    starts_at: str | None
    tariff_id: str | None
    dimensions: list[CostDimension]


class Costs(TypedDict, total=False):
    """What a charger says that a transaction costs so far (OCPP 2.1); volumes and `energy` in units of its tariff."""

    currency: str
    type: str
    total: CostPrice
    fixed: CostPrice
    energy: CostPrice
    charging_time: CostPrice
    idle_time: CostPrice
    reservation_time: CostPrice
    reservation_fixed: CostPrice
    usage: CostUsage
    periods: list[CostPeriod]
    failed: bool
    failure: str | None

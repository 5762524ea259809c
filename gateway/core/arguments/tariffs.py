"""Tariffs that the charger itself calculates with and shows (OCPP 2.1)."""

from typing import Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, EvseId, Moment, OfTransaction

_TIME_OF_DAY = r"^([01]\d|2[0-3]):[0-5]\d$"
_DATE = r"^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class When(Arguments):
    """When a price holds: all that is given must be true. Times are the charger's local time."""

    start_time_of_day: str | None = Field(None, pattern=_TIME_OF_DAY, description="HH:MM")
    end_time_of_day: str | None = Field(
        None, pattern=_TIME_OF_DAY, description="HH:MM; before the start it is of the next day"
    )
    days_of_week: list[Day] | None = Field(None, min_length=1, max_length=7)
    valid_from_date: str | None = Field(None, pattern=_DATE, description="YYYY-MM-DD, this day too")
    valid_to_date: str | None = Field(None, pattern=_DATE, description="YYYY-MM-DD, this day no more")
    evse_kind: Literal["ac", "dc"] | None = None


class Conditions(When):
    """When a price holds, by what the transaction has come to: minima are reached, maxima are not."""

    min_energy_wh: float | None = None
    max_energy_wh: float | None = None
    min_current_a: float | None = Field(None, description="Sum of all phases")
    max_current_a: float | None = Field(None, description="Sum of all phases")
    min_power_w: float | None = None
    max_power_w: float | None = None
    min_time_s: int | None = Field(None, description="Of the transaction")
    max_time_s: int | None = Field(None, description="Of the transaction")
    min_charging_time_s: int | None = None
    max_charging_time_s: int | None = None
    min_idle_time_s: int | None = None
    max_idle_time_s: int | None = None


class FixedConditions(When):
    """When a fixed fee is due."""

    payment_brand: str | None = Field(None, max_length=20)
    payment_recognition: str | None = Field(None, max_length=20)


class TaxRate(Arguments):
    """A tax on a price."""

    type: str = Field(max_length=20, description="Its name on the receipt")
    tax_percent: float
    stack: int | None = Field(None, ge=0, description="A higher one is on top of the lower ones")


class EnergyPrice(Arguments):
    """A price for energy, before taxes."""

    price_per_kwh: float
    conditions: Conditions | None = None


class TimePrice(Arguments):
    """A price for time, before taxes."""

    price_per_minute: float
    conditions: Conditions | None = None


class FixedPrice(Arguments):
    """A fee, before taxes."""

    price: float
    conditions: FixedConditions | None = None


class EnergyPrices(Arguments):
    """Of the prices whose conditions are met, the first holds."""

    prices: list[EnergyPrice] = Field(min_length=1)
    tax_rates: list[TaxRate] | None = Field(None, min_length=1, max_length=5)


class TimePrices(Arguments):
    """Of the prices whose conditions are met, the first holds."""

    prices: list[TimePrice] = Field(min_length=1)
    tax_rates: list[TaxRate] | None = Field(None, min_length=1, max_length=5)


class FixedPrices(Arguments):
    """Of the fees whose conditions are met, the first is due."""

    prices: list[FixedPrice] = Field(min_length=1)
    tax_rates: list[TaxRate] | None = Field(None, min_length=1, max_length=5)


class CostBound(Arguments):
    """The least or the most that a transaction costs."""

    excluding_tax: float | None = None
    including_tax: float | None = None
    tax_rates: list[TaxRate] | None = Field(None, min_length=1, max_length=5)


class TariffText(Arguments):
    """A description for the driver."""

    content: str = Field(max_length=1024)
    format: Literal["ascii", "html", "uri", "utf8", "qrcode"] = "utf8"
    language: str | None = Field(None, max_length=8, description="RFC 5646, e.g. en-US")


class Tariff(Arguments):
    """What charging costs, by energy, time and fees."""

    tariff_id: str = Field(min_length=1, max_length=60)
    currency: str = Field(min_length=3, max_length=3, description="ISO 4217")
    description: list[TariffText] | None = Field(None, min_length=1, max_length=10)
    valid_from: Moment | None = Field(None, description="RFC 3339; none: at once")
    energy: EnergyPrices | None = None
    charging_time: TimePrices | None = None
    idle_time: TimePrices | None = None
    fixed_fee: FixedPrices | None = None
    reservation_time: TimePrices | None = None
    reservation_fixed: FixedPrices | None = None
    min_cost: CostBound | None = None
    max_cost: CostBound | None = None


class SetDefaultTariff(Arguments):
    """Set the tariff for drivers who have none of their own (OCPP 2.1)."""

    tariff: Tariff
    evse_id: EvseId = Field(0, description="0 is all EVSEs")


class GetTariffs(Arguments):
    """The tariffs that the charger holds, and for whom (OCPP 2.1)."""

    evse_id: EvseId = Field(0, description="0 is all EVSEs")


class ClearTariffs(Arguments):
    """Remove tariffs (OCPP 2.1); none named: all of the EVSE."""

    tariff_ids: list[str] = Field(default_factory=list)
    evse_id: EvseId | None = None


class ChangeTransactionTariff(OfTransaction):
    """Give a running transaction another tariff, in the same currency (OCPP 2.1)."""

    tariff: Tariff

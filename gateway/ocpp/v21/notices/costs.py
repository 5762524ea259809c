"""What a charger calculated that a transaction costs (OCPP 2.1, functional block I)."""

from typing import Any

from gateway.ocpp.fields import boolean, integer, mapping, number, objects, text, word
from gateway.ocpp.profile import Notes
from gateway.ocpp.shapes import Shape, each, each_given, given, read, read_given, time

_TAX: Shape = {"type": ("type", text), "tax": ("tax_percent", number), "stack": ("stack", integer)}

_PRICE: Shape = {
    "exclTax": ("excluding_tax", number),
    "inclTax": ("including_tax", number),
    "taxRates": ("tax_rates", each_given(_TAX)),
}

_TOTAL: Shape = {
    "currency": ("currency", text),
    "typeOfCost": ("type", word),
    "total": ("total", given(_PRICE)),
    "fixed": ("fixed", given(_PRICE)),
    "energy": ("energy", given(_PRICE)),
    "chargingTime": ("charging_time", given(_PRICE)),
    "idleTime": ("idle_time", given(_PRICE)),
    "reservationTime": ("reservation_time", given(_PRICE)),
    "reservationFixed": ("reservation_fixed", given(_PRICE)),
}

_USAGE: Shape = {
    "energy": ("energy", number),
    "chargingTime": ("charging_time_s", integer),
    "idleTime": ("idle_time_s", integer),
    "reservationTime": ("reservation_time_s", integer),
}

_PERIOD: Shape = {
    "startPeriod": ("starts_at", time),
    "tariffId": ("tariff_id", text),
    "dimensions": ("dimensions", each({"type": ("type", word), "volume": ("volume", number)})),
}


def read_costs(payload: dict[str, Any], notes: Notes) -> dict[str, Any] | None:
    """The costDetails of a TransactionEvent; None where there are none."""
    costs, at = mapping(payload, "costDetails", notes), ("costDetails",)
    if not costs:
        return None
    total = mapping(costs, "totalCost", notes, at)
    usage = mapping(costs, "totalUsage", notes, at)
    return {
        **read_given(total, _TOTAL, notes, (*at, "totalCost")),
        "usage": read(usage, _USAGE, notes, (*at, "totalUsage")),
        "periods": [read(item, _PERIOD, notes, where) for where, item in objects(costs, "chargingPeriods", notes, at)],
        "failed": boolean(costs, "failureToCalculate", notes, at) or False,
        "failure": text(costs, "failureReason", notes, at),
    }

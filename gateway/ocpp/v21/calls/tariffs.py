"""Tariffs that the charger calculates with (use cases I07 to I11)."""

from gateway.core.commands import Outcome
from gateway.ocpp.arguments import one_transaction
from gateway.ocpp.endings import ending, items, neutral, status_result, worst
from gateway.ocpp.fields import text, word
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.shapes import Shape, read, texts, time
from gateway.ocpp.v201.calls.shapes import Arguments, given
from gateway.ocpp.writing import Form, each, many_words, one, words_of, write
from gateway.ocpp.writing import time as written_time
from gateway.ocpp.writing import word as written_word

_DAYS = words_of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_WHEN: Form = {
    "start_time_of_day": "startTimeOfDay",
    "end_time_of_day": "endTimeOfDay",
    "days_of_week": many_words("dayOfWeek", _DAYS),
    "valid_from_date": "validFromDate",
    "valid_to_date": "validToDate",
    "evse_kind": written_word("evseKind", words_of("AC", "DC")),
}
_CONDITIONS: Form = {
    **_WHEN,
    "min_energy_wh": "minEnergy",
    "max_energy_wh": "maxEnergy",
    "min_current_a": "minCurrent",
    "max_current_a": "maxCurrent",
    "min_power_w": "minPower",
    "max_power_w": "maxPower",
    "min_time_s": "minTime",
    "max_time_s": "maxTime",
    "min_charging_time_s": "minChargingTime",
    "max_charging_time_s": "maxChargingTime",
    "min_idle_time_s": "minIdleTime",
    "max_idle_time_s": "maxIdleTime",
}
_FIXED_CONDITIONS: Form = {
    **_WHEN,
    "payment_brand": "paymentBrand",
    "payment_recognition": "paymentRecognition",
}

_TAX_RATES = each("taxRates", {"type": "type", "tax_percent": "tax", "stack": "stack"})


def _prices(neutral_name: str, ocpp_name: str, conditions: Form) -> Form:
    price: Form = {neutral_name: ocpp_name, "conditions": one("conditions", conditions)}
    return {"prices": each("prices", price), "tax_rates": _TAX_RATES}


_BY_TIME = _prices("price_per_minute", "priceMinute", _CONDITIONS)
_FIXED = _prices("price", "priceFixed", _FIXED_CONDITIONS)
_BOUND: Form = {"excluding_tax": "exclTax", "including_tax": "inclTax", "tax_rates": _TAX_RATES}
_TEXT: Form = {
    "format": written_word("format", words_of("ASCII", "HTML", "URI", "UTF8", "QRCODE")),
    "language": "language",
    "content": "content",
}

_TARIFF: Form = {
    "tariff_id": "tariffId",
    "currency": "currency",
    "description": each("description", _TEXT),
    "valid_from": written_time("validFrom"),
    "energy": one("energy", _prices("price_per_kwh", "priceKwh", _CONDITIONS)),
    "charging_time": one("chargingTime", _BY_TIME),
    "idle_time": one("idleTime", _BY_TIME),
    "fixed_fee": one("fixedFee", _FIXED),
    "reservation_time": one("reservationTime", _BY_TIME),
    "reservation_fixed": one("reservationFixed", _FIXED),
    "min_cost": one("minCost", _BOUND),
    "max_cost": one("maxCost", _BOUND),
}

_ASSIGNMENT: Shape = {
    "tariffId": ("tariff_id", text),
    "tariffKind": ("kind", word),
    "validFrom": ("valid_from", time),
    "idTokens": ("tokens", texts),
}


def set_default_tariff(arguments: Arguments, station: Station) -> list[Call]:
    """Use case I07."""
    tariff = write(arguments["tariff"], _TARIFF, "tariff")
    return [Call("SetDefaultTariff", {"evseId": arguments["evse_id"], "tariff": tariff})]


def get_tariffs(arguments: Arguments, station: Station) -> list[Call]:
    """Use case I09."""
    return [Call("GetTariffs", {"evseId": arguments["evse_id"]})]


def got_tariffs(calls: list[Call], answers: list[Answered]) -> Ending:
    """Which tariff is for whom; NoTariff is a list of none."""
    payload, notes = answers[0].payload, Notes()
    tariffs = [
        {
            **read(item, _ASSIGNMENT, notes),
            "evse_ids": [evse for evse in item.get("evseIds") or [] if isinstance(evse, int)]
            if isinstance(item.get("evseIds"), list)
            else [],
        }
        for item in items(answers, "tariffAssignments")
    ]
    result = {**status_result(payload), "tariffs": tariffs}
    if payload.get("status") == "NoTariff":
        return Ending(Outcome.ACCEPTED, "NoTariff", result)
    return ending(payload, result)


def clear_tariffs(arguments: Arguments, station: Station) -> list[Call]:
    """Use case I10."""
    return [Call("ClearTariffs", given(tariffIds=arguments["tariff_ids"] or None, evseId=arguments["evse_id"]))]


def cleared_tariffs(calls: list[Call], answers: list[Answered]) -> Ending:
    """Rejected where any was; where all were to go, that there was none will do."""
    results, notes = items(answers, "clearTariffsResult"), Notes()
    if not results:
        return Ending(Outcome.REJECTED, "the answer names no tariff", {"tariffs": []})
    tariffs = [{"tariff_id": text(item, "tariffId", notes), "status": neutral(item.get("status"))} for item in results]
    if "tariffIds" not in calls[0].payload and all(item.get("status") == "NoTariff" for item in results):
        return Ending(Outcome.ACCEPTED, "NoTariff", {"tariffs": []})
    names = [str(tariff["tariff_id"]) for tariff in tariffs]
    return worst([ending(item, {}) for item in results], names, {"tariffs": tariffs})


def change_transaction_tariff(arguments: Arguments, station: Station) -> list[Call]:
    """Use case I11."""
    transaction = one_transaction(arguments, station, "change_transaction_tariff")
    tariff = write(arguments["tariff"], _TARIFF, "tariff")
    return [Call("ChangeTransactionTariff", {"tariff": tariff, "transactionId": transaction.ocpp_transaction_id})]

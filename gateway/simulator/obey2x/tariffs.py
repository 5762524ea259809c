"""OCPP 2.1: tariffs (use cases I07 to I11) and payments at the charger."""

from typing import Any

from gateway.simulator.connector import Connector
from gateway.simulator.dialect import Answer
from gateway.simulator.obey2x.answers import accepted, refused
from gateway.simulator.station import Station


def set_default_tariff(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case I07; EVSE 0 means all. One tariff holds per EVSE."""
    evse_id, tariff, kept = int(payload["evseId"]), payload["tariff"], station.memory.tariffs
    if evse_id and station.connector(evse_id) is None:
        return refused("UnknownEvse")
    if any(other["tariffId"] == tariff["tariffId"] and evse != evse_id for evse, other in kept.items()):
        return Answer({"status": "DuplicateTariffId"})
    kept[evse_id] = tariff
    return accepted()


def get_tariffs(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case I09."""
    evse_id = int(payload["evseId"])
    if evse_id and station.connector(evse_id) is None:
        return refused("UnknownEvse")
    assignments = [
        _assignment(tariff, "DefaultTariff", station.of(evse))
        for evse, tariff in sorted(station.memory.tariffs.items())
        if evse_id in (0, evse) or evse == 0
    ]
    for connector in station.of(evse_id):
        if connector.transaction is not None and connector.transaction.tariff is not None:
            driver = _assignment(connector.transaction.tariff, "DriverTariff", [connector])
            assignments.append({**driver, "idTokens": [connector.transaction.token]})
    return accepted(tariffAssignments=assignments) if assignments else Answer({"status": "NoTariff"})


def _assignment(tariff: dict[str, Any], kind: str, connectors: list[Connector]) -> dict[str, Any]:
    begin = {"validFrom": tariff["validFrom"]} if "validFrom" in tariff else {}
    evse_ids = [connector.evse_id for connector in connectors]
    return {"tariffId": tariff["tariffId"], "tariffKind": kind, "evseIds": evse_ids, **begin}


def clear_tariffs(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case I10: those named, or all of the EVSE, or all."""
    kept, evse_id, wanted = station.memory.tariffs, payload.get("evseId"), payload.get("tariffIds")
    found = {
        evse: tariff["tariffId"]
        for evse, tariff in kept.items()
        if evse_id in (None, evse) and (wanted is None or tariff["tariffId"] in wanted)
    }
    for evse in found:
        del kept[evse]
    results = [{"tariffId": tariff_id, "status": "Accepted"} for tariff_id in found.values()]
    missing = [tariff_id for tariff_id in wanted or [] if tariff_id not in found.values()]
    results += [{"tariffId": tariff_id, "status": "NoTariff"} for tariff_id in missing]
    return Answer({"clearTariffsResult": results or [{"status": "NoTariff"}]})


def change_transaction_tariff(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case I11: the currency of a running transaction stays."""
    connector = station.by_wire_id(payload["transactionId"])
    if connector is None or connector.transaction is None:
        return Answer({"status": "TxNotFound"})
    present = connector.transaction.tariff
    if present is not None and present["currency"] != payload["tariff"]["currency"]:
        return Answer({"status": "NoCurrencyChange"})
    connector.transaction.tariff = payload["tariff"]
    return accepted()


def notify_web_payment_started(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case C25: the charger's display would say so."""
    return Answer({})

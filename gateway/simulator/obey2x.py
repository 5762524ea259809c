"""OCPP 2.0.1 and 2.1: how a charger obeys the CSMS's calls."""

from collections.abc import Mapping
from typing import Any

from gateway.simulator.dialect import Answer, Dialect, Message, Obey
from gateway.simulator.limits import read_profile
from gateway.simulator.station import Connector, Station
from gateway.simulator.wording2x import Wording2x, meter_value

WORDING = Wording2x()


def _request_start(station: Station, payload: dict[str, Any]) -> Answer:
    profile = payload.get("chargingProfile")
    limit = None if profile is None else read_profile(profile, id_key="id", now=station.now())
    connector = station.start(str(payload["idToken"]["idToken"]), payload.get("evseId"), int(payload["remoteStartId"]))
    if connector is not None and limit is not None:
        station.install(connector.evse_id, limit)
    return Answer({"status": "Rejected" if connector is None else "Accepted"})


def _request_stop(station: Station, payload: dict[str, Any]) -> Answer:
    connector = station.by_wire_id(payload["transactionId"])
    if connector is None:
        return Answer({"status": "Rejected"})
    connector.stop("remote")
    return Answer({"status": "Accepted"})


def _unlock(station: Station, payload: dict[str, Any]) -> Answer:
    connector = station.connector(payload["evseId"])
    if connector is None or payload["connectorId"] != 1:
        return Answer({"status": "UnknownConnector"})
    if connector.transaction is not None:
        return Answer({"status": "OngoingAuthorizedTransaction"})
    station.unlock(connector)
    return Answer({"status": "Unlocked"})


def _reset(station: Station, payload: dict[str, Any]) -> Answer:
    if payload.get("evseId") is not None:
        return Answer({"status": "Rejected", "statusInfo": {"reasonCode": "UnsupportedRequest"}})
    on_idle = payload["type"] == "OnIdle"
    status = "Scheduled" if on_idle and station.busy else "Accepted"
    return Answer({"status": status}, after=lambda: station.reset("on_idle" if on_idle else "hard"))


def _change_availability(station: Station, payload: dict[str, Any]) -> Answer:
    evse_id = int(payload.get("evse", {}).get("id", 0))
    result = station.set_operative(evse_id, payload["operationalStatus"] == "Operative")
    return Answer({"status": result.capitalize()}, _statuses(station) if result == "accepted" else ())


def _trigger(station: Station, payload: dict[str, Any]) -> Answer:
    requested, evse_id = payload["requestedMessage"], payload.get("evse", {}).get("id")
    if evse_id and station.connector(evse_id) is None:
        return Answer({"status": "Rejected"})
    match requested:
        case "BootNotification":
            boot = WORDING.boot(station)
            then: tuple[Message, ...] = (Message(boot.action, {**boot.payload, "reason": "Triggered"}),)
        case "Heartbeat":
            then = (Message("Heartbeat", {}),)
        case "StatusNotification":
            then = _statuses(station, evse_id)
        case "MeterValues":
            then = _meters(station, evse_id)
        case "TransactionEvent":
            return Answer({"status": "Accepted" if _trigger_transactions(station, evse_id) else "Rejected"})
        case _:
            return Answer({"status": "NotImplemented"})
    return Answer({"status": "Accepted"}, then)


def _trigger_transactions(station: Station, evse_id: int | None) -> bool:
    running = [c for c in station.connectors if c.transaction is not None and evse_id in (None, 0, c.evse_id)]
    for connector in running:
        if connector.transaction is not None:
            reading = connector.read(station.now())
            message = WORDING.sampled(connector.transaction, reading, offline=False)
            message.payload["triggerReason"] = "Trigger"
            station.store(message.action, message.payload, connector.transaction)
    return bool(running)


def _get_variables(station: Station, payload: dict[str, Any]) -> Answer:
    results = []
    for wanted in payload["getVariableData"]:
        result, variable = _look_up(station, wanted)
        if variable is not None:
            result |= {"attributeStatus": "Accepted", "attributeValue": variable.value}
        results.append(result)
    return Answer({"getVariableResult": results})


def _set_variables(station: Station, payload: dict[str, Any]) -> Answer:
    results = []
    for wanted in payload["setVariableData"]:
        result, variable = _look_up(station, wanted)
        if variable is not None and variable.read_only:
            result["attributeStatus"] = "Rejected"
        elif variable is not None:
            variable.value = str(wanted["attributeValue"])
            result["attributeStatus"] = "Accepted"
        results.append(result)
    return Answer({"setVariableResult": results})


def _look_up(station: Station, wanted: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    component, name = str(wanted["component"]["name"]), str(wanted["variable"]["name"])
    attribute = wanted.get("attributeType", "Actual")
    result: dict[str, Any] = {"component": wanted["component"], "variable": wanted["variable"]}
    if "attributeType" in wanted:
        result["attributeType"] = attribute
    variable = station.variables.by_name(component, name)
    if variable is None:
        known = station.variables.has_component(component)
        result["attributeStatus"] = "UnknownVariable" if known else "UnknownComponent"
    elif attribute != "Actual":
        result["attributeStatus"] = "NotSupportedAttributeType"
        variable = None
    return result, variable


def _set_charging_profile(station: Station, payload: dict[str, Any]) -> Answer:
    evse_id = int(payload["evseId"])
    profile = read_profile(payload["chargingProfile"], id_key="id", now=station.now())
    connector = station.connector(evse_id)
    orphan = profile.purpose == "TxProfile" and not _runs(connector, profile.transaction_id)
    if orphan or (evse_id != 0 and connector is None):
        return Answer({"status": "Rejected", "statusInfo": {"reasonCode": "TxNotFound" if orphan else "UnknownEvse"}})
    station.install(evse_id, profile)
    return Answer({"status": "Accepted"})


def _runs(connector: Connector | None, transaction_id: str | int | None) -> bool:
    transaction = connector.transaction if connector is not None else None
    return transaction is not None and transaction_id in (None, transaction.wire_id)


def _clear_charging_profile(station: Station, payload: dict[str, Any]) -> Answer:
    criteria = payload.get("chargingProfileCriteria", {})
    found = station.limits.clear(
        profile_id=payload.get("chargingProfileId"),
        evse_id=criteria.get("evseId"),
        purpose=criteria.get("chargingProfilePurpose"),
        stack_level=criteria.get("stackLevel"),
    )
    return Answer({"status": "Accepted" if found else "Unknown"})


def _data_transfer(_station: Station, payload: dict[str, Any]) -> Answer:
    return Answer({"status": "Accepted", **({"data": payload["data"]} if "data" in payload else {})})


def _get_transaction_status(station: Station, payload: dict[str, Any]) -> Answer:
    transaction_id = payload.get("transactionId")
    queued = [s for s in station.outbox if transaction_id in (None, s.transaction.wire_id)]
    answer: dict[str, Any] = {"messagesInQueue": bool(queued)}
    if transaction_id is not None:
        answer["ongoingIndicator"] = station.by_wire_id(transaction_id) is not None
    return Answer(answer)


def _statuses(station: Station, evse_id: int | None = None) -> tuple[Message, ...]:
    now = station.now()
    return tuple(WORDING.status(c, now) for c in station.connectors if not evse_id or c.evse_id == evse_id)


def _meters(station: Station, evse_id: int | None) -> tuple[Message, ...]:
    return tuple(
        Message("MeterValues", {"evseId": c.evse_id, "meterValue": [meter_value(c.read(station.now()), "Trigger")]})
        for c in station.connectors
        if not evse_id or c.evse_id == evse_id
    )


OBEYS: Mapping[str, Obey] = {
    "RequestStartTransaction": _request_start,
    "RequestStopTransaction": _request_stop,
    "UnlockConnector": _unlock,
    "Reset": _reset,
    "ChangeAvailability": _change_availability,
    "TriggerMessage": _trigger,
    "GetVariables": _get_variables,
    "SetVariables": _set_variables,
    "SetChargingProfile": _set_charging_profile,
    "ClearChargingProfile": _clear_charging_profile,
    "DataTransfer": _data_transfer,
    "GetTransactionStatus": _get_transaction_status,
}

KNOWN_201 = frozenset(OBEYS) | frozenset(
    [
        "CancelReservation",
        "CertificateSigned",
        "ClearCache",
        "ClearDisplayMessage",
        "ClearVariableMonitoring",
        "CostUpdated",
        "CustomerInformation",
        "DeleteCertificate",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetDisplayMessages",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
        "InstallCertificate",
        "PublishFirmware",
        "ReserveNow",
        "SendLocalList",
        "SetDisplayMessage",
        "SetMonitoringBase",
        "SetMonitoringLevel",
        "SetNetworkProfile",
        "SetVariableMonitoring",
        "UnpublishFirmware",
        "UpdateFirmware",
    ]
)

KNOWN_21 = KNOWN_201 | frozenset(
    [
        "AFRRSignal",
        "AdjustPeriodicEventStream",
        "ChangeTransactionTariff",
        "ClearDERControl",
        "ClearTariffs",
        "ClosePeriodicEventStream",
        "GetDERControl",
        "GetPeriodicEventStream",
        "GetTariffs",
        "NotifyAllowedEnergyTransfer",
        "NotifyWebPaymentStarted",
        "RequestBatterySwap",
        "SetDERControl",
        "SetDefaultTariff",
        "UpdateDynamicSchedule",
        "UsePriorityCharging",
    ]
)

V201 = Dialect(
    version="2.0.1",
    subprotocol="ocpp2.0.1",
    wording=WORDING,
    obeys=OBEYS,
    known=KNOWN_201,
    malformed_code="FormatViolation",
    rejected_code="SecurityError",
)

V21 = Dialect(
    version="2.1",
    subprotocol="ocpp2.1",
    wording=WORDING,
    obeys=OBEYS,
    known=KNOWN_21,
    malformed_code="FormatViolation",
    rejected_code="SecurityError",
)

"""OCPP 1.6: how a charger obeys the CSMS's calls."""

from collections.abc import Mapping
from typing import Any

from gateway.simulator.dialect import Answer, Dialect, Message, Obey
from gateway.simulator.limits import read_profile
from gateway.simulator.station import Station
from gateway.simulator.wording16 import Wording16, meter_values

WORDING = Wording16()


def _remote_start(station: Station, payload: dict[str, Any]) -> Answer:
    evse_id = payload.get("connectorId")
    profile = payload.get("chargingProfile")
    limit = None if profile is None else read_profile(profile, id_key="chargingProfileId", now=station.now())
    connector = station.start(str(payload["idTag"]), evse_id)
    if connector is not None and limit is not None:
        station.install(connector.evse_id, limit)
    return Answer({"status": "Rejected" if connector is None else "Accepted"})


def _remote_stop(station: Station, payload: dict[str, Any]) -> Answer:
    connector = station.by_wire_id(payload["transactionId"])
    if connector is None:
        return Answer({"status": "Rejected"})
    connector.stop("remote")
    return Answer({"status": "Accepted"})


def _unlock(station: Station, payload: dict[str, Any]) -> Answer:
    connector = station.connector(payload["connectorId"])
    if connector is None:
        return Answer({"status": "NotSupported"})
    station.unlock(connector)
    return Answer({"status": "Unlocked"})


def _reset(station: Station, payload: dict[str, Any]) -> Answer:
    hard = payload["type"] == "Hard"
    return Answer({"status": "Accepted"}, after=lambda: station.reset("hard" if hard else "soft"))


def _change_availability(station: Station, payload: dict[str, Any]) -> Answer:
    result = station.set_operative(int(payload["connectorId"]), payload["type"] == "Operative")
    return Answer({"status": result.capitalize()}, _statuses(station) if result == "accepted" else ())


def _trigger(station: Station, payload: dict[str, Any]) -> Answer:
    requested, connector_id = payload["requestedMessage"], payload.get("connectorId")
    if connector_id is not None and connector_id != 0 and station.connector(connector_id) is None:
        return Answer({"status": "Rejected"})
    match requested:
        case "BootNotification":
            then: tuple[Message, ...] = (WORDING.boot(station),)
        case "Heartbeat":
            then = (Message("Heartbeat", {}),)
        case "StatusNotification":
            then = _statuses(station, connector_id)
        case "MeterValues":
            then = _meters(station, connector_id)
        case _:
            return Answer({"status": "NotImplemented"})
    return Answer({"status": "Accepted"}, then)


def _get_configuration(station: Station, payload: dict[str, Any]) -> Answer:
    keys = payload.get("key") or [variable.key for variable in station.variables.all if variable.key]
    found = [(key, station.variables.by_key(key)) for key in keys]
    return Answer(
        {
            "configurationKey": [
                {"key": v.key, "readonly": v.read_only, "value": v.value} for _, v in found if v is not None
            ],
            "unknownKey": [key for key, variable in found if variable is None],
        }
    )


def _change_configuration(station: Station, payload: dict[str, Any]) -> Answer:
    variable = station.variables.by_key(str(payload["key"]))
    if variable is None:
        return Answer({"status": "NotSupported"})
    if variable.read_only:
        return Answer({"status": "Rejected"})
    variable.value = str(payload["value"])
    return Answer({"status": "Accepted"})


def _set_charging_profile(station: Station, payload: dict[str, Any]) -> Answer:
    connector_id = int(payload["connectorId"])
    profile = read_profile(payload["csChargingProfiles"], id_key="chargingProfileId", now=station.now())
    connector = station.connector(connector_id)
    orphan = profile.purpose == "TxProfile" and (connector is None or connector.transaction is None)
    if orphan or (connector_id != 0 and connector is None):
        return Answer({"status": "Rejected"})
    station.install(connector_id, profile)
    return Answer({"status": "Accepted"})


def _clear_charging_profile(station: Station, payload: dict[str, Any]) -> Answer:
    found = station.limits.clear(
        profile_id=payload.get("id"),
        evse_id=payload.get("connectorId"),
        purpose=payload.get("chargingProfilePurpose"),
        stack_level=payload.get("stackLevel"),
    )
    return Answer({"status": "Accepted" if found else "Unknown"})


def _data_transfer(_station: Station, payload: dict[str, Any]) -> Answer:
    answer: dict[str, Any] = {"status": "Accepted"}
    if isinstance(payload.get("data"), str):
        answer["data"] = payload["data"]
    return Answer(answer)


def _statuses(station: Station, connector_id: int | None = None) -> tuple[Message, ...]:
    now = station.now()
    return tuple(WORDING.status(c, now) for c in station.connectors if not connector_id or c.evse_id == connector_id)


def _meters(station: Station, connector_id: int | None) -> tuple[Message, ...]:
    messages = []
    for connector in station.connectors:
        if not connector_id or connector.evse_id == connector_id:
            payload = meter_values(connector.evse_id, connector.read(station.now()), "Trigger")
            if connector.transaction is not None and connector.transaction.wire_id is not None:
                payload["transactionId"] = connector.transaction.wire_id
            messages.append(Message("MeterValues", payload))
    return tuple(messages)


OBEYS: Mapping[str, Obey] = {
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "UnlockConnector": _unlock,
    "Reset": _reset,
    "ChangeAvailability": _change_availability,
    "TriggerMessage": _trigger,
    "GetConfiguration": _get_configuration,
    "ChangeConfiguration": _change_configuration,
    "SetChargingProfile": _set_charging_profile,
    "ClearChargingProfile": _clear_charging_profile,
    "DataTransfer": _data_transfer,
}

KNOWN = frozenset(OBEYS) | frozenset(
    [
        "CancelReservation",
        "CertificateSigned",
        "ClearCache",
        "DeleteCertificate",
        "ExtendedTriggerMessage",
        "GetCompositeSchedule",
        "GetDiagnostics",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "InstallCertificate",
        "ReserveNow",
        "SendLocalList",
        "SignedUpdateFirmware",
        "UpdateFirmware",
    ]
)

V16 = Dialect(
    version="1.6",
    subprotocol="ocpp1.6",
    wording=WORDING,
    obeys=OBEYS,
    known=KNOWN,
    malformed_code="FormationViolation",
    rejected_code=None,
)

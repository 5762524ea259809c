"""OCPP 1.6: what the CSMS has the charger keep: configuration, local list, cache, certificates."""

from typing import Any

from gateway.simulator.certificates import hash_data
from gateway.simulator.dialect import Answer
from gateway.simulator.messages import Message, say
from gateway.simulator.station import Station


def get_configuration(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.8. A key that cannot be read (AuthorizationKey) has no value."""
    keys = payload.get("key") or [variable.key for variable in station.variables.all if variable.key]
    found = [(key, station.variables.by_key(key)) for key in keys]
    return Answer(
        {
            "configurationKey": [
                {"key": v.key, "readonly": v.mutability == "ReadOnly"}
                | ({} if v.mutability == "WriteOnly" else {"value": station.variables.value(v)[:500]})
                for _, v in found
                if v is not None
            ],
            "unknownKey": [key for key, variable in found if variable is None],
        }
    )


def change_configuration(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.3."""
    variable = station.variables.by_key(str(payload["key"]))
    if variable is None:
        return Answer({"status": "NotSupported"})
    return Answer({"status": "Accepted" if station.variables.put(variable, str(payload["value"])) else "Rejected"})


def send_local_list(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.15. An entry without idTagInfo is removed."""
    kept, version = station.memory.local_list, int(payload["listVersion"])
    full = payload["updateType"] == "Full"
    if not full and version <= kept.version:
        return Answer({"status": "VersionMismatch"})
    entries = {} if full else dict(kept.entries)
    for entry in payload.get("localAuthorizationList") or []:
        token = str(entry["idTag"]).lower()
        if "idTagInfo" in entry:
            entries[token] = entry["idTagInfo"]
        else:
            entries.pop(token, None)
    kept.version, kept.entries = version, entries
    return Answer({"status": "Accepted"})


def get_local_list_version(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.10."""
    return Answer({"listVersion": station.memory.local_list.version})


def clear_cache(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.4."""
    station.memory.cache.clear()
    return Answer({"status": "Accepted"})


def install_certificate(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case M05 of the security extension."""
    kind = str(payload["certificateType"])
    return Answer({"status": station.memory.certificates.install(kind, str(payload["certificate"]))})


def delete_certificate(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case M04 of the security extension."""
    return Answer({"status": station.memory.certificates.delete(payload["certificateHashData"])})


def get_installed_certificate_ids(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case M03 of the security extension."""
    found = [hashes for _, hashes in station.memory.certificates.of([payload["certificateType"]])]
    return Answer({"status": "Accepted", "certificateHashData": found} if found else {"status": "NotFound"})


def certificate_signed(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case A02 of the security extension: what is no certificate is refused, and that is a security event."""
    try:
        hash_data(str(payload["certificateChain"]))
    except ValueError as problem:
        event = {
            "type": "InvalidChargePointCertificate",
            "timestamp": station.timestamp(),
            "techInfo": str(problem)[:255],
        }
        return Answer({"status": "Rejected"}, say([Message("SecurityEventNotification", event)]))
    return Answer({"status": "Accepted"})

"""OCPP 2.x: what the CSMS has the charger keep: local list, cache, certificates, messages, customers."""

from typing import Any

from gateway.simulator.dialect import Answer
from gateway.simulator.messages import Errand, Message, in_parts
from gateway.simulator.obey2x.answers import accepted, refused
from gateway.simulator.station import Station

MESSAGES_PER_PART = 5
CUSTOMER_CHARACTERS = 512
FORMATS = ("ASCII", "UTF8")
MAX_MESSAGES = 50


def send_local_list(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case D01. An entry without idTokenInfo is removed."""
    kept, version = station.memory.local_list, int(payload["versionNumber"])
    full = payload["updateType"] == "Full"
    if not full and version <= kept.version:
        return Answer({"status": "VersionMismatch"})
    entries = {} if full else dict(kept.entries)
    for entry in payload.get("localAuthorizationList") or []:
        token = str(entry["idToken"]["idToken"]).lower()
        if "idTokenInfo" in entry:
            entries[token] = entry["idTokenInfo"]
        else:
            entries.pop(token, None)
    kept.version, kept.entries = version, entries
    return accepted()


def get_local_list_version(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case D02."""
    return Answer({"versionNumber": station.memory.local_list.version})


def clear_cache(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case C11."""
    station.memory.cache.clear()
    return accepted()


def install_certificate(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case M05."""
    status = station.memory.certificates.install(str(payload["certificateType"]), str(payload["certificate"]))
    return accepted() if status == "Accepted" else refused("InvalidCertificate", status)


def delete_certificate(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case M04."""
    return Answer({"status": station.memory.certificates.delete(payload["certificateHashData"])})


def get_installed_certificate_ids(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case M03."""
    found = station.memory.certificates.of(payload.get("certificateType") or [])
    if not found:
        return Answer({"status": "NotFound"})
    chains = [{"certificateType": kind, "certificateHashData": hashes} for kind, hashes in found]
    return accepted(certificateHashDataChain=chains)


def set_display_message(station: Station, payload: dict[str, Any]) -> Answer:
    """Use cases O01, O02 and O06: a message of the same id is replaced."""
    message, kept = payload["message"], station.memory.displays
    if message["message"]["format"] not in FORMATS:
        return Answer({"status": "NotSupportedMessageFormat"})
    transaction_id = message.get("transactionId")
    if transaction_id is not None and station.by_wire_id(transaction_id) is None:
        return Answer({"status": "UnknownTransaction"})
    if len(kept) >= MAX_MESSAGES and message["id"] not in kept:
        return refused("TooManyElements")
    kept[int(message["id"])] = message
    return accepted()


def get_display_messages(station: Station, payload: dict[str, Any]) -> Answer:
    """Use cases O03 and O04."""
    ids = payload.get("id")
    found = [
        message
        for number, message in sorted(station.memory.displays.items())
        if (ids is None or number in ids)
        and payload.get("priority") in (None, message["priority"])
        and payload.get("state") in (None, message.get("state"))
    ]
    if not found:
        return Answer({"status": "Unknown"})
    return accepted(_tell_messages(int(payload["requestId"]), found))


def _tell_messages(request_id: int, found: list[dict[str, Any]]) -> Errand:
    for _, more, part in in_parts(found, MESSAGES_PER_PART):
        yield Message("NotifyDisplayMessages", {"requestId": request_id, "tbc": more, "messageInfo": list(part)})


def clear_display_message(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case O05."""
    return Answer({"status": "Unknown" if station.memory.displays.pop(payload["id"], None) is None else "Accepted"})


def customer_information(station: Station, payload: dict[str, Any]) -> Answer:
    """Use cases N09 and N10: what the charger remembers of a token is told, forgotten, or both."""
    named = [name for name in ("idToken", "customerCertificate", "customerIdentifier") if name in payload]
    if len(named) > 1:
        return refused("InvalidValue", "Invalid")
    told = _remembered(station, payload, clear=bool(payload["clear"]))
    if not payload["report"] and not payload["clear"]:
        return refused("InvalidValue")
    return accepted(_tell_customer(station, int(payload["requestId"]), told if payload["report"] else ""))


def _remembered(station: Station, payload: dict[str, Any], *, clear: bool) -> str:
    token = str(payload.get("idToken", {}).get("idToken") or payload.get("customerIdentifier") or "").lower()
    memory, lines = station.memory, []
    if token in memory.cache:
        lines.append(f"authorization cache: {token} {memory.cache[token]}")
    if token in memory.local_list.entries:
        lines.append(f"local list: {token} {memory.local_list.entries[token].get('status')}")
    for connector in station.connectors:
        transaction = connector.transaction
        if transaction is not None and transaction.token.lower() == token:
            lines.append(f"transaction: {transaction.wire_id} on EVSE {connector.evse_id}")
    if clear:
        memory.cache.pop(token, None)
        memory.local_list.entries.pop(token, None)
    return "\n".join(lines) or "nothing is stored"


def _tell_customer(station: Station, request_id: int, told: str) -> Errand:
    for number, more, part in in_parts(told, CUSTOMER_CHARACTERS):
        yield Message(
            "NotifyCustomerInformation",
            {
                "requestId": request_id,
                "generatedAt": station.timestamp(),
                "seqNo": number,
                "tbc": more,
                "data": str(part),
            },
        )

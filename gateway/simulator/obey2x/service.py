"""OCPP 2.x: logs (block N), firmware (block L), and what a charger can be triggered to send (F06)."""

from collections.abc import Sequence
from typing import Any

from gateway.simulator.certificates import CSR, hash_data
from gateway.simulator.dialect import Answer
from gateway.simulator.jobs import PUBLICATION, UPLOAD, go_through, update
from gateway.simulator.memory import Work
from gateway.simulator.messages import Errand, Message, say
from gateway.simulator.obey2x.answers import accepted, refused
from gateway.simulator.station import Station
from gateway.simulator.wording2x import Wording2x, meter_value

WORDING = Wording2x()

CERTIFICATES = {
    # trigger → certificateType
    "SignChargingStationCertificate": "ChargingStationCertificate",
    "SignV2GCertificate": "V2GCertificate",
    "SignV2G20Certificate": "V2G20Certificate",
    "SignCombinedCertificate": None,
}


def trigger_message(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case F06."""
    requested, evse_id = payload["requestedMessage"], payload.get("evse", {}).get("id")
    if evse_id and station.connector(evse_id) is None:
        return refused("UnknownEvse")
    if requested == "TransactionEvent":
        return Answer({"status": "Accepted" if _trigger_transactions(station, evse_id) else "Rejected"})
    messages = _triggered(station, requested, evse_id)
    return Answer({"status": "NotImplemented"}) if messages is None else accepted(say(messages))


def _triggered(station: Station, requested: str, evse_id: int | None) -> Sequence[Message] | None:
    memory, now = station.memory, station.now()
    match requested:
        case "BootNotification":
            boot = WORDING.boot(station)
            return [Message(boot.action, {**boot.payload, "reason": "Triggered"})]
        case "Heartbeat":
            return [Message("Heartbeat", {})]
        case "StatusNotification":
            return [WORDING.status(connector, now) for connector in station.of(evse_id)]
        case "MeterValues":
            return [
                Message("MeterValues", {"evseId": c.evse_id, "meterValue": [meter_value(c.read(now), "Trigger")]})
                for c in station.of(evse_id)
            ]
        case "LogStatusNotification":
            return [log_status(memory.upload)]
        case "FirmwareStatusNotification":
            return [firmware_status(memory.update)]
        case "PublishFirmwareStatusNotification":
            return [publish_status(memory.publication)]
        case _ if requested in CERTIFICATES:
            return [_sign_certificate(station, CERTIFICATES[requested])]
        case _:
            return None


def _trigger_transactions(station: Station, evse_id: int | None) -> bool:
    running = [connector for connector in station.of(evse_id) if connector.transaction is not None]
    for connector in running:
        if connector.transaction is not None:
            reading = connector.read(station.now())
            message = WORDING.sampled(connector.transaction, reading, offline=False)
            message.payload["triggerReason"] = "Trigger"
            station.store(message.action, message.payload, connector.transaction)
    return bool(running)


def _sign_certificate(station: Station, kind: str | None) -> Message:
    """SignCertificate (use case A02); in 2.1 the request has a number, by which CertificateSigned refers to it."""
    payload: dict[str, Any] = {"csr": CSR}
    if kind is not None:
        payload["certificateType"] = kind
    if station.version == "2.1":
        payload["requestId"] = station.memory.next_number()
    return Message("SignCertificate", payload)


def log_status(work: Work) -> Message:
    """An idle charger has no request to name."""
    return Message("LogStatusNotification", _with_request(work))


def firmware_status(work: Work) -> Message:
    """An idle charger has no request to name."""
    return Message("FirmwareStatusNotification", _with_request(work))


def publish_status(work: Work) -> Message:
    """A published file has its addresses."""
    where = {"location": ["http://192.0.2.1/firmware.bin"]} if work.status == "Published" else {}
    return Message("PublishFirmwareStatusNotification", {**_with_request(work), **where})


def _with_request(work: Work) -> dict[str, Any]:
    named = {} if work.request_id is None or not work.running else {"requestId": work.request_id}
    return {"status": work.status, **named}


def get_log(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case N01; a new request ends an upload that is under way, and that is told."""
    work = station.memory.upload
    ended = {"status": "AcceptedCanceled", "requestId": work.request_id} if work.running else None
    work.begin(int(payload["requestId"]))
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in station.identity)[:200]
    answer = {"status": "Accepted" if ended is None else "AcceptedCanceled", "filename": f"{name}.log"}
    return Answer(answer, _upload(work, ended))


def _upload(work: Work, ended: dict[str, Any] | None) -> Errand:
    if ended is not None:
        yield Message("LogStatusNotification", ended)
    yield from go_through(work, UPLOAD, log_status)


def update_firmware(station: Station, payload: dict[str, Any]) -> Answer:
    """Use cases L01 (signed) and L02."""
    firmware, work = payload["firmware"], station.memory.update
    if firmware.get("signingCertificate"):
        try:
            hash_data(str(firmware["signingCertificate"]))
        except ValueError:
            return Answer(
                {"status": "InvalidCertificate"}, say([_security(station, "InvalidFirmwareSigningCertificate")])
            )
    stages = update(firmware, station.now())
    status = "AcceptedCanceled" if work.running else "Accepted"
    work.begin(int(payload["requestId"]))
    return Answer({"status": status}, go_through(work, stages, firmware_status))


def publish_firmware(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case L03."""
    work = station.memory.publication
    work.begin(int(payload["requestId"]))
    return accepted(_publish(station, str(payload["checksum"])))


def _publish(station: Station, checksum: str) -> Errand:
    work = station.memory.publication
    number = work.number
    yield from go_through(work, PUBLICATION, publish_status)
    if work.number == number:
        station.memory.published.add(checksum)


def unpublish_firmware(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case L04."""
    memory, checksum = station.memory, str(payload["checksum"])
    if memory.publication.running:
        return Answer({"status": "DownloadOngoing"})
    if checksum not in memory.published:
        return Answer({"status": "NoFirmware"})
    memory.published.discard(checksum)
    return Answer({"status": "Unpublished"})


def _security(station: Station, kind: str) -> Message:
    return Message("SecurityEventNotification", {"type": kind, "timestamp": station.timestamp()})


def certificate_signed(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case A02: what is no certificate is refused, and that is a security event."""
    try:
        hash_data(str(payload["certificateChain"]))
    except ValueError:
        event = _security(station, "InvalidChargingStationCertificate")
        return refused("InvalidCertificate", then=say([event]))
    return accepted()

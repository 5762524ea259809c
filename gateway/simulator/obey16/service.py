"""OCPP 1.6: triggered messages, logs, firmware, and vendors' own messages."""

from collections.abc import Sequence
from typing import Any

from gateway.simulator.certificates import CSR, hash_data
from gateway.simulator.dialect import Answer
from gateway.simulator.jobs import UPLOAD, go_through, update
from gateway.simulator.memory import Work
from gateway.simulator.messages import Message, say
from gateway.simulator.station import Station
from gateway.simulator.wording16 import Wording16, meter_values

WORDING = Wording16()


def trigger_message(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.17, and ExtendedTriggerMessage of the security extension."""
    requested, connector_id = payload["requestedMessage"], payload.get("connectorId")
    if connector_id is not None and connector_id != 0 and station.connector(connector_id) is None:
        return Answer({"status": "Rejected"})
    messages = _triggered(station, requested, connector_id)
    if messages is None:
        return Answer({"status": "NotImplemented"})
    return Answer({"status": "Accepted"}, say(messages))


def extended_trigger_message(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 4.2 of the security extension: the firmware's status is that of a signed update."""
    if payload["requestedMessage"] == "FirmwareStatusNotification":
        work = station.memory.update
        return Answer({"status": "Accepted"}, say([signed_firmware_status(work if work.signed else Work())]))
    return trigger_message(station, payload)


def _triggered(station: Station, requested: str, connector_id: int | None) -> Sequence[Message] | None:
    memory = station.memory
    match requested:
        case "BootNotification":
            return [WORDING.boot(station)]
        case "Heartbeat":
            return [Message("Heartbeat", {})]
        case "StatusNotification":
            return [WORDING.status(connector, station.now()) for connector in station.of(connector_id)]
        case "MeterValues":
            return _meters(station, connector_id)
        case "DiagnosticsStatusNotification":
            return [diagnostics_status(memory.diagnostics)]
        case "FirmwareStatusNotification":
            return [firmware_status(Work() if memory.update.signed else memory.update)]
        case "LogStatusNotification":
            return [log_status(memory.upload)]
        case "SignChargePointCertificate":
            return [Message("SignCertificate", {"csr": CSR})]
        case _:
            return None


def _meters(station: Station, connector_id: int | None) -> Sequence[Message]:
    messages = []
    for connector in station.of(connector_id):
        payload = meter_values(connector.evse_id, connector.read(station.now()), "Trigger")
        if connector.transaction is not None and connector.transaction.wire_id is not None:
            payload["transactionId"] = connector.transaction.wire_id
        messages.append(Message("MeterValues", payload))
    return messages


def diagnostics_status(work: Work) -> Message:
    """Section 4.4."""
    return Message("DiagnosticsStatusNotification", {"status": work.status})


def firmware_status(work: Work) -> Message:
    """Section 4.5."""
    return Message("FirmwareStatusNotification", {"status": work.status})


def signed_firmware_status(work: Work) -> Message:
    """Security extension; an idle charger has no request to name."""
    return Message("SignedFirmwareStatusNotification", _with_request(work))


def log_status(work: Work) -> Message:
    """Security extension; an idle charger has no request to name."""
    return Message("LogStatusNotification", _with_request(work))


def _with_request(work: Work) -> dict[str, Any]:
    named = {} if work.request_id is None or not work.running else {"requestId": work.request_id}
    return {"status": work.status, **named}


def get_diagnostics(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.9."""
    work = station.memory.diagnostics
    work.begin(None)
    return Answer({"fileName": f"{_file_name(station)}-diagnostics.log"}, go_through(work, UPLOAD, diagnostics_status))


def get_log(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case N01 of the security extension; a new request ends an upload that is under way."""
    work = station.memory.upload
    status = "AcceptedCanceled" if work.running else "Accepted"
    work.begin(int(payload["requestId"]))
    kind = "security" if payload["logType"] == "SecurityLog" else "diagnostics"
    return Answer(
        {"status": status, "filename": f"{_file_name(station)}-{kind}.log"}, go_through(work, UPLOAD, log_status)
    )


def update_firmware(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.19."""
    work = station.memory.update
    work.begin(None)
    work.signed = False
    # A plain update has no words for its appointments: it is silent until the time has come.
    stages = [
        s for s in update({"retrieveDateTime": payload["retrieveDate"]}, station.now()) if "Scheduled" not in s[1]
    ]
    return Answer({}, go_through(work, stages, firmware_status))


def signed_update_firmware(station: Station, payload: dict[str, Any]) -> Answer:
    """Use case L01 of the security extension."""
    firmware, work = payload["firmware"], station.memory.update
    try:
        hash_data(str(firmware["signingCertificate"]))
    except ValueError:
        event = {"type": "InvalidFirmwareSigningCertificate", "timestamp": station.timestamp()}
        return Answer({"status": "InvalidCertificate"}, say([Message("SecurityEventNotification", event)]))
    stages = update(firmware, station.now())
    status = "AcceptedCanceled" if work.running else "Accepted"
    work.begin(int(payload["requestId"]))
    work.signed = True
    return Answer({"status": status}, go_through(work, stages, signed_firmware_status))


def data_transfer(station: Station, payload: dict[str, Any]) -> Answer:
    """Section 5.6: every vendor's message is accepted and its data sent back."""
    answer: dict[str, Any] = {"status": "Accepted"}
    if isinstance(payload.get("data"), str):
        answer["data"] = payload["data"]
    return Answer(answer)


def _file_name(station: Station) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in station.identity)[:200]

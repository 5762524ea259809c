"""Firmware and logs: the firmware management profile, and the security extension."""

from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandUnsupported
from gateway.ocpp.arguments import at_most, is_signed, moment
from gateway.ocpp.endings import ending, refused, status_result
from gateway.ocpp.profile import Answered, Call, Dialogue, Ending, Refused, Station

Arguments = dict[str, Any]

MAX_URL = 512
"""Of the security extension; the core's anyURI has no bound."""


def update_firmware(arguments: Arguments, station: Station) -> list[Call]:
    """Section 5.19; SignedUpdateFirmware of the security extension where signature and certificate are given."""
    retrieve_at = arguments["retrieve_at"]
    when = station.now if retrieve_at is None else moment(retrieve_at, "update_firmware: retrieve_at")
    if not is_signed(arguments):
        if arguments["install_at"] is not None:
            raise CommandUnsupported(
                "update_firmware: an OCPP 1.6 charger installs an unsigned firmware as soon as it has it; "
                "versions that can wait: 2.0.1, 2.1"
            )
        return [
            Call("UpdateFirmware", {"location": arguments["location"], "retrieveDate": when, **_retries(arguments)})
        ]
    firmware = {
        "location": at_most(arguments["location"], MAX_URL, "update_firmware: location"),
        "retrieveDateTime": when,
        "signingCertificate": arguments["signing_certificate"],
        "signature": arguments["signature"],
    }
    if arguments["install_at"] is not None:
        firmware["installDateTime"] = moment(arguments["install_at"], "update_firmware: install_at")
    request = {"requestId": station.next_id(), "firmware": firmware, **_retries(arguments)}
    return [Call("SignedUpdateFirmware", request)]


def firmware_asked_for(calls: list[Call], answers: list[Answered]) -> Ending:
    """UpdateFirmware.conf is empty, which is a yes."""
    payload = answers[0].payload
    if calls[0].action == "UpdateFirmware":
        return Ending(Outcome.ACCEPTED, None, {"status": "accepted", "request_id": None})
    return ending(payload, {**status_result(payload), "request_id": calls[0].payload["requestId"]})


def get_log(arguments: Arguments, station: Station) -> Dialogue:
    """GetLog of the security extension for the security log, GetDiagnostics (section 5.9) for diagnostics; what the
    charger has not got gives way to the other."""
    if arguments["type"] == "data_collector":
        raise CommandUnsupported("get_log: OCPP 1.6 knows no data_collector; versions that do: 2.1")
    ways = [_get_diagnostics(arguments), _get_log(arguments, station)]
    if arguments["type"] == "security":
        ways.reverse()
    answer = yield ways[0]
    asked = ways[0]
    if isinstance(answer, Refused) and answer.canonical in ("not_implemented", "not_supported"):
        asked = ways[1]
        answer = yield asked
    if isinstance(answer, Refused):
        return refused(answer)
    return _log_promised(asked, answer.payload)


def _log_promised(asked: Call, payload: Arguments) -> Ending:
    """Whether a log will come. The result's `type` is what it is, which may not be what was wanted."""
    if asked.action == "GetDiagnostics":
        filename = payload.get("fileName")
        result = {"status": "accepted", "request_id": None, "type": "diagnostics", "filename": filename}
        if not filename:
            # Section 5.9: no name, nothing to upload.
            return Ending(Outcome.REJECTED, "NoDiagnostics", {**result, "status": "no_diagnostics"})
        return Ending(Outcome.ACCEPTED, None, result)
    return ending(
        payload,
        {
            **status_result(payload),
            "request_id": asked.payload["requestId"],
            "type": "security" if asked.payload["logType"] == "SecurityLog" else "diagnostics",
            "filename": payload.get("filename"),
        },
    )


def _get_log(arguments: Arguments, station: Station) -> Call:
    log = {"remoteLocation": at_most(arguments["location"], MAX_URL, "get_log: location")}
    request = {
        "logType": "SecurityLog" if arguments["type"] == "security" else "DiagnosticsLog",
        "requestId": station.next_id(),
        "log": log | _between(arguments, "oldestTimestamp", "latestTimestamp"),
    }
    return Call("GetLog", request | _retries(arguments))


def _get_diagnostics(arguments: Arguments) -> Call:
    request = {"location": arguments["location"], **_between(arguments, "startTime", "stopTime")}
    return Call("GetDiagnostics", request | _retries(arguments))


def _between(arguments: Arguments, begin: str, end: str) -> dict[str, str]:
    names = {"oldest": begin, "latest": end}
    return {
        name: moment(arguments[given], f"get_log: {given}")
        for given, name in names.items()
        if arguments[given] is not None
    }


def _retries(arguments: Arguments) -> dict[str, int]:
    names = {"retries": "retries", "retry_interval_s": "retryInterval"}
    return {name: arguments[given] for given, name in names.items() if arguments[given] is not None}

"""Firmware and logs."""

from collections.abc import Mapping
from typing import Any

from gateway.ocpp.arguments import at_most, is_signed, moment
from gateway.ocpp.endings import ending, status_result
from gateway.ocpp.profile import Answered, Call, Ending, Station
from gateway.ocpp.spelling import Words, in_2x, in_21, spelled
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, given

LOG_TYPES: Words = {
    # LogEnumType
    "diagnostics": in_2x("DiagnosticsLog"),
    "security": in_2x("SecurityLog"),
    "data_collector": in_21("DataCollectorLog"),
}


def update_firmware(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use cases L01 (signed) and L02."""
    is_signed(arguments)
    retrieve_at, install_at = arguments["retrieve_at"], arguments["install_at"]
    firmware = {
        "location": at_most(arguments["location"], dialect.url_length, "update_firmware: location"),
        "retrieveDateTime": (
            station.now if retrieve_at is None else moment(retrieve_at, "update_firmware: retrieve_at")
        ),
        **given(
            installDateTime=None if install_at is None else moment(install_at, "update_firmware: install_at"),
            signingCertificate=arguments["signing_certificate"],
            signature=arguments["signature"],
        ),
    }
    return [Call("UpdateFirmware", {"requestId": station.next_id(), "firmware": firmware, **_retries(arguments)})]


def publish_firmware(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case L03."""
    return [
        Call(
            "PublishFirmware",
            {
                "requestId": station.next_id(),
                "location": at_most(arguments["location"], dialect.url_length, "publish_firmware: location"),
                "checksum": arguments["checksum"],
                **_retries(arguments),
            },
        )
    ]


def unpublish_firmware(arguments: Arguments, station: Station) -> list[Call]:
    """Use case L04."""
    return [Call("UnpublishFirmware", {"checksum": arguments["checksum"]})]


def get_log(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case N01."""
    oldest, latest = arguments["oldest"], arguments["latest"]
    log = {
        "remoteLocation": at_most(arguments["location"], dialect.url_length, "get_log: location"),
        **given(
            oldestTimestamp=None if oldest is None else moment(oldest, "get_log: oldest"),
            latestTimestamp=None if latest is None else moment(latest, "get_log: latest"),
        ),
    }
    kind = spelled(arguments["type"], LOG_TYPES, dialect.version, "get_log")
    request = {"logType": kind, "requestId": station.next_id(), "log": log}
    return [Call("GetLog", request | _retries(arguments))]


def log_promised(calls: list[Call], answers: list[Answered]) -> Ending:
    """Whether a log will come."""
    payload, asked = answers[0].payload, calls[0].payload
    result = {
        **status_result(payload),
        "request_id": asked["requestId"],
        "type": next(word for word, versions in LOG_TYPES.items() if asked["logType"] in versions.values()),
        "filename": payload.get("filename"),
    }
    return ending(payload, result)


def _retries(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return given(retries=arguments["retries"], retryInterval=arguments["retry_interval_s"])

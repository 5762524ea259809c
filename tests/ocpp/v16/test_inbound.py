"""What OCPP 1.6 calls mean; the comments number the rows of field deviations that a test stands for."""

from typing import Any

import pytest

from gateway.core.reports import (
    Authorization,
    Boot,
    Heartbeat,
    Meter,
    Notice,
    Report,
    Status,
    Token,
    Transaction,
    Untranslated,
)
from gateway.ocpp.profile import Notes
from gateway.ocpp.v16.profile import PROFILE

AT = "2026-01-01T00:00:00.000Z"


def translate(action: str, payload: dict[str, Any]) -> tuple[Report, list[str]]:
    notes = Notes()
    report = PROFILE.inbound[action].translate(payload, notes)
    return report, [f"{found['code']} {found['path']}".strip() for found in notes.violations]


def sample(value: Any, unit: str = "Wh", measurand: str = "Energy.Active.Import.Register") -> dict[str, Any]:
    return {
        "measurand": measurand,
        "value": value,
        "unit": unit,
        "phase": None,
        "location": "Outlet",
        "context": "Sample.Periodic",
        "timestamp": AT,
    }


def test_boot() -> None:
    assert translate(
        "BootNotification",
        {
            "chargePointVendor": "acme",
            "chargePointModel": "one",
            "chargeBoxSerialNumber": "old",
            "firmwareVersion": 1.5,
            "meterType": "m",
        },
    ) == (Boot("acme", "one", serial_number="old", firmware_version="1.5", meter_type="m"), [])


def test_a_boot_without_its_fields_is_still_a_boot() -> None:  # quirk 13
    assert translate("BootNotification", {"chargePointVendor": ""}) == (Boot("", None), [])


def test_heartbeat() -> None:
    assert translate("Heartbeat", {"vendor": "extra"}) == (Heartbeat(), [])


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("Available", "available"),
        ("Preparing", "preparing"),
        ("Charging", "charging"),
        ("SuspendedEV", "suspended_ev"),
        ("SuspendedEVSE", "suspended_evse"),
        ("Finishing", "finishing"),
        ("Reserved", "reserved"),
        ("Unavailable", "unavailable"),
        ("Faulted", "faulted"),
        ("VendorSpecialMode", "vendor_special_mode"),
    ],
)
def test_statuses_are_in_snake_case(written: str, status: str) -> None:
    report, violations = translate(
        "StatusNotification",
        {"connectorId": 2, "status": written, "errorCode": "NoError", "timestamp": "2026-01-01T00:00:00Z"},
    )
    assert (report, violations) == (Status(2, 1, status, AT), [])


def test_a_status_with_an_error() -> None:  # quirk 20: an error code of the charger's own
    report, violations = translate(
        "StatusNotification",
        {
            "connectorId": "0",
            "status": "Faulted",
            "errorCode": "Error",
            "vendorErrorCode": 17,
            "vendorId": "acme",
            "info": "hot",
        },
    )
    assert report == Status(
        0, 0, "faulted", None, error_code="Error", vendor_error_code="17", vendor_id="acme", info="hot"
    )
    assert violations == []


@pytest.mark.parametrize(
    "payload", [{}, {"connectorId": 1}, {"status": "Available"}, {"connectorId": -1, "status": "x"}]
)
def test_a_status_of_nothing_passes_raw(payload: dict[str, Any]) -> None:
    report, violations = translate("StatusNotification", payload)
    assert report == Untranslated()
    assert "untranslatable" in violations


@pytest.mark.parametrize(
    ("tag", "token", "noted"),
    [
        ("04AA", "04AA", []),
        ("  04aa ", "04aa", ["token_padded /idTag"]),
        ("123456789012345678901", "123456789012345678901", []),  # quirk 22: 21 characters
        (1234, "1234", []),
        (None, "", []),
        ({}, "", ["field_unreadable /idTag"]),
    ],
)
def test_tokens_keep_their_exact_spelling(tag: Any, token: str, noted: list[str]) -> None:
    assert translate("Authorize", {"idTag": tag}) == (Authorization(Token(token)), noted)


def test_start() -> None:
    assert translate(
        "StartTransaction",
        {"connectorId": 1, "idTag": "04AA", "meterStart": 100, "timestamp": "2026-01-01T00:00:00Z", "reservationId": 3},
    ) == (Transaction("started", AT, 1, 1, token=Token("04AA"), meter_wh=100, reservation_id=3), [])


def test_a_start_with_numbers_as_text_and_without_a_zone() -> None:  # quirks 18, 21
    report, violations = translate(
        "StartTransaction",
        {"connectorId": "1", "idTag": "04AA", "meterStart": "100.0", "timestamp": "2026-01-01T00:00:00"},
    )
    assert report == Transaction("started", None, 1, 1, token=Token("04AA"), meter_wh=100)
    assert violations == ["timestamp_without_zone /timestamp"]


@pytest.mark.parametrize(
    ("written", "read"),
    [(5, "5"), ("5", "5"), (5.0, "5"), (0, "0"), (-1, "-1"), (None, None), ("", None), ("tx-9", "tx-9")],
)
def test_transaction_ids_are_text_however_written(written: Any, read: str | None) -> None:  # quirks 18, 24
    payload = {"transactionId": written, "meterStop": 900, "timestamp": AT}
    assert translate("StopTransaction", payload)[0] == Transaction(
        "ended", AT, ocpp_transaction_id=read, meter_wh=900, stop_reason="local"
    )
    report, _ = translate("MeterValues", {"connectorId": 1, "transactionId": written, "meterValue": []})
    assert report == Meter(1, 1, [], None, ocpp_transaction_id=read)


def test_stop_with_reason_token_and_data() -> None:
    report, violations = translate(
        "StopTransaction",
        {
            "transactionId": 5,
            "idTag": "04AA",
            "meterStop": 900,
            "timestamp": AT,
            "reason": "EVDisconnected",
            "transactionData": [{"timestamp": AT, "sampledValue": [{"value": "0.9", "unit": "kWh"}]}],
        },
    )
    assert report == Transaction(
        "ended",
        AT,
        ocpp_transaction_id="5",
        token=Token("04AA"),
        meter_wh=900,
        samples=[sample(900)],  # type: ignore[list-item]
        stop_reason="ev_disconnected",
    )
    assert violations == []


def test_meter_values_of_a_connector_and_of_the_charger() -> None:
    meter_value = {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": "1"}, {"value": "50", "unit": "Hz"}]}
    energy, frequency = sample(1), sample(50, "Hz")
    for written in ([meter_value], meter_value):  # quirk 19: an object, not a list
        assert translate("MeterValues", {"connectorId": 2, "meterValue": written}) == (
            Meter(2, 1, [energy, frequency], AT),  # type: ignore[list-item]
            [],
        )
    report, violations = translate("MeterValues", {"meterValue": [meter_value]})
    assert report == Meter(0, None, [energy, frequency], AT)  # type: ignore[list-item]
    assert violations == ["connector_missing /connectorId"]


def test_data_transfer_keeps_data_of_any_type() -> None:  # quirk 23
    report, violations = translate("DataTransfer", {"vendorId": "acme", "messageId": 7, "data": {"a": [1]}})
    assert report == Notice("ocpp.data.transfer", {"vendor_id": "acme", "message_id": "7", "data": {"a": [1]}})
    assert violations == []


@pytest.mark.parametrize("action", ["FirmwareStatusNotification", "SignedFirmwareStatusNotification"])
def test_firmware_status_changes_the_snapshot(action: str) -> None:
    report, _ = translate(action, {"status": "DownloadFailed", "requestId": 4})
    assert report == Notice(
        "ocpp.firmware.status",
        {"status": "download_failed", "request_id": 4, "status_info": None},
        changes={"firmware_status": "download_failed"},
    )


@pytest.mark.parametrize(
    ("action", "written", "status", "log_type", "request_id"),
    [
        ("DiagnosticsStatusNotification", "Uploading", "uploading", "diagnostics", None),
        ("DiagnosticsStatusNotification", "UploadFailed", "upload_failure", "diagnostics", None),
        ("LogStatusNotification", "UploadFailure", "upload_failure", None, 4),
        ("LogStatusNotification", "NotSupportedOperation", "not_supported_operation", None, 4),
    ],
)
def test_diagnostics_and_logs_are_told_in_the_same_words(
    action: str, written: str, status: str, log_type: str | None, request_id: int | None
) -> None:
    report, violations = translate(action, {"status": written, "requestId": request_id})
    data = {"status": status, "request_id": request_id, "status_info": None, "log_type": log_type}
    assert report == Notice("ocpp.log.status", data, changes={"log_status": status})
    assert violations == []


def test_a_security_event() -> None:
    said = {"type": "InvalidTLSVersion", "timestamp": AT, "techInfo": "TLS 1.0"}
    assert translate("SecurityEventNotification", said) == (
        Notice("ocpp.charger.security", {"type": "invalid_tls_version", "tech_info": "TLS 1.0"}, time=AT),
        [],
    )


def test_a_certificate_to_sign_is_the_charger_s_own() -> None:
    data = {"csr": "PEM", "type": "charging_station", "request_id": None, "root_certificate": None}
    assert translate("SignCertificate", {"csr": "PEM"}) == (Notice("ocpp.certificate.requested", data), [])

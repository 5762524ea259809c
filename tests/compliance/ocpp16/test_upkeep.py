"""Firmware, diagnostics and logs: asked for once, and followed by notifications until they are done or have failed."""

import pytest

from tests.compliance.ocpp16.charge_point import ACCEPTED, BOOT, ChargePoint, Payload, at
from tests.compliance.ocpp16.lab import Lab

URL = "https://files.example/upload"
AT = "2026-01-01T00:00:00.000Z"
SIGNED = {"signature": "c2lnbmF0dXJl", "signing_certificate": "-----BEGIN CERTIFICATE-----\nMII=\n"}


async def told(point: ChargePoint, action: str, *statuses: str, **more: object) -> None:
    for status in statuses:
        assert await point.call(action, {"status": status, **more}) == {}


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param(["Downloading", "Downloaded", "Installing", "Installed"], id="TC_044_1 installed"),
        pytest.param(["Downloading", "DownloadFailed"], id="TC_044_2 download failed"),
        pytest.param(["Downloading", "Downloaded", "Installing", "InstallationFailed"], id="TC_044_3 not installed"),
        pytest.param(["Idle"], id="TC_044 idle"),
    ],
)
async def test_firmware_is_updated(statuses: list[str], lab: Lab) -> None:
    identity = lab.name()
    async with lab.charge_point(identity) as point:
        ordered = lab.order(point, "update_firmware", location=URL, retrieve_at=AT, retries=2, retry_interval_s=60)
        asked = await point.obey("UpdateFirmware", {})
        assert asked == {"location": URL, "retrieveDate": AT, "retries": 2, "retryInterval": 60}
        assert (await ordered)["outcome"] == "accepted"
        await told(point, "FirmwareStatusNotification", *statuses[:-1])
        if len(statuses) > 3:
            # It boots between Installing and what became of that.
            assert (await point.call("BootNotification", BOOT))["status"] == "Accepted"
        await told(point, "FirmwareStatusNotification", statuses[-1])


async def test_firmware_is_fetched_at_once_where_no_time_is_named(lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "update_firmware", location=URL)
        assert set(await point.obey("UpdateFirmware", {})) == {"location", "retrieveDate"}
        assert (await ordered)["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        pytest.param(["Uploading", "Uploaded"], "accepted", id="TC_045_1 uploaded"),
        pytest.param(["Uploading", "UploadFailed"], "rejected", id="TC_045_2 upload failed"),
    ],
)
async def test_diagnostics_are_uploaded(statuses: list[str], outcome: str, lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "get_log", location=URL, oldest=AT, retries=1)
        asked = await point.obey("GetDiagnostics", {"fileName": "diagnostics.zip"})
        assert asked == {"location": URL, "startTime": AT, "retries": 1}
        await told(point, "DiagnosticsStatusNotification", *statuses)
        ended = await ordered
        assert (ended["outcome"], ended["result"]["filename"]) == (outcome, "diagnostics.zip")


async def test_tc_045_there_are_no_diagnostics(lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "get_log", location=URL)
        await point.obey("GetDiagnostics", {})
        assert (await ordered)["reason"] == "NoDiagnostics"


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        pytest.param(["Uploading", "Uploaded"], "accepted", id="TC_079 uploaded"),
        pytest.param(["Uploading", "UploadFailure"], "rejected", id="TC_079 upload failed"),
        pytest.param(["PermissionDenied"], "rejected", id="TC_079 denied"),
    ],
)
async def test_the_security_log_is_uploaded(statuses: list[str], outcome: str, lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "get_log", location=URL, type="security")
        asked = await point.obey("GetLog", {"status": "Accepted", "filename": "security.log"})
        assert (asked["logType"], asked["log"]) == ("SecurityLog", {"remoteLocation": URL})
        await told(point, "LogStatusNotification", *statuses, requestId=asked["requestId"])
        assert (await ordered)["outcome"] == outcome


GOOD = ("Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting")


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        pytest.param(GOOD, ("Installed",), "FirmwareUpdated", id="TC_080 installed"),
        pytest.param(
            ("Downloading", "Downloaded"),
            ("InvalidSignature",),
            "InvalidFirmwareSignature",
            id="TC_081 invalid signature",
        ),
        pytest.param(
            ("DownloadScheduled", "DownloadPaused", "Downloading"), ("DownloadFailed",), None, id="TC_080 not fetched"
        ),
        pytest.param((*GOOD[:3], "InstallScheduled"), ("InstallVerificationFailed",), None, id="TC_080 not installed"),
    ],
)
async def test_signed_firmware_is_updated(
    before: tuple[str, ...], after: tuple[str, ...], event: str | None, lab: Lab
) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "update_firmware", location=URL, retrieve_at=AT, install_at=AT, **SIGNED)
        asked = await point.obey("SignedUpdateFirmware", ACCEPTED)
        assert asked["firmware"] == {
            "location": URL,
            "retrieveDateTime": AT,
            "installDateTime": AT,
            "signature": SIGNED["signature"],
            "signingCertificate": SIGNED["signing_certificate"],
        }
        assert (await ordered)["outcome"] == "accepted"
        request = {"requestId": asked["requestId"]}
        await told(point, "SignedFirmwareStatusNotification", *before, **request)
        if before[-1] == "InstallRebooting":
            assert (await point.call("BootNotification", BOOT))["status"] == "Accepted"
        if event is not None:
            assert await point.call("SecurityEventNotification", {"type": event, "timestamp": at()}) == {}
        await told(point, "SignedFirmwareStatusNotification", *after, **request)


REFUSED: dict[str, tuple[str, str, str]] = {
    "Rejected": ("Rejected", "rejected", "Rejected"),
    "InvalidCertificate": ("InvalidCertificate", "rejected", "InvalidCertificate"),
    "RevokedCertificate": ("RevokedCertificate", "rejected", "RevokedCertificate"),
    "AcceptedCanceled": ("AcceptedCanceled", "accepted", "AcceptedCanceled"),
}


@pytest.mark.parametrize(("status", "outcome", "reason"), REFUSED.values(), ids=REFUSED)
async def test_tc_080_answers_to_a_signed_update(status: str, outcome: str, reason: str, lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "update_firmware", location=URL, **SIGNED)
        await point.obey("SignedUpdateFirmware", {"status": status})
        ended = await ordered
        assert (ended["outcome"], ended["reason"]) == (outcome, reason)


TRIGGERED: dict[str, tuple[str, Payload]] = {
    "MeterValues": (
        "MeterValues",
        {"connectorId": 1, "meterValue": [{"timestamp": at(), "sampledValue": [{"value": "7", "context": "Trigger"}]}]},
    ),
    "Heartbeat": ("Heartbeat", {}),
    "StatusNotification": ("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"}),
    "DiagnosticsStatusNotification": ("DiagnosticsStatusNotification", {"status": "Idle"}),
    "FirmwareStatusNotification": ("FirmwareStatusNotification", {"status": "Idle"}),
    "BootNotification": ("BootNotification", BOOT),
    "LogStatusNotification": ("LogStatusNotification", {"status": "Idle", "requestId": 0}),
    "SignedFirmwareStatusNotification": ("SignedFirmwareStatusNotification", {"status": "Idle", "requestId": 0}),
}


@pytest.mark.parametrize(("action", "payload"), TRIGGERED.values(), ids=[f"TC_054 {name}" for name in TRIGGERED])
async def test_what_was_triggered_is_taken(action: str, payload: Payload, lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "trigger", message=action)
        message_id, called, asked = await point.any_call()
        assert called in ("TriggerMessage", "ExtendedTriggerMessage")
        assert asked["requestedMessage"] in (action, action.removeprefix("Signed"))
        await point.send([3, message_id, ACCEPTED])
        assert (await ordered)["outcome"] == "accepted"
        await point.call(action, payload)

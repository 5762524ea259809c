"""Block L: firmware for the station, and for those behind a local controller."""

from typing import Any

import pytest

from tests.compliance.laboratory import Laboratory
from tests.compliance.ocpp201.messages import VERSION
from tests.compliance.ocpp201.orders import Order, carry_out, cases, order_of
from tests.compliance.station import Payload, at

URL = "https://firmware.example.com/station-2.1.bin"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
WHEN = "2099-01-01T00:00:00.000Z"
SECURE = {
    "location": URL,
    "signing_certificate": CERTIFICATE,
    "signature": "c2lnbmF0dXJl",
    "retrieve_at": WHEN,
    "install_at": WHEN,
    "retries": 2,
    "retry_interval_s": 10,
}
SECURE_SENT = {
    "retries": 2,
    "retryInterval": 10,
    "firmware": {
        "location": URL,
        "retrieveDateTime": WHEN,
        "installDateTime": WHEN,
        "signingCertificate": CERTIFICATE,
        "signature": "c2lnbmF0dXJl",
    },
}
CHECKSUM = "9e107d9d372bb6826bd81d3542a419d6"

UPDATES: dict[str, tuple[str, list[str]]] = {
    # case → how the station answers, and the statuses that follow
    "TC_L_01 installed": (
        "Accepted",
        ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"],
    ),
    "TC_L_02 installed later": (
        "Accepted",
        ["Downloading", "Downloaded", "SignatureVerified", "InstallScheduled", "Installing", "Installed"],
    ),
    "TC_L_03 fetched later": (
        "Accepted",
        ["DownloadScheduled", "Downloading", "DownloadPaused", "Downloaded", "SignatureVerified", "Installed"],
    ),
    "TC_L_04 its certificate is revoked": ("RevokedCertificate", []),
    "TC_L_05 its certificate is invalid": ("InvalidCertificate", []),
    "TC_L_06 its signature is invalid": ("Accepted", ["Downloading", "Downloaded", "InvalidSignature"]),
    "TC_L_07 the download fails": ("Accepted", ["Downloading", "DownloadFailed"]),
    "TC_L_08 the verification fails": (
        "Accepted",
        ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallVerificationFailed"],
    ),
    "TC_L_09 the installation fails": (
        "Accepted",
        ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallationFailed"],
    ),
    "TC_L_10 another one is cancelled for it": ("AcceptedCanceled", ["Downloading", "Downloaded", "Installed"]),
    "TC_L_11 another one cannot be cancelled": ("Rejected", []),
    "TC_L_13 a transaction is in the way": ("Accepted", ["InstallScheduled", "Installing", "Installed"]),
}


@pytest.mark.parametrize("case", UPDATES, ids=[case.replace(" ", "-") for case in UPDATES])
async def test_a_secure_update(lab: Laboratory, case: str) -> None:
    """L01.FR.01 to FR.32: the request has all that was given, each status is answered and told."""
    reply, statuses = UPDATES[case]
    name = lab.name()
    outcome = "accepted" if reply.startswith("Accepted") else "rejected"
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, operator):
        order = Order(case, "update_firmware", SECURE, "UpdateFirmware", SECURE_SENT, {"status": reply}, outcome)
        result = await order_of(order, station, operator)
        for status in statuses:
            told = {"status": status, "requestId": result["result"]["request_id"]}
            assert await station.call("FirmwareStatusNotification", told) == {}
        if statuses:
            last = _neutral(statuses[-1])
            found = await business.event("firmware.status", lambda data: data["status"] == last)
            assert found["request_id"] == result["result"]["request_id"]
        if statuses and statuses[-1] == "InvalidSignature":
            event = {"type": "InvalidFirmwareSignature", "timestamp": at()}
            assert await station.call("SecurityEventNotification", event) == {}


def _neutral(status: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in status).lstrip("_")


async def test_a_plain_update(lab: Laboratory) -> None:
    """L02.FR.01: without a signature; to be fetched at once."""
    wanted: Payload = {"firmware": {"location": URL, "signature": None, "signingCertificate": None}}
    await carry_out(Order("L02", "update_firmware", {"location": URL}, "UpdateFirmware", wanted), lab, VERSION)


# ---------------------------------------------------------------- local controllers

PUBLISH = {"location": URL, "checksum": CHECKSUM, "retries": 1}

PUBLISHED: dict[str, list[dict[str, Any]]] = {
    "TC_L_17 published": [
        {"status": "DownloadScheduled"},
        {"status": "Downloading"},
        {"status": "Downloaded"},
        {"status": "ChecksumVerified"},
        {"status": "Published", "location": ["http://controller.local/station-2.1.bin"]},
    ],
    "TC_L_19 its checksum is wrong": [{"status": "Downloaded"}, {"status": "InvalidChecksum"}],
    "TC_L_20 the publication fails": [{"status": "ChecksumVerified"}, {"status": "PublishFailed"}],
    "TC_L_24 the download fails": [{"status": "Downloading"}, {"status": "DownloadFailed"}],
}


@pytest.mark.parametrize("case", PUBLISHED, ids=[case.replace(" ", "-") for case in PUBLISHED])
async def test_firmware_is_published(lab: Laboratory, case: str) -> None:
    """L03.FR.01 to FR.09."""
    name = lab.name()
    async with lab.business(name) as business, lab.booted(VERSION, identity=name) as (station, operator):
        wanted = {"location": URL, "checksum": CHECKSUM, "retries": 1}
        order = Order(case, "publish_firmware", PUBLISH, "PublishFirmware", wanted)
        result = await order_of(order, station, operator)
        for status in PUBLISHED[case]:
            told = {**status, "requestId": result["result"]["request_id"]}
            assert await station.call("PublishFirmwareStatusNotification", told) == {}
        await business.event(
            "firmware.published", lambda data: data["status"] == _neutral(PUBLISHED[case][-1]["status"])
        )


UNPUBLISHED = [
    Order(
        f"TC_L_{number} {reply}",
        "unpublish_firmware",
        {"checksum": CHECKSUM},
        "UnpublishFirmware",
        {"checksum": CHECKSUM},
        {"status": reply},
        outcome,
    )
    for number, reply, outcome in (
        ("21", "Unpublished", "accepted"),
        ("22", "NoFirmware", "rejected"),
        ("23", "DownloadOngoing", "rejected"),
    )
]


@cases(UNPUBLISHED)
async def test_firmware_is_published_no_more(order: Order, lab: Laboratory) -> None:
    """Use case L04."""
    await carry_out(order, lab, VERSION)

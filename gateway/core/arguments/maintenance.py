"""Keeping a charger in order: its firmware and its logs."""

from typing import ClassVar, Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, Moment, Url


class Transfer(Arguments):
    """What all transfers of files share."""

    retries: int | None = Field(None, ge=0, description="How often to try again; the charger decides if absent")
    retry_interval_s: int | None = Field(None, ge=0, description="Seconds between tries")


class UpdateFirmware(Transfer):
    """Let the charger fetch and install a firmware; its progress is told by ocpp.firmware.status events."""

    location: Url = Field(description="URL to fetch it from; before OCPP 2.1 at most 512 characters")
    retrieve_at: Moment | None = Field(None, description="RFC 3339; when to fetch it, at once if absent")
    install_at: Moment | None = Field(
        None, description="RFC 3339; when to install it, as soon as may be if absent. OCPP 1.6: signed firmware only"
    )
    signing_certificate: str | None = Field(
        None, min_length=1, max_length=5500, description="PEM of the certificate that it is signed with"
    )
    signature: str | None = Field(None, min_length=1, max_length=800, description="Base64")


class PublishFirmware(Transfer):
    """Let a local controller fetch a firmware and offer it to its chargers (OCPP 2.x)."""

    location: Url
    checksum: str = Field(pattern=r"^[0-9A-Fa-f]{32}$", description="MD5 of the file, hexadecimal")


class UnpublishFirmware(Arguments):
    """Let a local controller offer a firmware no more (OCPP 2.x)."""

    checksum: str = Field(pattern=r"^[0-9A-Fa-f]{32}$", description="MD5 of the file, hexadecimal")


class GetLog(Transfer):
    """Let the charger upload a log; ends when it is uploaded, or when that failed."""

    default_timeout: ClassVar[float | None] = 600.0

    location: Url = Field(description="URL to upload it to; before OCPP 2.1 at most 512 characters")
    type: Literal["diagnostics", "security", "data_collector"] = Field(
        "diagnostics", description="data_collector is of OCPP 2.1. A 1.6 charger that has not the one gives the other"
    )
    oldest: Moment | None = Field(None, description="RFC 3339; nothing older than this")
    latest: Moment | None = Field(None, description="RFC 3339; nothing younger than this")

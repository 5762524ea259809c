"""What can be set for the REST adapter."""

from pathlib import Path
from typing import Self

from pydantic import ConfigDict, Field, SecretStr, model_validator

from adapters.rest.ocpi import OcpiOptions


class RestConfig(OcpiOptions):
    """Settings of the REST adapter; the defaults serve this machine only."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field("127.0.0.1", description="Address or name to listen on; 0.0.0.0 or :: for every interface")
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 takes any free one")
    reuse_port: bool = Field(
        False,
        description="Share the port with other nodes on this machine (SO_REUSEPORT); `serve --workers` sets it",
    )
    tls_certificate: Path | None = Field(None, description="PEM file: the certificate and its chain; needs tls_key")
    tls_key: Path | None = Field(None, description="PEM file: the certificate's private key, unencrypted")
    admin_key: SecretStr | None = Field(
        None, min_length=16, description="An API key of scope admin that is set here and not stored in Redis"
    )
    metrics_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="An API key that may read /metrics and nothing else, for Prometheus; set here and not stored in "
        "Redis",
    )
    max_request_bytes: int = Field(1_048_576, ge=1024, description="Largest request body that is read, in bytes")
    max_import_bytes: int = Field(16_777_216, ge=1024, description="Largest CSV file that is imported, in bytes")
    max_running_commands: int = Field(1000, ge=1, description="Commands of REST clients that may run at once here")
    stop_timeout: float = Field(5.0, gt=0, description="Seconds that open requests get to end when the gateway stops")

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together: set both, or neither")
        return self

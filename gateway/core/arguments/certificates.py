"""The certificates in a charger: what it trusts, and what it shows of itself."""

from typing import Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments

RootType = Literal["csms_root", "manufacturer_root", "v2g_root", "mo_root", "oem_root"]
"""What a root certificate is trusted for."""

ROOT_TYPES = (
    "csms_root: the gateway; manufacturer_root: firmware; from OCPP 2.0.1 on v2g_root: ISO 15118, mo_root: contracts; "
    "OCPP 2.1: oem_root: cars"
)


class CertificateHash(Arguments):
    """Names a certificate, as list_certificates gives it; the hashes and the serial number are hexadecimal."""

    hash_algorithm: Literal["sha256", "sha384", "sha512"]
    issuer_name_hash: str = Field(min_length=1, max_length=128)
    issuer_key_hash: str = Field(min_length=1, max_length=128)
    serial_number: str = Field(min_length=1, max_length=40)


class InstallCertificate(Arguments):
    """Install a root certificate."""

    type: RootType = Field(description=ROOT_TYPES)
    certificate: str = Field(min_length=1, max_length=10000, description="PEM; before OCPP 2.1 at most 5500 characters")


class DeleteCertificate(CertificateHash):
    """Delete an installed certificate."""


class ListCertificates(Arguments):
    """Which certificates are installed."""

    types: list[RootType | Literal["v2g_chain"]] = Field(
        default_factory=list, description=f"None: all. {ROOT_TYPES}. v2g_chain: the charger's own and what signed it"
    )


class SendCertificate(Arguments):
    """Hand the charger the certificate that it asked to have signed."""

    certificate_chain: str = Field(
        min_length=1, max_length=10000, description="PEM, the charger's certificate first, then what signed it"
    )
    type: Literal["charging_station", "v2g", "v2g20"] | None = Field(
        None, description="What it is for; OCPP 1.6 knows the charging station's alone, v2g20 is of 2.1"
    )
    request_id: int | None = Field(
        None, ge=0, description="OCPP 2.1: that of the charger's request; left out for other versions"
    )

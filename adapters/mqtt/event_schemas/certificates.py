"""Events of certificates."""

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas.base import Asked


class CertificateHashData(TypedDict):
    """Names a certificate; `hash_algorithm` is sha256, sha384 or sha512."""

    hash_algorithm: str | None
    issuer_name_hash: str | None
    issuer_key_hash: str | None
    serial_number: str | None


class OcspRequest(TypedDict):
    """Names a certificate, and where its status is told."""

    hash_algorithm: str | None
    issuer_name_hash: str | None
    issuer_key_hash: str | None
    serial_number: str | None
    responder_url: str | None


class CertificateRequested(Asked):
    """The charger wants a certificate signed: charging_station, v2g, v2g20, or one for all (null)."""

    csr: str | None
    type: str | None
    request_id: int | None
    root_certificate: CertificateHashData | None


class EvCertificateRequested(Asked):
    """An EV wants a contract certificate: `action` is install or update, `exi_request` as the EV wrote it."""

    action: str | None
    iso15118_schema_version: str | None
    exi_request: str | None
    maximum_contract_certificate_chains: int | None
    prioritized_emaids: list[str]


class CertificateStatusRequested(Asked):
    """The charger asks whether a certificate is revoked."""

    hash_algorithm: str | None
    issuer_name_hash: str | None
    issuer_key_hash: str | None
    serial_number: str | None
    responder_url: str | None


class ChainCertificate(TypedDict):
    """A certificate of the chain, and where its status is told: by `source` crl or ocsp, at `urls`."""

    hash_algorithm: str | None
    issuer_name_hash: str | None
    issuer_key_hash: str | None
    serial_number: str | None
    source: str | None
    urls: list[str]


class CertificateChainStatusRequested(Asked):
    """The charger asks whether any certificate of a chain is revoked (OCPP 2.1)."""

    certificates: list[ChainCertificate]

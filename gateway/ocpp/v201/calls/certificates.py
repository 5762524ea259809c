"""Certificates: what the charger trusts, and what it shows of itself."""

from gateway.core.commands import Outcome
from gateway.ocpp.arguments import at_most
from gateway.ocpp.certificates import CERTIFICATE_TYPES, hash_data, read_installed
from gateway.ocpp.endings import ending, status_result
from gateway.ocpp.fields import mapping, objects, text
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.spelling import Words, in_2x, in_21, neutral_word, spelled
from gateway.ocpp.v201.calls.shapes import V201, Arguments, Dialect, given

SIGNED_TYPES: Words = {
    # CertificateSigningUseEnumType
    "charging_station": in_2x("ChargingStationCertificate"),
    "v2g": in_2x("V2GCertificate"),
    "v2g20": in_21("V2G20Certificate"),
}


def install_certificate(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case M05."""
    certificate = at_most(arguments["certificate"], dialect.certificate_length, "install_certificate: the certificate")
    kind = spelled(arguments["type"], CERTIFICATE_TYPES, dialect.version, "install_certificate")
    return [Call("InstallCertificate", {"certificateType": kind, "certificate": certificate})]


def delete_certificate(arguments: Arguments, station: Station) -> list[Call]:
    """Use case M04."""
    return [Call("DeleteCertificate", {"certificateHashData": hash_data(arguments)})]


def list_certificates(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use case M03."""
    kinds = [
        spelled(word, CERTIFICATE_TYPES, dialect.version, "list_certificates")
        for word in dict.fromkeys(arguments["types"])
    ]
    return [Call("GetInstalledCertificateIds", {"certificateType": kinds} if kinds else {})]


def listed_certificates(calls: list[Call], answers: list[Answered]) -> Ending:
    """All that were found; NotFound is a list without any."""
    payload, notes = answers[0].payload, Notes()
    certificates = []
    for at, chain in objects(payload, "certificateHashDataChain", notes):
        kind = text(chain, "certificateType", notes, at)
        own = mapping(chain, "certificateHashData", notes, at)
        children = {"childCertificateHashData": chain.get("childCertificateHashData")}
        certificates.append(
            read_installed(own | children, None if kind is None else neutral_word(kind, CERTIFICATE_TYPES), notes, at)
        )
    result = {**status_result(payload), "certificates": certificates}
    if payload.get("status") == "NotFound":
        return Ending(Outcome.ACCEPTED, None, result)
    return ending(payload, result)


def send_certificate(arguments: Arguments, station: Station, dialect: Dialect = V201) -> list[Call]:
    """Use cases A02 and A03. The request's id is of OCPP 2.1."""
    kind = arguments["type"]
    return [
        Call(
            "CertificateSigned",
            {
                "certificateChain": arguments["certificate_chain"],
                **given(
                    certificateType=(
                        None if kind is None else spelled(kind, SIGNED_TYPES, dialect.version, "send_certificate")
                    ),
                    requestId=None if dialect is V201 else arguments["request_id"],
                ),
            },
        )
    ]

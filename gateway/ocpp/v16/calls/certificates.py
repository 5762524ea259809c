"""Certificates: the security extension."""

from typing import Any

from gateway.core.commands import Outcome
from gateway.core.errors import CommandUnsupported
from gateway.ocpp.arguments import at_most
from gateway.ocpp.certificates import CERTIFICATE_TYPES, hash_data, read_installed
from gateway.ocpp.endings import ending, neutral
from gateway.ocpp.fields import objects
from gateway.ocpp.profile import Answered, Call, Ending, Notes, Station
from gateway.ocpp.spelling import neutral_word, spelled

Arguments = dict[str, Any]

MAX_CERTIFICATE = 5500


def install_certificate(arguments: Arguments, station: Station) -> list[Call]:
    """InstallCertificate.req."""
    payload = {
        "certificateType": spelled(arguments["type"], CERTIFICATE_TYPES, "1.6", "install_certificate"),
        "certificate": at_most(arguments["certificate"], MAX_CERTIFICATE, "install_certificate: the certificate"),
    }
    return [Call("InstallCertificate", payload)]


def delete_certificate(arguments: Arguments, station: Station) -> list[Call]:
    """DeleteCertificate.req."""
    return [Call("DeleteCertificate", {"certificateHashData": hash_data(arguments)})]


def list_certificates(arguments: Arguments, station: Station) -> list[Call]:
    """GetInstalledCertificateIds.req: a call for each type."""
    wanted = arguments["types"] or [word for word, versions in CERTIFICATE_TYPES.items() if "1.6" in versions]
    return [
        Call(
            "GetInstalledCertificateIds",
            {"certificateType": spelled(word, CERTIFICATE_TYPES, "1.6", "list_certificates")},
        )
        for word in dict.fromkeys(wanted)
    ]


def listed_certificates(calls: list[Call], answers: list[Answered]) -> Ending:
    """All that were found; NotFound is a list without any."""
    notes, certificates = Notes(), []
    for call, answer in zip(calls, answers, strict=False):
        kind = neutral_word(call.payload["certificateType"], CERTIFICATE_TYPES)
        found = objects(answer.payload, "certificateHashData", notes)
        certificates += [read_installed(item, kind, notes, at) for at, item in found]
        if answer.payload.get("status") not in ("Accepted", "NotFound"):
            return ending(answer.payload, {"certificates": certificates})
    statuses = [neutral(answer.payload.get("status")) for answer in answers]
    status = "accepted" if "accepted" in statuses else "not_found"
    return Ending(Outcome.ACCEPTED, None, {"status": status, "certificates": certificates})


def send_certificate(arguments: Arguments, station: Station) -> list[Call]:
    """CertificateSigned.req."""
    if arguments["type"] not in (None, "charging_station"):
        raise CommandUnsupported(
            f"send_certificate: OCPP 1.6 knows no {arguments['type']} certificate; versions that do: 2.0.1, 2.1"
        )
    return [Call("CertificateSigned", {"certificateChain": arguments["certificate_chain"]})]

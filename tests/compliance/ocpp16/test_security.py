"""The security extension: passwords and certificates that are changed, and security events."""

from typing import Any

import pytest

from tests.compliance.business import business
from tests.compliance.ocpp16.charge_point import ACCEPTED, ChargePoint, Payload, at
from tests.compliance.ocpp16.lab import HEX, PLAIN, Lab, basic

PEM = "-----BEGIN CERTIFICATE-----\nMIIBkzCCATmgAwIBAgIUOcyk9jkSDJjoG3ZaRrgs1EuVHmMw\n-----END CERTIFICATE-----\n"
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIHKMHICAQAwEDEOMAwGA1UEAwwFU04tMTAw\n-----END CERTIFICATE REQUEST-----\n"


def key_set_to(value: str) -> dict[str, Any]:
    return {"variables": [{"variable": "AuthorizationKey", "value": value}]}


@pytest.mark.parametrize("raw", [False, True], ids=["neutral", "raw call"])
async def test_tc_073_a_new_password_counts_from_the_next_connection_on(raw: bool, lab: Lab) -> None:
    identity, first = lab.name(), "the_first_password"
    await lab.password(identity, password=first)
    async with lab.charge_point(identity, headers=basic(identity, first)) as point:
        asked = {"key": "AuthorizationKey", "value": HEX}
        if raw:
            ordered = lab.call(point, "ChangeConfiguration", asked)
        else:
            ordered = lab.order(point, "set_variables", **key_set_to(HEX))
        assert await point.obey("ChangeConfiguration", ACCEPTED) == asked
        assert (await ordered)["outcome"] == "accepted"
    async with lab.charge_point(identity, boot=False, headers=basic(identity, PLAIN)) as point:
        # And back again, as the case has it.
        ordered = lab.order(point, "set_variables", **key_set_to(first.encode().hex()))
        await point.obey("ChangeConfiguration", ACCEPTED)
        assert (await ordered)["outcome"] == "accepted"
    assert await lab.refused(identity, basic(identity, PLAIN)) == 401
    async with lab.charge_point(identity, boot=False, headers=basic(identity, first)) as point:
        await point.call("Heartbeat", {})


async def test_tc_073_a_password_that_is_not_taken_changes_nothing(lab: Lab) -> None:
    identity = lab.name()
    await lab.password(identity, password=PLAIN)
    async with lab.charge_point(identity, headers=basic(identity, PLAIN)) as point:
        ordered = lab.order(point, "set_variables", **key_set_to(b"another_password".hex()))
        await point.obey("ChangeConfiguration", {"status": "Rejected"})
        assert (await ordered)["outcome"] == "rejected"
    async with lab.charge_point(identity, boot=False, headers=basic(identity, PLAIN)) as point:
        await point.call("Heartbeat", {})


async def asked_to_sign(lab: Lab, point: ChargePoint) -> None:
    """The charge point is made to ask for a certificate, and is told that it will get one."""
    ordered = lab.order(point, "trigger", message="SignChargePointCertificate")
    asked = await point.obey("ExtendedTriggerMessage", ACCEPTED)
    assert asked == {"requestedMessage": "SignChargePointCertificate"}
    assert (await ordered)["outcome"] == "accepted"
    assert await point.call("SignCertificate", {"csr": CSR}) == ACCEPTED


async def test_a_certificate_that_nobody_wanted_is_not_promised(lab: Lab) -> None:
    """Nobody is configured to sign (section [answers]), and no operator had it asked for."""
    async with lab.charge_point() as point:
        assert await point.call("SignCertificate", {"csr": CSR}) == {"status": "Rejected"}


async def test_tc_074_the_charge_point_gets_a_certificate(lab: Lab, mqtt_port: int) -> None:
    async with lab.charge_point() as point, business(mqtt_port, point.identity, {}) as authority:
        await asked_to_sign(lab, point)
        assert (await authority.event("certificate.requested"))["csr"] == CSR
        ordered = lab.order(point, "send_certificate", certificate_chain=PEM * 2)
        assert await point.obey("CertificateSigned", ACCEPTED) == {"certificateChain": PEM * 2}
        assert (await ordered)["outcome"] == "accepted"


async def told_of(point: ChargePoint, event: str) -> None:
    payload = {"type": event, "timestamp": at(), "techInfo": "more of it"}
    assert await point.call("SecurityEventNotification", payload) == {}


async def test_tc_077_the_charge_point_finds_its_certificate_invalid(lab: Lab, mqtt_port: int) -> None:
    async with lab.charge_point() as point, business(mqtt_port, point.identity, {}) as operator:
        await asked_to_sign(lab, point)
        ordered = lab.order(point, "send_certificate", certificate_chain=PEM)
        await point.obey("CertificateSigned", {"status": "Rejected"})
        assert (await ordered)["outcome"] == "rejected"
        await told_of(point, "InvalidChargePointCertificate")
        assert (await operator.event("charger.security"))["type"] == "invalid_charge_point_certificate"


ROOTS = [
    pytest.param("manufacturer_root", "ManufacturerRootCertificate", id="TC_075_1"),
    pytest.param("csms_root", "CentralSystemRootCertificate", id="TC_075_2"),
]
HASHES: Payload = {"issuerNameHash": "aa" * 32, "issuerKeyHash": "bb" * 32, "serialNumber": "4711"}


async def listed(lab: Lab, point: ChargePoint, kind: str, word: str, found: list[Payload]) -> list[dict[str, Any]]:
    ordered = lab.order(point, "list_certificates", types=[kind])
    answer: Payload = {"status": "Accepted", "certificateHashData": found} if found else {"status": "NotFound"}
    assert await point.obey("GetInstalledCertificateIds", answer) == {"certificateType": word}
    told = await ordered
    assert told["outcome"] == "accepted"
    return list(told["result"]["certificates"])


@pytest.mark.parametrize(("kind", "word"), ROOTS)
async def test_a_root_certificate_is_installed(kind: str, word: str, lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "install_certificate", type=kind, certificate=PEM)
        assert await point.obey("InstallCertificate", ACCEPTED) == {"certificateType": word, "certificate": PEM}
        assert (await ordered)["outcome"] == "accepted"
        (certificate,) = await listed(lab, point, kind, word, [{"hashAlgorithm": "SHA256", **HASHES}])
        assert (certificate["type"], certificate["serial_number"]) == (kind, "4711")


@pytest.mark.parametrize("status", ["Failed", "Rejected"])
async def test_tc_075_a_root_certificate_is_not_installed(status: str, lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "install_certificate", type="csms_root", certificate=PEM)
        await point.obey("InstallCertificate", {"status": status})
        assert (await ordered)["reason"] == status


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
async def test_tc_076_a_listed_certificate_is_deleted(algorithm: str, lab: Lab) -> None:
    kind, word = "csms_root", "CentralSystemRootCertificate"
    hashes = {"hashAlgorithm": algorithm, **HASHES}
    async with lab.charge_point() as point:
        (certificate,) = await listed(lab, point, kind, word, [hashes])
        # What was listed names it, as it is.
        named = ("hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number")
        ordered = lab.order(point, "delete_certificate", **{name: certificate[name] for name in named})
        assert await point.obey("DeleteCertificate", ACCEPTED) == {"certificateHashData": hashes}
        assert (await ordered)["outcome"] == "accepted"
        assert await listed(lab, point, kind, word, []) == []


@pytest.mark.parametrize("status", ["Failed", "NotFound"])
async def test_tc_076_a_certificate_is_not_deleted(status: str, lab: Lab) -> None:
    named = {"hash_algorithm": "sha256", "issuer_name_hash": "aa", "issuer_key_hash": "bb", "serial_number": "1"}
    async with lab.charge_point() as point:
        ordered = lab.order(point, "delete_certificate", **named)
        await point.obey("DeleteCertificate", {"status": status})
        assert (await ordered)["reason"] == status


async def test_tc_078_the_charge_point_finds_a_root_certificate_invalid(lab: Lab) -> None:
    async with lab.charge_point() as point:
        ordered = lab.order(point, "install_certificate", type="csms_root", certificate=PEM)
        await point.obey("InstallCertificate", {"status": "Rejected"})
        assert (await ordered)["outcome"] == "rejected"
        await told_of(point, "InvalidCentralSystemCertificate")


async def test_tc_083_the_security_profile_is_raised(lab: Lab) -> None:
    identity = lab.name()
    async with lab.charge_point(identity) as point:
        variable = {"component": "SecurityCtrlr", "variable": "SecurityProfile", "value": "2"}
        ordered = lab.order(point, "set_variables", variables=[variable])
        assert await point.obey("ChangeConfiguration", ACCEPTED) == {"key": "SecurityProfile", "value": "2"}
        assert (await ordered)["outcome"] == "accepted"
        ordered = lab.order(point, "reset", type="immediate")
        assert await point.obey("Reset", ACCEPTED) == {"type": "Hard"}
        assert (await ordered)["outcome"] == "accepted"
    async with lab.charge_point(identity):
        pass

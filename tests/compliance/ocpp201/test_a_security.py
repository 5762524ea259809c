"""Block A: passwords, the station's certificates, security events. TLS is that of every version: see ocpp16, too."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from tests.compliance.laboratory import ASKING, Laboratory, boot
from tests.compliance.ocpp201.messages import VERSION
from tests.compliance.ocpp201.orders import Order, order_of
from tests.compliance.ocpp201.test_b_provisioning import set_all
from tests.compliance.station import Payload, Station, at, basic, holds
from tests.support.certificates import Authority
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

OLD, NEW = "first-password-16", "second-password-16"


async def connects(lab: Laboratory, name: str, password: str | None) -> bool:
    """Whether the gateway lets the station in; if not, it must say 401, and which authentication it wants."""
    try:
        async with lab.station(name, VERSION, password=password):
            return True
    except InvalidStatus as refused:
        said = refused.response
    assert said.status_code == 401
    assert said.headers["WWW-Authenticate"].startswith("Basic")
    return False


@pytest.mark.parametrize(
    ("case", "password", "admitted"),
    [("TC_A_01", OLD, True), ("TC_A_03", NEW, False), ("TC_A_03", None, False)],
    ids=["TC_A_01-right-password", "TC_A_03-wrong-password", "TC_A_03-no-password"],
)
async def test_basic_authentication(lab: Laboratory, case: str, password: str | None, admitted: bool) -> None:
    """A00.FR.204, FR.205."""
    name = lab.name()
    await lab.operator(name).set_password(OLD)
    assert await connects(lab, name, password) is admitted


async def test_tc_a_02_the_user_name_must_be_the_stations_name(lab: Laboratory) -> None:
    """A00.FR.204."""
    name = lab.name()
    await lab.operator(name).set_password(OLD)
    station = lab.station(name, VERSION, password=OLD)
    station.headers = {"Authorization": basic(lab.name(), OLD)}
    with pytest.raises(InvalidStatus) as refused:
        await station.__aenter__()
    assert refused.value.response.status_code == 401


async def test_tc_a_xx_a_path_without_a_station_is_not_found(lab: Laboratory) -> None:
    """Part 4, section 3.1.1."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(lab.url.removesuffix("ocpp"), subprotocols=[Subprotocol("ocpp2.0.1")], proxy=None)
    assert refused.value.response.status_code == 404


def _new_password(case: str, status: str) -> Order:
    return Order(
        case,
        "set_variables",
        {"variables": [{"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": NEW}]},
        "SetVariables",
        {"setVariableData": [{"attributeValue": NEW}]},
        lambda payload: set_all(payload, status),
        "rejected" if status == "Rejected" else "accepted",
    )


@pytest.mark.parametrize(
    ("case", "status", "old", "new"),
    [
        ("TC_A_09 accepted", "Accepted", False, True),
        ("TC_A_09 after a reboot", "RebootRequired", False, True),
        ("TC_A_10 rejected", "Rejected", True, False),
    ],
    ids=["TC_A_09-accepted", "TC_A_09-after-a-reboot", "TC_A_10-rejected"],
)
async def test_the_password_is_changed(lab: Laboratory, case: str, status: str, old: bool, new: bool) -> None:
    """A01.FR.02, FR.03: from then on only the new one counts; where the station refuses it, the old one."""
    name = lab.name()
    await lab.operator(name).set_password(OLD)
    async with lab.booted(VERSION, identity=name, password=OLD) as (station, operator):
        await order_of(_new_password(case, status), station, operator)
    assert [await connects(lab, name, password) for password in (OLD, NEW)] == [old, new]


# ---------------------------------------------------------------- security profile 3


@pytest.fixture(scope="module")
def mutual(
    lab_valkey: Valkey, lab_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Authority]]:
    """The address of a gateway that asks stations for certificates, and the authority that both sides trust."""
    folder = tmp_path_factory.mktemp("mutual")
    authority = Authority(folder / "authority")
    chain, key = authority.issue_server()
    options = {"tls_certificate": str(chain), "tls_key": str(key), "tls_client_ca": str(authority.certificate)}
    with GatewayProcess(
        folder / "gateway",
        redis_url=lab_valkey.url,
        mqtt_url=lab_broker.url,
        node="mutual",
        settings={"chargers": options},
    ) as process:
        yield process.charger_url.replace("ws:", "wss:", 1), authority


async def test_tc_a_07_a_station_is_known_by_its_certificate(lab: Laboratory, mutual: tuple[str, Authority]) -> None:
    """A00.FR.401 to 403, 405: and has no password."""
    (url, authority), name = mutual, lab.name()
    tls = authority.trusting(authority.issue(f"/O=ACME/CN={name}"))
    async with Station(url, name, version=VERSION, tls=tls) as station:
        told = {**boot(), "chargingStation": {"vendorName": "Lab", "model": "Bench", "serialNumber": name}}
        assert (await station.call("BootNotification", told))["status"] == "Accepted"
        assert (await lab.operator(name).charger())["security"] == "mutual_tls"


@pytest.mark.parametrize("wrong", ["unknown", "expired", "another's", "none"])
async def test_tc_a_08_a_certificate_that_is_not_valid_ends_the_connection(
    wrong: str, lab: Laboratory, mutual: tuple[str, Authority], tmp_path: Path
) -> None:
    """A00.FR.403, 405, 407; with its own the same station connects right after."""
    (url, authority), name = mutual, lab.name()
    shown = {
        "unknown": lambda: Authority(tmp_path).issue(f"/CN={name}"),
        "expired": lambda: authority.issue(f"/CN={name}", days=-1),
        "another's": lambda: authority.issue(f"/CN={lab.name()}"),
        "none": lambda: None,
    }[wrong]()
    with pytest.raises((InvalidHandshake, OSError, EOFError)):
        await Station(url, name, version=VERSION, tls=authority.trusting(shown)).__aenter__()
    tls = authority.trusting(authority.issue(f"/CN={name}"))
    async with Station(url, name, version=VERSION, tls=tls) as station:
        assert (await station.call("BootNotification", boot()))["status"] == "Accepted"


# ---------------------------------------------------------------- certificates

CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"
CHAIN = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("case", "trigger", "kind", "reply"),
    [
        ("TC_A_11", "SignChargingStationCertificate", "ChargingStationCertificate", "Accepted"),
        ("TC_A_12", "SignV2GCertificate", "V2GCertificate", "Accepted"),
        ("TC_A_13", "SignCombinedCertificate", None, "Accepted"),
        ("TC_A_14", "SignChargingStationCertificate", "ChargingStationCertificate", "Rejected"),
    ],
    ids=["TC_A_11-station", "TC_A_12-v2g", "TC_A_13-combined", "TC_A_14-invalid-certificate"],
)
async def test_a_certificate_is_renewed_by_request(
    lab: Laboratory, case: str, trigger: str, kind: str | None, reply: str
) -> None:
    """A02.FR.11, FR.14, F06.FR.01: asked for, signed by the business system, sent; a refusal is told by an event."""
    name = lab.name(ASKING)
    answers = {"sign_certificate": {"status": "accepted", "certificate_chain": CHAIN}}
    async with lab.business(name, answers) as business, lab.booted(VERSION, identity=name) as (station, operator):
        station.replies["CertificateSigned"] = {"status": reply}
        assert (await operator.command("trigger", message=trigger))["outcome"] == "accepted"
        assert (await station.expect("TriggerMessage"))["requestedMessage"] == trigger
        asked: Payload = {"csr": CSR} | ({} if kind is None else {"certificateType": kind})
        assert (await station.call("SignCertificate", asked))["status"] == "Accepted"
        signed = await station.expect("CertificateSigned")
        assert holds(signed, {"certificateChain": CHAIN, "certificateType": kind})
        assert holds(business.asked, [{"question": "sign_certificate", "csr": CSR}]), business.asked
        if reply == "Rejected":
            event = {"type": "InvalidChargingStationCertificate", "timestamp": at()}
            assert await station.call("SecurityEventNotification", event) == {}
            assert event["type"] in json.dumps(await business.event("charger.security"))


async def test_tc_a_xx_without_somebody_who_signs_a_request_is_rejected(lab: Laboratory) -> None:
    """A02.FR.12."""
    async with lab.booted(VERSION) as (station, _):
        assert (await station.call("SignCertificate", {"csr": CSR}))["status"] == "Rejected"
        assert station.unread == []


@pytest.mark.parametrize(
    "kind",
    [
        "FirmwareUpdated",
        "FailedToAuthenticateAtCsms",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "ReconfigurationOfSecurityParameters",
        "MemoryExhaustion",
        "InvalidMessages",
        "AttemptedReplayAttacks",
        "TamperDetectionActivated",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidCsmsCertificate",
        "InvalidChargingStationCertificate",
        "InvalidTLSVersion",
        "InvalidTLSCipherSuite",
        "MaintenanceLoginAccepted",
        "MaintenanceLoginFailed",
        "WhateverAVendorCallsIt",
    ],
)
async def test_a04_security_events_are_taken(lab: Laboratory, kind: str) -> None:
    """A04.FR.01, FR.02."""
    async with lab.booted(VERSION) as (station, _):
        event = {"type": kind, "timestamp": at(), "techInfo": "told by the lab"}
        assert await station.call("SecurityEventNotification", event) == {}


async def test_tc_a_19_the_security_profile_is_raised(lab: Laboratory) -> None:
    """A05: a new network profile with TLS, its slot first in the order, then a reset. That the station may come in no
    more without TLS is a matter of the listener: with a certificate it speaks TLS only."""
    async with lab.booted(VERSION) as (station, operator):
        station.replies["SetVariables"] = set_all
        profile = {"slot": 2, "url": "wss://csms.example.com/ocpp", "interface": "wired0", "security_profile": 2}
        assert (await operator.command("set_network_profile", **profile))["outcome"] == "accepted"
        sent = (await station.expect("SetNetworkProfile"))["connectionData"]
        assert holds(sent, {"securityProfile": 2, "ocppTransport": "JSON", "ocppVersion": "OCPP20"})
        order = {"component": "OCPPCommCtrlr", "variable": "NetworkConfigurationPriority", "value": "2,1"}
        assert (await operator.command("set_variables", variables=[order]))["outcome"] == "accepted"
        assert (await station.expect("SetVariables"))["setVariableData"][0]["attributeValue"] == "2,1"
        assert (await operator.command("reset", type="on_idle"))["outcome"] == "accepted"
        assert await station.expect("Reset") == {"type": "OnIdle"}

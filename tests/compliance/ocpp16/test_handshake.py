"""Connecting: subprotocols, paths, passwords (security profiles 1 and 2), TLS, certificates (profile 3)."""

import asyncio
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, NegotiationError

from tests.compliance.ocpp16.charge_point import ACCEPTED, PATIENCE
from tests.compliance.ocpp16.conftest import House
from tests.compliance.ocpp16.lab import HEX, PLAIN, Lab, basic
from tests.support.certificates import Authority
from tests.support.gateway_process import GatewayProcess

# ---------------------------------------------------------------- subprotocol


@pytest.mark.parametrize(
    "offered",
    [("ocpp1.6",), ("ocpp0.1", "ocpp1.6"), ("ocpp1.6", "ocpp0.1"), ("ocpp1.5", "ocpp1.6", "ocpp1.2")],
    ids=lambda offered: " ".join(offered),
)
async def test_tc_088_ocpp_1_6_is_chosen_among_versions_that_nobody_speaks(offered: tuple[str, ...], lab: Lab) -> None:
    async with lab.charge_point(subprotocols=offered) as point:
        assert point.socket.subprotocol == "ocpp1.6"
        assert (await lab.get(f"chargers/{point.identity}"))["ocpp_version"] == "1.6"


@pytest.mark.parametrize("offered", [("ocpp0.1",), ()], ids=["none that is known", "none at all"])
async def test_tc_088_without_a_common_subprotocol_the_handshake_ends_and_then_the_connection(
    offered: tuple[str, ...], lab: Lab
) -> None:
    """OCPP-J 1.6, section 3.2: the handshake is completed without the header, then the connection is closed."""
    async with lab.charge_point(boot=False, subprotocols=offered) as point:
        assert point.socket.subprotocol is None
        assert await point.until_closed() == 1002


# ---------------------------------------------------------------- who connects, and where


@pytest.mark.parametrize("path", ["/", "/?id=CP"])
async def test_a_path_that_names_no_charge_point_is_not_found(path: str, lab: Lab) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"ws://127.0.0.1:{lab.gateway.charger_port}{path}", proxy=None)
    assert refusal.value.response.status_code == 404


async def test_a_request_that_is_no_websocket_is_told_so(lab: Lab) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        answer = await client.get(f"http://127.0.0.1:{lab.gateway.charger_port}/ocpp/CP")
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")


@pytest.mark.parametrize("identity", ["CP%20WITH%20SPACES-", "CP%3A1-", "%C3%BCber-"])
async def test_an_identity_is_percent_decoded(identity: str, lab: Lab) -> None:
    """OCPP-J 1.6, section 3.1.1: the charge point identity may hold any character, percent-encoded."""
    async with lab.charge_point(lab.name(identity)) as point:
        assert (await lab.get(f"chargers/{point.identity}"))["availability"] == "online"


async def test_a_newer_connection_takes_the_place_of_the_older(lab: Lab) -> None:
    identity = lab.name()
    async with lab.charge_point(identity) as older, lab.charge_point(identity, boot=False) as newer:
        assert await older.until_closed() == 1000
        ordered = lab.order(newer, "clear_cache")
        await newer.obey("ClearCache", ACCEPTED)
        assert (await ordered)["outcome"] == "accepted"


async def test_pings_are_answered(lab: Lab) -> None:
    async with lab.charge_point() as point, asyncio.timeout(PATIENCE):
        await (await point.socket.ping(b"still there?"))


# ---------------------------------------------------------------- passwords

BYTES = bytes(range(236, 256))


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        pytest.param({"password": PLAIN}, PLAIN, id="TC_085 plain text"),
        pytest.param({"password_hex": HEX}, PLAIN, id="TC_085 stored in hexadecimal"),
        pytest.param({"password": HEX}, PLAIN, id="TC_085 stored as the key's value"),
        pytest.param({"password_hex": HEX}, HEX, id="TC_085 sent in hexadecimal"),
        pytest.param({"password_hex": BYTES.hex()}, BYTES, id="TC_085 bytes that are no text"),
    ],
)
async def test_the_right_password_connects(stored: dict[str, str], sent: str | bytes, lab: Lab) -> None:
    identity = lab.name()
    await lab.password(identity, **stored)
    async with lab.charge_point(identity, headers=basic(identity, sent)) as point:
        assert point.socket.subprotocol == "ocpp1.6"


@pytest.mark.parametrize("given", ["none", "wrong password", "another's name", "no Basic", "no base64"])
async def test_tc_085_whoever_has_not_the_password_is_unauthorized(given: str, lab: Lab) -> None:
    identity = lab.name()
    await lab.password(identity, password=PLAIN)
    headers = {
        "none": None,
        "wrong password": basic(identity, "another_password"),
        "another's name": basic("LAB-OTHER", PLAIN),
        "no Basic": {"Authorization": f"Bearer {PLAIN}"},
        "no base64": {"Authorization": "Basic ***"},
    }[given]
    assert await lab.refused(identity, headers) == 401


# ---------------------------------------------------------------- TLS


@dataclass(frozen=True)
class Secure:
    """A second gateway beside the first: for chargers that come by TLS, with or without certificates of their own."""

    lab: Lab
    authority: Authority


@pytest.fixture(scope="module")
def secure_gateway(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[GatewayProcess, Authority]]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder / "authority")
    pairs = [authority.issue_server(kind) for kind in ("ECDSA", "RSA")]
    options = {
        "tls_certificate": [str(chain) for chain, _ in pairs],
        "tls_key": [str(key) for _, key in pairs],
        "tls_client_ca": str(authority.certificate),
        "tls_client_certificate": "optional",
        "tls_client_organizations": ["ACME"],
    }
    with GatewayProcess(
        folder / "gateway",
        redis_url=house.valkey.url,
        mqtt_url=house.broker.url,
        node="tls",
        settings={"chargers": options},
    ) as process:
        yield process, authority


@pytest.fixture
def secure(lab: Lab, secure_gateway: tuple[GatewayProcess, Authority]) -> Secure:
    process, authority = secure_gateway
    return Secure(Lab(process, lab.client), authority)


def speaking(trusted: Path, cipher: str | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    """A charge point that trusts a certificate, and speaks one version of TLS with one cipher suite."""
    context = ssl.create_default_context(cafile=str(trusted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    if cipher is not None:
        context.set_ciphers(cipher)
    return context


SUITES = (
    # Of the security extension (A00, TC_086): what a central system must offer, by the kind of its certificate
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)


@pytest.mark.parametrize("suite", SUITES)
async def test_tc_086_tls_with_every_suite_that_is_demanded(suite: str, secure: Secure) -> None:
    """Security profile 2: TLS and a password."""
    identity = secure.lab.name()
    await secure.lab.password(identity, password=PLAIN)
    tls = speaking(secure.authority.certificate, suite)
    async with secure.lab.charge_point(identity, headers=basic(identity, PLAIN), tls=tls) as point:
        known = await secure.lab.get(f"chargers/{point.identity}")
        assert (known["availability"], known["security"]) == ("online", "tls")


async def test_tc_086_tls_1_3(secure: Secure) -> None:
    identity = secure.lab.name()
    await secure.lab.password(identity, password=PLAIN)
    tls = speaking(secure.authority.certificate, None, ssl.TLSVersion.TLSv1_3)
    async with secure.lab.charge_point(identity, headers=basic(identity, PLAIN), tls=tls) as point:
        await point.call("Heartbeat", {})


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256:ECDHE+AESGCM", "AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"])
async def test_a_suite_with_forward_secrecy_is_preferred(suite: str, secure: Secure) -> None:
    identity = secure.lab.name()
    await secure.lab.password(identity, password=PLAIN)
    tls = speaking(secure.authority.certificate, suite)
    async with secure.lab.charge_point(identity, headers=basic(identity, PLAIN), tls=tls) as point:
        secured = point.socket.transport.get_extra_info("ssl_object")
        assert secured.cipher()[0].startswith("ECDHE-")


async def test_tc_085_a_wrong_password_over_tls_is_unauthorized(secure: Secure) -> None:
    identity = secure.lab.name()
    await secure.lab.password(identity, password=PLAIN)
    tls = speaking(secure.authority.certificate, None, ssl.TLSVersion.TLSv1_3)
    assert await secure.lab.refused(identity, basic(identity, "wrong_wrong_wrong"), tls=tls) == 401


async def test_whoever_speaks_no_tls_or_one_that_is_too_old_gets_no_connection(secure: Secure) -> None:
    old = speaking(secure.authority.certificate, "ALL:@SECLEVEL=0", ssl.TLSVersion.TLSv1_1)
    for tls in (None, old):
        with pytest.raises((InvalidHandshake, NegotiationError, OSError, EOFError)):
            async with secure.lab.charge_point(tls=tls):
                pass


# ---------------------------------------------------------------- certificates of charge points


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["ECDSA", "RSA"])
async def test_tc_087_a_charge_point_with_its_own_certificate_connects(
    kind: str, version: ssl.TLSVersion, secure: Secure
) -> None:
    """Security profile 3: the certificate takes the place of the password, also of one that is stored."""
    identity = secure.lab.name()
    await secure.lab.password(identity, password=PLAIN)
    tls = speaking(secure.authority.certificate, None, version)
    tls.load_cert_chain(*secure.authority.issue(f"/O=ACME/CN={identity}", kind=kind))
    async with secure.lab.charge_point(identity, tls=tls) as point:
        known = await secure.lab.get(f"chargers/{point.identity}")
        assert (known["availability"], known["security"]) == ("online", "mutual_tls")


@pytest.mark.parametrize("wrong", ["another's", "another organization's", "expired", "a stranger's"])
async def test_tc_087_a_charge_point_whose_certificate_does_not_fit_is_not_connected(
    wrong: str, secure: Secure, tmp_path: Path
) -> None:
    """A00.FR.403 to 405, 407; and its password does not make up for it."""
    identity = secure.lab.name()
    await secure.lab.password(identity, password=PLAIN)
    issue = secure.authority.issue
    shown = {
        "another's": lambda: issue(f"/O=ACME/CN={secure.lab.name()}"),
        "another organization's": lambda: issue(f"/O=Others/CN={identity}"),
        "expired": lambda: issue(f"/O=ACME/CN={identity}", days=-1),
        "a stranger's": lambda: Authority(tmp_path).issue(f"/O=ACME/CN={identity}"),
    }[wrong]()
    tls = speaking(secure.authority.certificate, None, ssl.TLSVersion.TLSv1_3)
    tls.load_cert_chain(*shown)
    with pytest.raises((InvalidHandshake, OSError, EOFError)):
        async with secure.lab.charge_point(identity, headers=basic(identity, PLAIN), tls=tls):
            pass
    assert (await secure.lab.client.get(f"/v1/chargers/{identity}")).json().get("availability") != "online"

"""Chargers that show certificates of their own (security profile 3), and certificates that change."""

import asyncio
import base64
import shutil
import ssl
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidHandshake, InvalidStatus

from gateway.chargers import tls
from gateway.chargers.config import ChargersConfig
from gateway.chargers.handshake import check_certificate
from gateway.core.errors import ConfigurationError, HandshakeRefused
from gateway.core.identity import ChargerId
from tests.chargers.conftest import Entries
from tests.chargers.harness import Node, running, until
from tests.support.certificates import Authority
from tests.support.memory import MemoryStore

PASSWORD = "sixteen-and-more"
BASIC = {"Authorization": "Basic " + base64.b64encode(f"CP1:{PASSWORD}".encode()).decode()}
NOT_CONNECTED = (InvalidHandshake, OSError, EOFError)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "operator")


def listening(
    authority: Authority, store: MemoryStore | None = None, **options: Any
) -> AbstractAsyncContextManager[Node]:
    """A server that asks chargers for certificates of this authority."""
    chain, key = authority.issue_server()
    return running(store, tls_certificate=chain, tls_key=key, tls_client_ca=authority.certificate, **options)


def with_password() -> MemoryStore:
    store = MemoryStore()
    store.passwords[ChargerId("CP1")] = PASSWORD.encode()
    return store


def refusals(log: Entries) -> list[tuple[Any, Any]]:
    return [(entry["status"], entry["reason"]) for entry in log if entry["event"] == "charger refused"]


def failures(log: Entries) -> str:
    return "; ".join(entry["reason"] for entry in log if entry["event"] == "TLS handshake failed")


# ---------------------------------------------------------------- who may connect


@pytest.mark.parametrize("wanted", ["required", "optional"])
async def test_a_charger_with_its_own_certificate_needs_no_password(authority: Authority, wanted: str) -> None:
    shown = authority.trusting(authority.issue("/O=ACME/CN=CP1"))
    options = {"tls_client_certificate": wanted, "require_password": True}
    async with listening(authority, with_password(), **options) as node:
        async with node.charger(ssl_context=shown) as charger:
            assert "currentTime" in await charger.call("Heartbeat", {})
            assert node.state()["security"] == "mutual_tls"
        assert node.data("charger.connected")[0]["security"] == "mutual_tls"


async def test_the_certificate_of_another_charger_is_refused(authority: Authority, log: Entries) -> None:
    shown = authority.trusting(authority.issue("/O=ACME/CN=CP2"))
    async with listening(authority) as node:
        with pytest.raises(InvalidStatus) as refused:
            async with node.charger(ssl_context=shown, headers=BASIC):
                pass
        assert refused.value.response.status_code == 403
        assert refusals(log) == [(403, "the client certificate is not this charger's: it names CP2")]
        assert b'ocpp_gateway_handshakes_refused_total{status="403"} 1.0' in node.observer.page()
        assert not node.store.owned


async def test_a_certificate_of_nobody_we_trust_or_none_or_an_expired_one_gets_no_connection(
    authority: Authority, tmp_path: Path, log: Entries
) -> None:
    stranger = Authority(tmp_path / "stranger").issue("/CN=CP1")
    async with listening(authority) as node:
        for shown, told in (
            (stranger, "its certificate is not valid: "),
            (authority.issue("/CN=CP1", days=-1), "its certificate is not valid: certificate has expired"),
            (None, "it shows no certificate"),
        ):
            with pytest.raises(NOT_CONNECTED):
                async with node.charger(ssl_context=authority.trusting(shown), headers=BASIC):
                    pass
            await until(lambda told=told: told in failures(log))  # type: ignore[misc]
        assert b'ocpp_gateway_handshakes_refused_total{status="0"} 3.0' in node.observer.page()
        assert node.store.events == []


async def test_where_certificates_are_optional_whoever_shows_none_needs_its_password(authority: Authority) -> None:
    async with listening(authority, with_password(), tls_client_certificate="optional") as node:
        async with node.charger(ssl_context=authority.trusting(), headers=BASIC) as charger:
            await charger.call("Heartbeat", {})
            assert node.state()["security"] == "tls"
        for identity in ("CP1", "CP-WITHOUT-A-PASSWORD"):
            with pytest.raises(InvalidStatus) as refused:
                async with node.charger(identity, ssl_context=authority.trusting()):
                    pass
            assert refused.value.response.status_code == 401


# ---------------------------------------------------------------- what a certificate names


def told(*subject: tuple[str, str], names: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """A certificate as `ssl` tells it."""
    return {"subject": tuple((pair,) for pair in subject), "subjectAltName": names}


@pytest.mark.parametrize(
    "certificate",
    [
        told(("commonName", "CP-1")),
        told(("commonName", "Charger 7"), ("serialNumber", "CP-1")),
        told(("commonName", "Charger 7"), names=(("URI", "urn:x"), ("DNS", "cp-1"))),
        told(("commonName", "Charger 7"), ("commonName", "CP-1")),
    ],
)
def test_a_certificate_names_its_charger(certificate: dict[str, Any]) -> None:
    check_certificate(certificate, ChargerId("CP-1"), ())


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        (told(("commonName", "cp-1")), "names cp-1"),
        (told(("commonName", "CP-11")), "names CP-11"),
        (told(("organizationName", "CP-1")), "names nobody"),
        (told(names=(("URI", "CP-1"), ("DNS", "*.CP-1"))), r"names \*.CP-1"),
    ],
)
def test_a_certificate_that_names_another_is_refused(certificate: dict[str, Any], reason: str) -> None:
    with pytest.raises(HandshakeRefused, match=reason) as refused:
        check_certificate(certificate, ChargerId("CP-1"), ())
    assert refused.value.status == 403


def test_a_certificate_of_another_organization_is_refused_where_organizations_are_given() -> None:
    ours = told(("organizationName", "ACME"), ("commonName", "CP-1"))
    check_certificate(ours, ChargerId("CP-1"), ("Others", "ACME"))
    for other, reason in ((ours, "another organization: ACME"), (told(("commonName", "CP-1")), "organization: none")):
        with pytest.raises(HandshakeRefused, match=reason):
            check_certificate(other, ChargerId("CP-1"), ("Others",))


# ---------------------------------------------------------------- files that change


async def test_changed_files_count_for_new_connections_and_broken_ones_change_nothing(
    authority: Authority, tmp_path: Path, log: Entries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "RELOAD_INTERVAL", 0.01)
    newer = Authority(tmp_path / "newer")
    chain, key, trusted = (tmp_path / name for name in ("chain.pem", "key.pem", "trusted.pem"))
    for source, target in zip((*authority.issue_server(), authority.certificate), (chain, key, trusted), strict=True):
        shutil.copy(source, target)
    old_charger = authority.trusting(authority.issue("/CN=CP1"))
    new_charger = newer.trusting(newer.issue("/CN=CP2"))
    async with running(tls_certificate=chain, tls_key=key, tls_client_ca=trusted) as node:
        async with node.charger(ssl_context=old_charger) as charger:
            new_chain, new_key = newer.issue_server()
            shutil.copy(new_chain, chain)
            await until(lambda: "changed certificates cannot be used; the old ones stay" in events(log))
            async with node.charger("CP1", ssl_context=old_charger) as again:
                await again.call("Heartbeat", {})
                await charger.closed()
                shutil.copy(newer.certificate, trusted)
                shutil.copy(new_key, key)
                await until(lambda: "certificates read anew" in events(log))
                async with node.charger("CP2", ssl_context=new_charger) as other:
                    await other.call("Heartbeat", {})
                    await again.call("Heartbeat", {})
        with pytest.raises(NOT_CONNECTED):
            async with node.charger(ssl_context=old_charger):
                pass


def events(log: Entries) -> list[str]:
    return [entry["event"] for entry in log]


async def test_two_certificates_serve_chargers_that_know_one_kind_of_key(authority: Authority) -> None:
    (chain, key), (rsa_chain, rsa_key) = authority.issue_server("ECDSA"), authority.issue_server("RSA")
    async with running(tls_certificate=(chain, rsa_chain), tls_key=(key, rsa_key)) as node:
        for suite in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "AES128-GCM-SHA256"):
            context = authority.trusting()
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(suite)
            async with node.charger(suite, ssl_context=context) as charger:
                await charger.call("Heartbeat", {})


# ---------------------------------------------------------------- settings


async def test_files_that_cannot_be_used_are_told_at_the_start(authority: Authority, tmp_path: Path) -> None:
    chain, key = authority.issue_server()
    other_key = authority.issue_server()[1]
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    for options, told_of in (
        ({"tls_certificate": chain, "tls_key": other_key}, "tls_key"),
        ({"tls_certificate": chain, "tls_key": await encrypted(key)}, "must be stored without a password"),
        ({"tls_certificate": chain, "tls_key": key, "tls_client_ca": nonsense}, "tls_client_ca"),
    ):
        config = ChargersConfig.model_validate(options)
        with pytest.raises(ConfigurationError, match=told_of):
            tls.tls_context(config)


async def encrypted(key: Path) -> Path:
    target = key.with_suffix(".encrypted")
    process = await asyncio.create_subprocess_exec(
        *("openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:secret", "-out", str(target))
    )
    assert await process.wait() == 0
    return target


def test_settings_that_do_not_go_together_are_refused(authority: Authority) -> None:
    chain, key = authority.issue_server()
    for options, reason in (
        ({"tls_certificate": [chain, chain], "tls_key": key}, "each certificate needs its own key"),
        ({"tls_client_ca": chain}, "tls_client_ca needs TLS"),
        (
            {"tls_certificate": chain, "tls_key": key, "tls_client_organizations": ["ACME"]},
            "tls_client_organizations needs tls_client_ca",
        ),
        ({"tls_certificate": f"{chain},nowhere.pem", "tls_key": key}, "there is no such file: nowhere.pem"),
    ):
        with pytest.raises(ValueError, match=reason):
            ChargersConfig.model_validate(options)

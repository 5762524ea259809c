"""Chargers that connect by TLS: which versions, and what is told of those that fail."""

import asyncio
import socket
import ssl
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.chargers import tls
from gateway.chargers.tls import why
from tests.chargers.conftest import Entries
from tests.chargers.harness import PATIENCE, Node, handshake, running, until


async def test_with_a_certificate_chargers_connect_by_tls_1_2_or_newer(certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    trusting = ssl.create_default_context(cafile=str(chain))
    async with running(tls_certificate=chain, tls_key=key) as node:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            trusting.minimum_version = trusting.maximum_version = version
            async with node.charger(ssl_context=trusting) as charger:
                await charger.call("Heartbeat", {})
            await until(lambda: not node.store.owned)
        assert node.data("charger.connected")[0]["security"] == "tls"


async def test_half_a_tls_handshake_does_not_stay(certificate: tuple[Path, Path], log: Entries) -> None:
    chain, key = certificate
    async with running(tls_certificate=chain, tls_key=key, handshake_timeout=0.3) as node:
        reader, writer = await node.raw()
        writer.write(b"\x16\x03\x01\x02\x00")
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()
        await until(lambda: told(log) == "too slow")


def speaking(version: ssl.TLSVersion, chain: Path) -> ssl.SSLContext:
    """An old charger: this TLS version and no other."""
    context = ssl.create_default_context(cafile=str(chain))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize(
    ("minimum", "spoken"),
    [
        ("1.2", ()),
        ("1.1", (ssl.TLSVersion.TLSv1_1,)),
        ("1.0", (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)),
    ],
)
@pytest.mark.skipif(not ssl.HAS_TLSv1 or not ssl.HAS_TLSv1_1, reason="this OpenSSL cannot speak TLS 1.0 and 1.1")
async def test_obsolete_tls_is_spoken_only_where_it_is_allowed(
    minimum: str, spoken: tuple[ssl.TLSVersion, ...], certificate: tuple[Path, Path], log: Entries
) -> None:
    """Row 7: EV7 knows nothing newer."""
    chain, key = certificate
    async with running(tls_certificate=chain, tls_key=key, tls_minimum=minimum) as node:
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            if version in spoken:
                async with node.charger(ssl_context=speaking(version, chain)) as charger:
                    assert "currentTime" in await charger.call("Heartbeat", {})
                await until(lambda: not node.store.owned)
            else:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    async with node.charger(ssl_context=speaking(version, chain)):
                        pass
                await until(lambda: "its TLS is too old" in told(log))
    warned = [entry for entry in log if entry["event"] == "obsolete TLS is allowed for chargers"]
    assert len(warned) == (minimum != "1.2")


def told(log: Entries) -> str:
    """The reasons of failed handshakes that were logged."""
    return "; ".join(entry["reason"] for entry in log if entry["event"] == "TLS handshake failed")


async def test_a_charger_that_does_not_trust_the_certificate_is_told(
    certificate: tuple[Path, Path], log: Entries
) -> None:
    chain, key = certificate
    async with running(tls_certificate=chain, tls_key=key) as node:
        with pytest.raises(ssl.SSLError):
            await asyncio.to_thread(knock, node.server.port)
        await until(lambda: "it does not trust the gateway's certificate" in told(log))
        (entry,) = [entry for entry in log if entry["event"] == "TLS handshake failed"]
        assert entry["remote"].startswith("127.0.0.1:")


def knock(port: int) -> None:
    """A TLS handshake that trusts nobody; unlike asyncio's it says so to the other side."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")


async def test_a_charger_that_speaks_no_tls_is_told_how(certificate: tuple[Path, Path], log: Entries) -> None:
    chain, key = certificate
    async with running(tls_certificate=chain, tls_key=key) as node:
        _, writer = await node.raw()
        writer.write(handshake())
        await until(lambda: "not TLS: connect with wss://" in told(log))
        writer.close()


async def test_what_fails_again_and_again_is_told_at_a_bounded_rate(
    certificate: tuple[Path, Path], log: Entries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "FAILURES_TOLD", 3)
    chain, key = certificate
    async with running(tls_certificate=chain, tls_key=key) as node:
        await fail(node, 5)
        assert told(log).count("not TLS") == 3
        monkeypatch.setattr(tls, "FAILURE_WINDOW", 0.0)
        await fail(node, 1)
        (more,) = [entry for entry in log if entry["event"] == "more TLS handshakes failed"]
        assert (more["count"], told(log).count("not TLS")) == (2, 4)


async def fail(node: Node, times: int) -> None:
    """Fail a handshake so many times, one after the other, each until it is over."""
    for _ in range(times):
        reader, writer = await node.raw()
        writer.write(handshake())
        assert await gone(reader)
        writer.close()


async def gone(reader: asyncio.StreamReader) -> bool:
    """Wait until the gateway has hung up."""
    with suppress(ConnectionError):
        while await asyncio.wait_for(reader.read(4096), PATIENCE):
            pass
    return True


async def test_what_comes_right_behind_the_tls_handshake_is_heard(certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    trusting = ssl.create_default_context(cafile=str(chain))
    async with running(tls_certificate=chain, tls_key=key) as node:
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", node.server.port, ssl=trusting)
            writer.write(handshake())
            assert b" 101 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            writer.close()


async def test_a_stop_does_not_wait_for_a_tls_handshake(certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    async with running(tls_certificate=chain, tls_key=key, handshake_timeout=3600) as node:
        reader, writer = await node.raw()
        writer.write(b"\x16\x03\x01\x02\x00")
        await until(lambda: any(task.get_name() == "TLS handshake" for task in asyncio.all_tasks()))
    assert await gone(reader)
    writer.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionResetError(), "the charger hung up"),
        (ConnectionAbortedError("SSL handshake is taking longer than 10 seconds"), "too slow"),
        (TimeoutError(), "too slow"),
        (OSError("no buffer space"), "no buffer space"),
    ],
)
def test_a_failed_handshake_has_a_reason(error: Any, reason: str) -> None:
    assert why(error) == reason

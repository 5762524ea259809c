"""What is remembered of chargers that were not let in, and until when."""

import asyncio
import base64
import ssl
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from gateway.core.refusals import ADVICE, Refusal, Refusals
from gateway.core.reports import BootDecision
from gateway.core.responder import LocalResponder
from tests.chargers.harness import BOOT, PATIENCE, Node, handshake, response, running, until


async def refused(node: Node, request: bytes) -> Refusal:
    """What is remembered of this request, the only one."""
    reader, writer = await node.raw()
    writer.write(request)
    await asyncio.wait_for(reader.read(1), PATIENCE)
    writer.close()
    await until(lambda: node.refusals.latest())
    (refusal,) = node.refusals.latest()
    return refusal


def basic(user: str, password: str) -> bytes:
    told = base64.b64encode(f"{user}:{password}".encode())
    return handshake().replace(b"Host:", b"Authorization: Basic " + told + b"\r\nHost:")


@pytest.mark.parametrize(
    ("request_", "cause", "charger", "reason"),
    [
        (handshake("/"), "no_charger_id", None, "the path names no charger"),
        (handshake("/ocpp/" + "x" * 49), "bad_charger_id", None, "longer than 48"),
        (b"GET /CP1?secret=x HTTP/1.1\r\nHost: x\r\n\r\n", "not_websocket", "CP1", "speaks OCPP over WebSockets"),
        (b"\x16\x03\x01\x02\x00", "plain_port", None, "TLS on a listener without it"),
        (b"\x00\x01\x02", "not_http", None, "not HTTP"),
        (handshake(protocol=None), "no_subprotocol", "CP1", "offers no subprotocol"),
        (handshake(protocol="ocpp1.5"), "unknown_subprotocol", "CP1", "offers ocpp1.5"),
    ],
)
async def test_whoever_is_refused_is_remembered_with_the_cause(
    request_: bytes, cause: str, charger: str | None, reason: str
) -> None:
    async with running() as node:
        refusal = await refused(node, request_)
        assert (refusal.cause, refusal.charger_id, refusal.address) == (cause, charger, "127.0.0.1")
        assert reason in refusal.reason
        assert "secret" not in str(refusal.path)


@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        (handshake(), "no_password"),
        (basic("SOMEBODY", "right-password-1"), "wrong_user"),
        (basic("CP1", "wrong-password-1"), "wrong_password"),
    ],
)
async def test_a_password_that_is_missing_or_wrong_is_told_apart_and_never_kept(request_: bytes, cause: str) -> None:
    async with running(require_password=True) as node:
        refusal = await refused(node, request_)
        assert (refusal.cause, refusal.charger_id) == (cause, "CP1")
        assert "password-1" not in repr(refusal)


async def test_a_tls_handshake_that_fails_is_remembered(certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    async with running(tls_certificate=chain, tls_key=key) as node:
        with pytest.raises(ssl.SSLCertVerificationError):
            async with node.charger(ssl_context=ssl.create_default_context()):
                pass
        await until(lambda: node.refusals.latest())
        (refusal,) = node.refusals.latest()
        # Whether the charger's alert comes before its hanging up is seen depends on the version of TLS.
        assert (refusal.cause, refusal.charger_id) == ("tls_failed", None)
        assert refusal.reason


async def test_who_says_nothing_is_remembered_as_slow() -> None:
    async with running(handshake_timeout=0.2) as node:
        _, writer = await node.raw()
        await until(lambda: node.refusals.latest())
        writer.close()
        assert node.refusals.latest()[0].cause == "too_slow"


async def test_what_kept_a_charger_out_is_forgotten_once_it_connects() -> None:
    async with running() as node:
        with pytest.raises(InvalidStatus):
            async with node.charger("CP2", headers={"Upgrade": "nothing"}):
                pass
        assert (await refused_twice(node)).count == 2
        async with node.charger():
            assert [refusal.charger_id for refusal in node.refusals.latest()] == ["CP2"]


async def refused_twice(node: Node) -> Refusal:
    for _ in range(2):
        reader, writer = await node.raw()
        writer.write(b"GET /ocpp/CP1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await response(reader))[0] == 426
        writer.close()
    return node.refusals.latest()[0]


class Doorkeeper(LocalResponder):
    """Rejects boots until told otherwise."""

    may_work = False

    async def boot(self, *_: object) -> BootDecision:
        return BootDecision("accepted" if self.may_work else "rejected", 300, "test")


async def test_a_rejected_boot_is_remembered_until_one_is_accepted() -> None:
    keeper = Doorkeeper(heartbeat_interval=300)
    async with running(responder=keeper) as node, node.charger(boot=False) as charger:
        assert (await charger.call("BootNotification", BOOT))["status"] == "Rejected"
        assert [(refusal.cause, refusal.charger_id) for refusal in node.refusals.latest()] == [("boot_rejected", "CP1")]
        async with node.charger(boot=False) as again:
            assert len(node.refusals.latest()) == 1
            keeper.may_work = True
            assert (await again.call("BootNotification", BOOT))["status"] == "Accepted"
            assert node.refusals.latest() == []


def test_the_memory_is_bounded_and_repeats_count_as_one() -> None:
    refusals = Refusals(most=3)
    for number in range(5):
        refusals.note("wrong_password", "no", remote="10.0.0.1:99", now=number, charger_id=f"C{number}")
    refusals.note("wrong_password", "no", remote="[::1]:99", now=9, charger_id="C3")
    refusals.note("not_http", "no", remote="[fe80::1]:99", now=10)
    told = [
        (known.charger_id, known.address, known.count, known.first_at, known.last_at) for known in refusals.latest()
    ]
    assert told == [(None, "[fe80::1]", 1, 10, 10), ("C3", "[::1]", 2, 3, 9), ("C4", "10.0.0.1", 1, 4, 4)]


def test_there_is_advice_for_every_cause_without_a_full_stop() -> None:
    assert all(advice and not advice.endswith(".") for advice in ADVICE.values())

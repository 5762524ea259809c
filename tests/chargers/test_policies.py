"""Policies at work: who answers a charger over its socket, and what the others notice of it."""

import asyncio
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from gateway.chargers import certificates
from gateway.core.answers import DataTransferAnswer
from gateway.core.commands import validated_arguments
from gateway.core.ports import Ask, IdToken
from gateway.core.responder import Decision, LocalResponder, Question
from tests.chargers.harness import METER, START, Charger, Node, running, until
from tests.core.answering import NOBODY, FakeAsker, House, house
from tests.support.leaping import LeapingClock

CHAIN = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"
SIGN_2X = {"csr": "CSR", "certificateType": "V2GCertificate"}


class HeldAsker(FakeAsker):
    """Says yes once `may_answer` is set."""

    def __init__(self) -> None:
        super().__init__("webhook")
        self.may_answer = asyncio.Event()

    async def ask(self, ask: Ask) -> Any:
        self.asks.append(ask)
        await self.may_answer.wait()
        return {"status": "accepted"}


async def test_a_slow_asker_delays_only_the_charger_that_waits_for_it() -> None:
    asker = HeldAsker()
    made = house(asker, tokens=(IdToken("LISTED"),), authorize=["tokens", "webhook"], deadline=60, step_deadline=60)
    async with running(responder=made.responder) as node, node.charger("A") as slow, node.charger("B") as other:
        await slow.post("Authorize", {"idTag": "UNKNOWN"}, "slow")
        await until(lambda: asker.asks)
        for _ in range(3):
            assert (await other.call("Authorize", {"idTag": "listed"}))["idTagInfo"]["status"] == "Accepted"
        transaction = (await other.call("StartTransaction", {**START, "idTag": "LISTED"}))["transactionId"]
        await other.call("MeterValues", {**METER, "transactionId": transaction})
        asker.may_answer.set()
        assert (await slow.receive())[:2] == [3, "slow"]
        (decided,) = node.data("authorization.decided", "A")
        assert (decided["status"], decided["decided_by"]) == ("accepted", "webhook")


async def test_what_waits_behind_decisions_is_not_counted_as_waiting_for_the_log() -> None:
    clock = LeapingClock()
    asker = FakeAsker("webhook", {"status": "accepted"}, delay=400)
    made = house(asker, authorize=["webhook"], deadline=550, step_deadline=550, cache_max=0)
    patient = {"money_grace": 600, "idle_timeout": 0}
    async with running(clock=clock, responder=made.responder, **patient) as node, node.charger() as charger:
        for number in range(4):
            await charger.post("Authorize", {"idTag": f"TAG{number}"}, f"a{number}")
        await charger.post("MeterValues", METER, "money")
        for number in range(1, 5):
            await until(lambda asked=number: len(asker.asks) == asked)  # type: ignore[misc]
            clock.leap(401)
        assert [(await charger.receive())[1] for _ in range(5)] == ["a0", "a1", "a2", "a3", "money"]


async def test_a_decision_that_takes_too_long_is_told_as_such_where_the_charger_is_sent_away() -> None:
    asker = HeldAsker()
    made = house(asker, authorize=["webhook"], deadline=60, step_deadline=60)
    async with running(responder=made.responder, money_grace=0.3) as node, node.charger() as charger:
        await charger.post("StartTransaction", START)
        assert await charger.closed() == 1013
        assert charger.socket.close_reason == "try again later: no decision was made"
        asker.may_answer.set()


class UnwritableResponder(LocalResponder):
    async def decide(self, question: Question) -> Decision:
        return Decision(DataTransferAnswer(status="accepted", data=2**64), "webhook")


async def test_where_what_was_decided_cannot_be_written_the_default_reply_is_given() -> None:
    responder = UnwritableResponder(heartbeat_interval=300)
    async with running(responder=responder) as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        assert (await charger.call("DataTransfer", {"vendorId": "v"}))["status"] == "UnknownVendorId"
        assert await charger.call("Heartbeat", {})


async def test_a_chargers_own_messages_keep_their_order_behind_a_question() -> None:
    asker = HeldAsker()
    made = house(asker, authorize=["webhook"], deadline=60, step_deadline=60)
    async with running(responder=made.responder) as node, node.charger() as charger:
        await charger.post("Authorize", {"idTag": "TAG"}, "first")
        await charger.post("Heartbeat", {}, "second")
        await until(lambda: asker.asks)
        asker.may_answer.set()
        assert [(await charger.receive())[1] for _ in range(2)] == ["first", "second"]


@pytest.mark.parametrize(
    ("chain", "status", "by"),
    [
        (["tokens"], "Accepted", "tokens"),
        (["accepted"], "Accepted", "fallback"),
        (["webhook", "tokens"], "Blocked", None),
        (["mqtt"], "Invalid", None),
    ],
)
async def test_a_start_is_decided_by_the_chain_and_its_event_says_who_said_yes(
    chain: list[str], status: str, by: str | None
) -> None:
    made = house(FakeAsker("webhook", {"status": "blocked"}), tokens=(IdToken("tag"),), authorize=chain)
    async with running(responder=made.responder) as node, node.charger() as charger:
        answer = await charger.call("StartTransaction", START)
        assert answer["idTagInfo"]["status"] == status
        (started,) = node.data("transaction.started")
        assert started["authorized_by"] == by


async def test_whoever_ends_a_transaction_only_presents_the_token() -> None:
    asker = FakeAsker("webhook", {"status": "accepted"})
    made = house(asker, authorize=["webhook"])
    async with running(responder=made.responder) as node, node.charger() as charger:
        transaction = (await charger.call("StartTransaction", START))["transactionId"]
        stop = {"transactionId": transaction, "meterStop": 200, "timestamp": "2026-11-21T09:00:00Z", "idTag": "TAG"}
        await charger.call("StopTransaction", stop)
        assert [ask.data["moment"] for ask in asker.asks] == ["start", "presented"]


async def test_messages_without_a_token_ask_nobody_anything() -> None:
    asker = FakeAsker("webhook", {"status": "accepted"})
    made = house(asker, authorize=["tokens", "webhook"], data_transfer=["webhook"])
    async with running(responder=made.responder) as node, node.charger() as charger:
        for _ in range(3):
            await charger.call("MeterValues", METER)
            await charger.call("Heartbeat", {})
        assert (asker.asks, made.tokens.asked) == ([], [])


async def test_the_expiry_that_was_decided_reaches_the_charger() -> None:
    answer = {"status": "accepted", "expires_at": "2099-01-01T01:00:00+01:00", "group": "G"}
    made = house(FakeAsker("webhook", answer), authorize=["webhook"])
    async with running(responder=made.responder) as node, node.charger() as charger:
        told = (await charger.call("Authorize", {"idTag": "TAG"}))["idTagInfo"]
        assert told == {"status": "Accepted", "expiryDate": "2099-01-01T00:00:00.000Z", "parentIdTag": "G"}


# ---------------------------------------------------------------- signed certificates


def signing(answer: Any) -> House:
    return house(FakeAsker("webhook", answer), sign_certificate=["webhook"])


async def sent(node: Node, charger: Charger, subprotocol: str, request: dict[str, Any]) -> dict[str, Any]:
    """The certificate's CALL, which must come after the answer to the request."""
    assert (await charger.call("SignCertificate", request))["status"] == "Accepted"
    message_id, action, payload = await charger.called()
    assert action == "CertificateSigned"
    await charger.answer(message_id, {"status": "Accepted"})
    await until(lambda: node.store.ended)
    return payload


@pytest.mark.parametrize(
    ("subprotocol", "request_", "expected"),
    [
        ("ocpp1.6", {"csr": "CSR"}, {"certificateChain": CHAIN}),
        ("ocpp2.0.1", SIGN_2X, {"certificateChain": CHAIN, "certificateType": "V2GCertificate"}),
        (
            "ocpp2.1",
            {**SIGN_2X, "requestId": 7},
            {"certificateChain": CHAIN, "certificateType": "V2GCertificate", "requestId": 7},
        ),
    ],
)
async def test_a_certificate_that_is_signed_at_once_follows_the_answer(
    subprotocol: str, request_: dict[str, Any], expected: dict[str, Any]
) -> None:
    made = signing({"status": "accepted", "certificate_chain": CHAIN})
    async with running(responder=made.responder) as node, node.charger(subprotocol=subprotocol) as charger:
        assert await sent(node, charger, subprotocol, request_) == expected
        (requested,) = node.data("certificate.requested")
        assert requested["decision"] == {"status": "accepted", "decided_by": "webhook"}
        (result,) = node.store.ended.values()
        assert (result.name, result.outcome.value) == ("send_certificate", "accepted")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"status": "accepted"}, "Accepted"),
        ({"status": "rejected", "certificate_chain": CHAIN}, "Rejected"),
        (NOBODY, "Rejected"),
    ],
)
async def test_nothing_follows_where_nothing_is_signed_yet(answer: Any, status: str) -> None:
    async with running(responder=signing(answer).responder) as node, node.charger() as charger:
        assert (await charger.call("SignCertificate", {"csr": "CSR"}))["status"] == status
        assert await charger.silent()
        assert not node.store.begun


@pytest.mark.parametrize(
    ("subprotocol", "action", "request_"),
    [("ocpp1.6", "ExtendedTriggerMessage", {"csr": "CSR"}), ("ocpp2.0.1", "TriggerMessage", SIGN_2X)],
)
async def test_who_has_a_charger_ask_for_a_certificate_will_send_it(
    subprotocol: str, action: str, request_: dict[str, Any]
) -> None:
    async with running() as node, node.charger(subprotocol=subprotocol) as charger:
        assert (await charger.call("SignCertificate", request_))["status"] == "Rejected"
        arguments = validated_arguments("trigger", {"message": "SignChargingStationCertificate"})
        triggered = asyncio.create_task(node.execute("trigger", arguments))
        message_id, called, _ = await charger.called()
        assert called == action
        await charger.answer(message_id, {"status": "Accepted"})
        assert (await triggered).outcome.value == "accepted"
        assert (await charger.call("SignCertificate", request_))["status"] == "Accepted"
        decisions = [told["decision"] for told in node.data("certificate.requested")]
        assert decisions == [{"decided_by": "local"}, {"status": "accepted", "decided_by": "operator"}]


async def test_a_charger_that_leaves_before_its_certificate_comes_ends_the_command() -> None:
    made = signing({"status": "accepted", "certificate_chain": CHAIN})
    async with running(responder=made.responder) as node:
        async with node.charger() as charger:
            await charger.call("SignCertificate", {"csr": "CSR"})
        await until(lambda: node.store.ended)
        (result,) = node.store.ended.values()
        assert result.outcome.value in ("offline", "timeout")


async def test_a_certificate_that_cannot_be_sent_is_told_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    made, capture = signing({"status": "accepted", "certificate_chain": "x" * 10_001}), LogCapture()
    monkeypatch.setattr(certificates, "_log", structlog.wrap_logger(None, processors=[capture]))
    async with running(responder=made.responder) as node, node.charger() as charger:
        assert (await charger.call("SignCertificate", {"csr": "CSR"}))["status"] == "Accepted"
        await until(lambda: capture.entries)
        assert (capture.entries[0]["event"], capture.entries[0]["charger"]) == ("signed certificate not sent", "CP1")
        assert not node.store.begun

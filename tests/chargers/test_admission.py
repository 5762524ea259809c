"""What a charger may say and be asked whose boot was answered with Pending or Rejected.

OCPP 1.6 section 4.2; OCPP 2.x part 2, use cases B02 and B03.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.chargers.admission import ASKED_FOR, Admission
from gateway.core.commands import Outcome, validated_arguments
from gateway.core.errors import CommandInvalid
from gateway.ocpp.profile import Call
from gateway.ocpp.profiles import PROFILES
from tests.chargers.harness import BOOT, BOOT_2X, METER, START, Charger, Node, running, until
from tests.core.answering import House, house
from tests.support.memory import MemoryStore

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
STATUS_2X = {"timestamp": "2026-11-21T08:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
STARTED_2X = {
    "eventType": "Started",
    "timestamp": "2026-11-21T08:00:00Z",
    "triggerReason": "Authorized",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "T1"},
    "idToken": {"idToken": "TAG", "type": "ISO14443"},
}
REPORT_2X = {"requestId": 1, "generatedAt": "2026-11-21T08:00:00Z", "seqNo": 0}
WORDS = {"pending": "Pending", "rejected": "Rejected", "accepted": "Accepted"}


def boots(registration: str) -> House:
    """A responder whose operator has this answer to every boot; the answer may be changed."""
    return house(stored={"registration": registration})


@asynccontextmanager
async def booted(
    registration: str, subprotocol: str = "ocpp1.6", store: MemoryStore | None = None
) -> AsyncIterator[tuple[Node, Charger, House]]:
    """A charger whose boot was answered so."""
    made = boots(registration)
    async with (
        running(store, responder=made.responder) as node,
        node.charger(subprotocol=subprotocol, boot=False) as charger,
    ):
        await boot(charger, subprotocol, registration)
        yield node, charger, made


async def boot(charger: Charger, subprotocol: str, expected: str) -> None:
    payload = BOOT if subprotocol == "ocpp1.6" else BOOT_2X
    assert (await charger.call("BootNotification", payload))["status"] == WORDS[expected]


async def refused(charger: Charger, action: str, payload: dict[str, Any]) -> bool:
    """Whether a call gets a SecurityError, and not an answer."""
    message_id = await charger.post(action, payload)
    kind, answered, *rest = await charger.receive()
    assert answered == message_id
    assert kind == 3 or (kind, rest[0]) == (4, "SecurityError"), rest
    return bool(kind == 4)


@pytest.mark.parametrize("registration", ["pending", "rejected"])
@pytest.mark.parametrize(
    ("subprotocol", "action", "payload"),
    [
        ("ocpp1.6", "Heartbeat", {}),
        ("ocpp1.6", "StatusNotification", STATUS),
        ("ocpp1.6", "Authorize", {"idTag": "TAG"}),
        ("ocpp1.6", "DataTransfer", {"vendorId": "V"}),
        ("ocpp2.0.1", "Heartbeat", {}),
        ("ocpp2.0.1", "StatusNotification", STATUS_2X),
        ("ocpp2.0.1", "NotifyReport", REPORT_2X),
        ("ocpp2.1", "Heartbeat", {}),
    ],
)
async def test_what_must_wait_for_acceptance_gets_a_security_error(
    registration: str, subprotocol: str, action: str, payload: dict[str, Any]
) -> None:
    async with booted(registration, subprotocol) as (node, charger, made):
        before = len(node.types())
        assert await refused(charger, action, payload)
        await until(lambda: node.types()[before:] == ["charger.violation"])
        made.settings.stored.registration = "accepted"
        await boot(charger, subprotocol, "accepted")
        assert not await refused(charger, action, payload)


@pytest.mark.parametrize("registration", ["pending", "rejected"])
async def test_a_charger_may_always_boot_again(registration: str) -> None:
    async with booted(registration) as (_, charger, _made):
        await boot(charger, "ocpp1.6", registration)
        await boot(charger, "ocpp1.6", registration)


@pytest.mark.parametrize("registration", ["pending", "rejected"])
async def test_money_is_taken_from_whoever_says_so_but_its_token_is_not_valid(registration: str) -> None:
    async with booted(registration) as (node, charger, _):
        answer = await charger.call("StartTransaction", START)
        assert answer["transactionId"] > 0
        assert answer["idTagInfo"]["status"] == "Invalid"
        await charger.call("MeterValues", {**METER, "transactionId": answer["transactionId"]})
        stop = {"transactionId": answer["transactionId"], "meterStop": 200, "timestamp": "2026-11-21T09:00:00Z"}
        await charger.call("StopTransaction", stop)
        (started,) = node.data("transaction.started")
        assert [violation["code"] for violation in started["violations"]] == ["not_accepted"]
        assert node.types().count("transaction.ended") == 1


@pytest.mark.parametrize("registration", ["pending", "rejected"])
async def test_a_transaction_event_is_taken_too(registration: str) -> None:
    async with booted(registration, "ocpp2.0.1") as (node, charger, _):
        answer = await charger.call("TransactionEvent", STARTED_2X)
        assert answer["idTokenInfo"]["status"] == "Invalid"
        assert "not_accepted" in str(node.data("transaction.started")[0]["violations"])


# ---------------------------------------------------------------- what was asked for


async def triggered(node: Node, charger: Charger, command: Any, answer: dict[str, Any]) -> None:
    """Have a command carried out to which the charger says yes."""
    running_command = asyncio.create_task(node.execute(*command))
    message_id, _, _ = await charger.called()
    await charger.answer(message_id, answer)
    assert (await running_command).outcome is Outcome.ACCEPTED


async def test_a_pending_charger_may_send_what_it_was_triggered_to() -> None:
    async with booted("pending") as (node, charger, _):
        call = "call/TriggerMessage", {"requestedMessage": "StatusNotification"}
        await triggered(node, charger, call, {"status": "Accepted"})
        assert not await refused(charger, "StatusNotification", STATUS)
        assert await refused(charger, "Heartbeat", {})


async def test_a_pending_charger_may_report_what_it_was_asked_for() -> None:
    async with booted("pending", "ocpp2.0.1") as (node, charger, _):
        call = "call/GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}
        await triggered(node, charger, call, {"status": "Accepted"})
        assert not await refused(charger, "NotifyReport", REPORT_2X)
        assert await refused(charger, "StatusNotification", STATUS_2X)


@pytest.mark.parametrize(
    ("call", "allowed"),
    [
        *[(Call(action, {}), sorted(answers)[0]) for action, answers in ASKED_FOR.items()],
        (Call("TriggerMessage", {"requestedMessage": "MeterValues"}), "MeterValues"),
        (Call("TriggerMessage", {"requestedMessage": "SignV2GCertificate"}), "SignCertificate"),
        (Call("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}), "SignCertificate"),
        (
            Call("ExtendedTriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}),
            "SignedFirmwareStatusNotification",
        ),
        (Call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}), "FirmwareStatusNotification"),
        (Call("TriggerMessage", {"requestedMessage": "CustomTrigger", "customTrigger": "X"}), "X"),
    ],
    ids=str,
)
def test_a_call_opens_what_it_asks_for_while_pending_and_nothing_while_rejected(call: Call, allowed: str) -> None:
    admission = Admission()
    assert not admission.may_send(allowed, "pending")
    admission.check_call(call, "pending")
    assert admission.may_send(allowed, "pending")
    assert not admission.may_send(allowed, "rejected")
    assert not admission.may_send("Heartbeat", "pending")
    with pytest.raises(CommandInvalid):
        admission.check_call(call, "rejected")


def test_the_rules_name_actions_that_there_are() -> None:
    incoming = {action for profile in PROFILES.values() for action in profile.actions_in}
    outgoing = {action for profile in PROFILES.values() for action in profile.actions_out}
    assert ASKED_FOR.keys() <= outgoing
    assert {action for answers in ASKED_FOR.values() for action in answers} <= incoming


# ---------------------------------------------------------------- across connections


@pytest.mark.parametrize("registration", ["pending", "rejected"])
async def test_the_boots_answer_is_on_record_wherever_the_charger_connects_next(registration: str) -> None:
    store = MemoryStore()
    async with booted(registration, store=store):
        pass
    await until(lambda: not store.owned)
    async with running(store) as elsewhere, elsewhere.charger(boot=False) as charger:
        assert await refused(charger, "Heartbeat", {})


async def test_an_accepted_charger_that_reconnects_without_a_boot_may_say_all() -> None:
    store = MemoryStore()
    async with booted("accepted", store=store):
        pass
    await until(lambda: not store.owned)
    async with running(store) as elsewhere, elsewhere.charger(boot=False) as charger:
        assert not await refused(charger, "StatusNotification", STATUS)
        assert (await charger.call("StartTransaction", START))["idTagInfo"]["status"] == "Accepted"


async def test_a_charger_that_never_booted_may_say_all() -> None:
    async with running() as node, node.charger(boot=False) as charger:
        assert not await refused(charger, "StatusNotification", STATUS)


# ---------------------------------------------------------------- commands

BEGIN = "start", validated_arguments("start", {"token": "TAG", "evse_id": 1})


@pytest.mark.parametrize("command", [BEGIN, ("call/RemoteStopTransaction", {"transactionId": 1})])
async def test_no_transaction_may_be_started_or_stopped_while_pending(command: tuple[str, dict[str, Any]]) -> None:
    async with booted("pending") as (node, charger, made):
        result = await node.execute(*command)
        assert result.outcome is Outcome.INVALID
        assert "pending" in str(result.reason)
        assert result.safe_to_retry
        made.settings.stored.registration = "accepted"
        await boot(charger, "ocpp1.6", "accepted")
        await triggered(node, charger, command, {"status": "Accepted"})


async def test_a_pending_charger_may_be_read_and_set_up() -> None:
    async with booted("pending") as (node, charger, _):
        read = validated_arguments("get_variables", {"variables": [{"variable": "HeartbeatInterval"}]})
        answer = {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "5"}]}
        await triggered(node, charger, ("get_variables", read), answer)


@pytest.mark.parametrize("command", [BEGIN, ("call/GetConfiguration", {}), ("trigger", {"message": "boot"})])
async def test_a_rejected_charger_may_not_be_called(command: tuple[str, dict[str, Any]]) -> None:
    async with booted("rejected") as (node, charger, _):
        result = await node.execute(*command)
        assert result.outcome is Outcome.INVALID
        assert await charger.silent()

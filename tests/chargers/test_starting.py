"""A start and a stop that see to what a home's switch wants: only as much is sent as there is to do."""

import asyncio
import json
from typing import Any

import pytest

from gateway.core.clock import rfc3339
from gateway.core.commands import CommandResult, Outcome, validated_arguments
from gateway.core.identity import ChargerId
from tests.chargers.harness import START, Charger, Node, running, until

ACCEPTED = {"status": "Accepted"}
AVAILABLE = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


async def give(
    node: Node, charger: Charger, name: str, answers: dict[str, dict[str, Any]], **arguments: Any
) -> tuple[CommandResult, list[str]]:
    """Give a command, and have the charger answer what it is called with: the result, and the calls."""
    command = asyncio.create_task(node.execute(name, validated_arguments(name, arguments)))
    called: list[str] = []

    async def obey() -> None:
        while True:
            message_id, action, _ = await charger.called()
            called.append(action)
            await charger.answer(message_id, answers[action])

    obeying = asyncio.create_task(obey())
    await asyncio.wait((command, obeying), return_when=asyncio.FIRST_COMPLETED)
    obeying.cancel()
    await asyncio.gather(obeying, return_exceptions=True)
    return await command, called


YES = dict.fromkeys(
    ("RemoteStartTransaction", "RemoteStopTransaction", "SetChargingProfile", "ClearChargingProfile"), ACCEPTED
)


async def test_a_start_if_needed_starts_where_nothing_runs_and_sends_nothing_where_something_does() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", AVAILABLE)
        started, called = await give(node, charger, "start", YES, token="HOME", evse_id=1, if_needed=True)
        assert (started.outcome, called) == (Outcome.ACCEPTED, ["RemoteStartTransaction"])
        number = (await charger.call("StartTransaction", {**START, "idTag": "HOME"}))["transactionId"]
        again, called = await give(node, charger, "start", YES, token="HOME", evse_id=1, if_needed=True)
        assert (again.outcome, again.reason, called) == (Outcome.ACCEPTED, "a transaction runs there already", [])
        assert again.result == {"status": None, "remote_start_id": None, "ocpp_transaction_id": str(number)}
        assert again.name == "start"


async def test_a_start_if_needed_resumes_what_is_paused_as_soon_as_the_pause_is_known() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", AVAILABLE)
        await charger.call("StartTransaction", START)
        for _ in range(5):
            await give(node, charger, "pause", YES, evse_id=1)
            # At once, while what the pause has changed may not be stored yet.
            resumed, called = await give(node, charger, "start", YES, token="HOME", evse_id=1, if_needed=True)
            assert (resumed.outcome, resumed.name, called) == (Outcome.ACCEPTED, "start", ["ClearChargingProfile"])
            assert resumed.reason == "the transaction there was resumed"


async def test_a_start_if_needed_on_a_paused_evse_without_a_transaction_lifts_the_pause_and_starts() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", AVAILABLE)
        await give(node, charger, "pause", YES, evse_id=1)
        _, called = await give(node, charger, "start", YES, token="HOME", if_needed=True)
        assert called == ["ClearChargingProfile", "RemoteStartTransaction"]
        refusing = {**YES, "ClearChargingProfile": {"status": "Rejected"}}
        await give(node, charger, "pause", YES, evse_id=1)
        refused, called = await give(node, charger, "start", refusing, token="HOME", if_needed=True)
        assert (refused.outcome is Outcome.ACCEPTED, refused.name) == (False, "start")
        assert "RemoteStartTransaction" not in called


async def test_a_stop_if_needed_stops_what_runs_and_will_do_where_nothing_does() -> None:
    async with running() as node, node.charger() as charger:
        idle, called = await give(node, charger, "stop", YES, evse_id=1, if_needed=True)
        assert (idle.outcome, idle.result, called) == (Outcome.ACCEPTED, {"status": None}, [])
        strict, _ = await give(node, charger, "stop", YES, evse_id=1)
        assert strict.outcome is Outcome.INVALID
        await charger.call("StartTransaction", START)
        stopped, called = await give(node, charger, "stop", YES, evse_id=1, if_needed=True)
        assert (stopped.outcome, called) == (Outcome.ACCEPTED, ["RemoteStopTransaction"])


async def test_a_start_if_needed_must_know_which_evse_is_meant() -> None:
    async with running() as node, node.charger() as charger:
        for connector in (1, 2):
            await charger.call("StatusNotification", {**AVAILABLE, "connectorId": connector})
        refused, called = await give(node, charger, "start", YES, token="HOME", if_needed=True)
        assert (refused.outcome, called) == (Outcome.INVALID, [])
        assert refused.reason == "start: name the evse_id; EVSEs: 1, 2"


@pytest.mark.parametrize("connector", [1, 2])
async def test_one_connector_of_an_evse_is_disabled_alone(connector: int) -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        for each in (1, 2):
            status = {"timestamp": "2026-11-21T08:00:00Z", "connectorStatus": "Available"}
            await charger.call("StatusNotification", {**status, "evseId": 1, "connectorId": each})
        answers = {"ChangeAvailability": ACCEPTED}
        await give(node, charger, "set_availability", answers, available=False, evse_id=1, connector_id=connector)
        await until(lambda: [node.connector(1, each)["enabled"] for each in (1, 2)] == [connector != 1, connector != 2])


# ---------------------------------------------------------------- starts that wait for their EV


async def asked(node: Node, charger: Charger, answer: str = "Accepted", **arguments: Any) -> CommandResult:
    """A start that waits for its EV, where none is plugged in."""
    await charger.call("StatusNotification", AVAILABLE)
    answers = {**YES, "RemoteStartTransaction": {"status": answer}}
    result, _ = await give(node, charger, "start", answers, token="HOME", when_plugged=True, **arguments)
    return result


async def given_again(charger: Charger, answer: str = "Accepted") -> dict[str, Any]:
    message_id, action, payload = await charger.called()
    assert action == "RemoteStartTransaction"
    await charger.answer(message_id, {"status": answer})
    return payload


async def test_a_start_refused_for_want_of_an_ev_is_given_again_once_one_is_plugged_in() -> None:
    async with running() as node, node.charger() as charger:
        result = await asked(node, charger, "Rejected")
        assert result.outcome is Outcome.ACCEPTED
        assert result.reason == (
            "no EV is plugged in, so the charger refused it (Rejected): it is given again once one is"
        )
        await until(lambda: node.connector()["start_requested"])
        await charger.call("StatusNotification", {**AVAILABLE, "status": "Preparing"})
        assert await given_again(charger) == {"idTag": "HOME", "connectorId": 1}
        await charger.call("StartTransaction", {**START, "idTag": "HOME"})
        await until(lambda: node.connector()["start_requested"] is False)
        (started,) = node.data("transaction.started")
        assert started["command_id"] == result.id


async def test_a_start_refused_though_an_ev_is_plugged_in_is_rejected() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", {**AVAILABLE, "status": "Preparing"})
        answers = {"RemoteStartTransaction": {"status": "Rejected"}}
        result, _ = await give(node, charger, "start", answers, token="HOME", evse_id=1, when_plugged=True)
        assert result.outcome is Outcome.REJECTED
        assert node.connector()["start_requested"] is False


async def test_a_start_that_waits_outlives_connection_and_node() -> None:
    async with running() as node, node.charger() as charger:
        await asked(node, charger, "Rejected", evse_id=1)
        await until(lambda: node.connector()["start_requested"])
    async with running(node.store) as other, other.charger() as charger:
        await charger.call("StatusNotification", {**AVAILABLE, "status": "Preparing"})
        await given_again(charger)
        assert other.connector()["start_requested"] is True


async def test_a_switch_that_is_turned_on_twice_starts_once() -> None:
    async with running() as node, node.charger() as charger:
        await asked(node, charger, evse_id=1, if_needed=True)
        again, called = await give(
            node, charger, "start", YES, token="HOME", evse_id=1, if_needed=True, when_plugged=True
        )
        assert (again.outcome, called) == (Outcome.ACCEPTED, [])
        assert again.reason == "a start waits for its EV there already"


async def test_another_start_takes_the_place_of_one_that_waits() -> None:
    async with running() as node, node.charger() as charger:
        await asked(node, charger)
        _, called = await give(node, charger, "start", YES, token="OTHER", evse_id=1)
        assert called == ["RemoteStartTransaction"]
        await until(lambda: node.connector()["start_requested"] is False)


async def test_a_stop_withdraws_a_start_that_waits_and_ends_what_the_charger_begins_by_it_all_the_same() -> None:
    async with running() as node, node.charger() as charger:
        await asked(node, charger)
        await until(lambda: node.connector()["start_requested"])
        stopped, called = await give(node, charger, "stop", YES)
        assert (stopped.outcome, stopped.reason, called) == (
            Outcome.ACCEPTED,
            "the start that waited there for an EV was withdrawn",
            [],
        )
        await until(lambda: node.connector()["start_requested"] is False)
        number = (await charger.call("StartTransaction", {**START, "idTag": "HOME"}))["transactionId"]
        message_id, action, payload = await charger.called()
        assert (action, payload) == ("RemoteStopTransaction", {"transactionId": number})
        await charger.answer(message_id, ACCEPTED)


PREPARING = {**AVAILABLE, "status": "Preparing"}
ON = {"token": "HOME", "evse_id": 1, "if_needed": True, "when_plugged": True}
OFF = {"evse_id": 1, "if_needed": True}


def switched_on(node: Node) -> "asyncio.Task[CommandResult]":
    return asyncio.create_task(node.execute("start", validated_arguments("start", ON)))


def unwatched(node: Node) -> bool:
    """Whether no start is remembered any more by which a transaction would be stopped."""
    memory = json.loads(node.store.fields[ChargerId("CP1")]["memory"])
    return memory["awaited"] == {}


async def begins_and_is_stopped(charger: Charger, token: str = "HOME") -> None:
    number = (await charger.call("StartTransaction", {**START, "idTag": token}))["transactionId"]
    message_id, action, payload = await charger.called()
    assert (action, payload) == ("RemoteStopTransaction", {"transactionId": number})
    await charger.answer(message_id, ACCEPTED)


async def lost(node: Node) -> None:
    """Switched on, and the connection lost before the charger answered."""
    async with node.charger() as charger:
        await charger.call("StatusNotification", AVAILABLE)
        on = switched_on(node)
        await charger.called()
    assert (await on).outcome is Outcome.TIMEOUT
    assert node.connector()["start_requested"] is False


async def test_a_start_that_is_given_again_while_it_is_switched_off_is_stopped_once_it_begins() -> None:
    async with running() as node, node.charger() as charger:
        await asked(node, charger, "Rejected", evse_id=1)
        await until(lambda: node.connector()["start_requested"])
        await charger.call("StatusNotification", PREPARING)
        message_id, action, _ = await charger.called()
        assert action == "RemoteStartTransaction"
        stopped = await node.execute("stop", validated_arguments("stop", OFF))
        assert stopped.outcome is Outcome.ACCEPTED
        await charger.answer(message_id, ACCEPTED)
        await begins_and_is_stopped(charger)
        await until(lambda: node.connector()["start_requested"] is False)


async def test_a_start_of_unknown_fate_that_was_switched_off_is_stopped_once_it_begins() -> None:
    async with running() as node:
        await lost(node)
        async with node.charger(boot=False) as charger:
            await give(node, charger, "stop", YES, **OFF)
            await begins_and_is_stopped(charger)


async def test_a_start_of_unknown_fate_can_be_given_anew_and_what_begins_by_either_runs_on() -> None:
    async with running() as node:
        await lost(node)
        async with node.charger(boot=False) as charger:
            again, called = await give(node, charger, "start", YES, **ON)
            assert (again.outcome, called) == (Outcome.ACCEPTED, ["RemoteStartTransaction"])
            await until(lambda: node.connector()["start_requested"])
            await charger.call("StartTransaction", {**START, "idTag": "HOME"})
            await until(lambda: node.connector()["start_requested"] is False)
            _, called = await give(node, charger, "stop", YES, **OFF)
            assert called == ["RemoteStopTransaction"]


async def test_a_start_that_the_charger_holds_from_before_is_stopped_though_a_later_one_was_refused() -> None:
    async with running() as node, node.charger() as charger:
        await asked(node, charger, evse_id=1, if_needed=True)
        await give(node, charger, "stop", YES, **OFF)
        await asked(node, charger, "Rejected", evse_id=1, if_needed=True)
        await until(lambda: node.connector()["start_requested"])
        await give(node, charger, "stop", YES, **OFF)
        await charger.call("StatusNotification", PREPARING)
        await begins_and_is_stopped(charger)


async def test_a_start_that_is_refused_after_it_was_switched_off_waits_no_more() -> None:
    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", AVAILABLE)
        on = switched_on(node)
        message_id, _, _ = await charger.called()
        stopped = await node.execute("stop", validated_arguments("stop", OFF))
        assert stopped.outcome is Outcome.ACCEPTED
        await charger.answer(message_id, {"status": "Rejected"})
        assert (await on).outcome is Outcome.REJECTED
        # A later command sees what this one has changed.
        idle = await node.execute("stop", validated_arguments("stop", OFF))
        assert idle.reason == "nothing runs there"
        assert node.connector()["start_requested"] is False


@pytest.mark.parametrize("waits", [True, False])
async def test_a_start_given_after_one_that_was_switched_off_runs_on_though_it_begins_before_the_answer(
    waits: bool,
) -> None:
    async with running() as node, node.charger() as charger:
        await asked(node, charger, evse_id=1)
        await give(node, charger, "stop", YES, **OFF)
        await until(lambda: node.connector()["start_requested"] is False)
        arguments = validated_arguments("start", {"token": "HOME", "evse_id": 1, "when_plugged": waits})
        on = asyncio.create_task(node.execute("start", arguments))
        message_id, _, _ = await charger.called()
        number = (await charger.call("StartTransaction", {**START, "idTag": "HOME"}))["transactionId"]
        await charger.answer(message_id, ACCEPTED)
        assert (await on).outcome is Outcome.ACCEPTED
        result, called = await give(node, charger, "start", YES, **ON)
        assert (result.reason, called) == ("a transaction runs there already", [])
        assert result.result is not None
        assert result.result["ocpp_transaction_id"] == str(number)
        await until(lambda: unwatched(node), "nothing is left that could stop it")


async def test_a_driver_with_a_card_charges_though_a_start_was_switched_off() -> None:
    async with running() as node, node.charger() as charger:
        await asked(node, charger, evse_id=1)
        await give(node, charger, "stop", YES, **OFF)
        await charger.call("StartTransaction", {**START, "idTag": "A-CARD", "timestamp": rfc3339(node.clock.now())})
        result, called = await give(node, charger, "start", YES, **ON)
        assert (result.reason, called) == ("a transaction runs there already", [])
        await until(lambda: unwatched(node), "nothing is left that could stop it")


@pytest.mark.parametrize("subprotocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_an_ev_that_opens_a_transaction_by_being_plugged_in_is_given_the_start(subprotocol: str) -> None:
    async with running() as node, node.charger(subprotocol=subprotocol) as charger:
        place = {"evseId": 1, "connectorId": 1}
        status = {"timestamp": "2026-11-21T08:00:00Z", **place}
        await charger.call("StatusNotification", {**status, "connectorStatus": "Available"})
        answers = {"RequestStartTransaction": {"status": "Rejected"}}
        result, _ = await give(node, charger, "start", answers, token="HOME", when_plugged=True)
        assert result.outcome is Outcome.ACCEPTED
        await charger.call("StatusNotification", {**status, "connectorStatus": "Occupied"})
        message_id, action, payload = await charger.called()
        assert (action, payload["evseId"]) == ("RequestStartTransaction", 1)
        await charger.answer(message_id, ACCEPTED)
        transaction = {"transactionId": "T1", "remoteStartId": payload["remoteStartId"]}
        await charger.call(
            "TransactionEvent",
            {
                "eventType": "Started",
                "timestamp": "2026-11-21T08:00:00Z",
                "triggerReason": "RemoteStart",
                "seqNo": 0,
                "transactionInfo": transaction,
                "evse": {"id": 1, "connectorId": 1},
                "idToken": payload["idToken"],
            },
        )
        await until(lambda: node.connector()["start_requested"] is False)
        (started,) = node.data("transaction.started")
        assert started["command_id"] == result.id

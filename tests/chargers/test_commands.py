"""Commands on a connection: each ends in exactly one outcome."""

import asyncio

import pytest

from gateway.core.commands import CommandResult, Outcome, validated_arguments
from gateway.core.identity import ChargerId
from tests.chargers.harness import PATIENCE, START, Charger, Node, running, until
from tests.support.leaping import LeapingClock


def order(node: Node, name: str, *, seconds: float = PATIENCE, **arguments: object) -> "asyncio.Task[CommandResult]":
    """A command under way."""
    return asyncio.create_task(node.execute(name, validated_arguments(name, arguments), seconds=seconds))


async def test_accepted() -> None:
    async with running() as node, node.charger() as charger:
        command = order(node, "reset", type="immediate")
        message_id, action, payload = await charger.called()
        assert (action, payload) == ("Reset", {"type": "Hard"})
        await charger.answer(message_id, {"status": "Accepted"})
        result = await command
        assert (result.outcome, result.charger, result.name) == (Outcome.ACCEPTED, ChargerId("CP1"), "reset")
        assert not result.safe_to_retry


async def test_rejected_with_the_chargers_reason() -> None:
    async with running() as node, node.charger() as charger:
        command = order(node, "reset")
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"status": "Rejected"})
        result = await command
        assert result.outcome is Outcome.REJECTED
        assert result.reason


async def test_a_callerror_is_an_error() -> None:
    async with running() as node, node.charger() as charger:
        command = order(node, "call/GetDiagnostics", location="ftp://x")
        message_id, action, payload = await charger.called()
        assert (action, payload) == ("GetDiagnostics", {"location": "ftp://x"})
        await charger.send(f'[4,"{message_id}","InternalError","out of order",{{"a":1}}]')
        result = await command
        assert (result.outcome, result.reason) == (Outcome.ERROR, "InternalError: out of order")
        assert result.result == {"code": "InternalError", "details": {"a": 1}}


async def test_an_unreadable_answer_is_an_error() -> None:
    async with running() as node, node.charger() as charger:
        command = order(node, "get_variables")
        message_id, _, _ = await charger.called()
        await charger.send(f'[3,"{message_id}",{{"configurationKey":[]')
        assert (await command).outcome is Outcome.ERROR


@pytest.mark.parametrize("payload", ["{}", "null", "[]", '{"status":7}', '{"status":["x"]}', '{"status":{"a":NaN}}'])
@pytest.mark.parametrize(
    ("subprotocol", "name", "arguments"),
    [
        ("ocpp1.6", "reset", {}),
        ("ocpp1.6", "unlock", {}),
        ("ocpp1.6", "get_variables", {}),
        ("ocpp1.6", "set_variables", {"variables": [{"variable": "a", "value": "b"}]}),
        ("ocpp1.6", "data_transfer", {"vendor_id": "v"}),
        ("ocpp1.6", "call/ClearCache", {}),
        ("ocpp2.0.1", "get_variables", {"variables": [{"variable": "a", "component": "c"}]}),
        ("ocpp2.0.1", "set_variables", {"variables": [{"variable": "a", "component": "c", "value": "b"}]}),
        ("ocpp2.1", "start", {"token": "T"}),
    ],
)
async def test_an_odd_answer_ends_the_command_all_the_same(
    subprotocol: str, name: str, arguments: dict[str, object], payload: str
) -> None:
    async with running() as node, node.charger(subprotocol=subprotocol) as charger:
        command = order(node, name, **arguments)
        message_id, _, _ = await charger.called()
        await charger.send(f'[3,"{message_id}",{payload}]')
        async with asyncio.timeout(PATIENCE):
            assert (await command).outcome in set(Outcome)


async def test_no_answer_is_a_timeout_and_the_next_command_goes_out() -> None:
    clock = LeapingClock()
    async with running(clock=clock, command_timeout=300) as node, node.charger() as charger:
        first, second = order(node, "reset", seconds=3600), order(node, "call/ClearCache", seconds=3600)
        late, _, _ = await charger.called()
        clock.leap(301)
        result = await first
        assert (result.outcome, result.safe_to_retry) == (Outcome.TIMEOUT, False)
        message_id, action, _ = await charger.called()
        assert action == "ClearCache"
        await charger.answer(late, {"status": "Rejected"})
        await charger.answer(message_id, {"status": "Accepted"})
        assert (await second).outcome is Outcome.ACCEPTED


async def test_a_command_ends_at_its_deadline_even_if_it_was_sent_late() -> None:
    clock = LeapingClock()
    async with running(clock=clock, command_timeout=600) as node, node.charger() as charger:
        first, second = order(node, "reset", seconds=100), order(node, "reset", seconds=250)
        await charger.called()
        clock.leap(101)
        assert (await first).outcome is Outcome.TIMEOUT
        await charger.called()
        clock.leap(150)
        assert (await second).outcome is Outcome.TIMEOUT


async def test_what_waited_too_long_to_be_sent_is_expired() -> None:
    async with running() as node, node.charger() as charger:
        blocking = order(node, "reset")
        message_id, _, _ = await charger.called()
        assert (await order(node, "call/ClearCache", seconds=0.2)).outcome is Outcome.EXPIRED
        assert (await order(node, "call/ClearCache", seconds=-1)).outcome is Outcome.EXPIRED
        await charger.answer(message_id, {"status": "Accepted"})
        assert (await blocking).outcome is Outcome.ACCEPTED
        await charger.call("Heartbeat", {})  # whose answer is the next frame: nothing else was sent


async def test_commands_go_out_in_order_one_at_a_time() -> None:
    async with running() as node, node.charger() as charger:
        names = ["call/ClearCache", "call/GetLocalListVersion", "call/GetConfiguration", "call/ClearCache"]
        commands = [order(node, name) for name in names]
        for name in names:
            message_id, action, _ = await charger.called()
            assert action == name.removeprefix("call/")
            await charger.call("Heartbeat", {})  # whose answer is the next frame: no other call goes out
            await charger.answer(message_id, {"status": "Accepted"})
        assert [(await command).outcome for command in commands] == [Outcome.ACCEPTED] * 4


async def test_a_command_may_come_while_the_chargers_own_message_waits() -> None:
    """Answers and commands wait for nothing of each other."""
    async with running() as node, node.charger() as charger:
        node.store.available.clear()
        await charger.post("StartTransaction", START, "s")
        command = order(node, "call/ClearCache")
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})
        assert (await command).outcome is Outcome.ACCEPTED
        node.store.available.set()
        assert (await charger.receive())[1] == "s"


# ---------------------------------------------------------------- the socket goes away


async def test_sent_and_then_dropped_is_a_timeout_and_what_waited_is_offline() -> None:
    async with running() as node:
        async with node.charger() as charger:
            sent, waiting = order(node, "reset"), order(node, "reset")
            await charger.called()
        first, second = await sent, await waiting
        assert (first.outcome, first.safe_to_retry) == (Outcome.TIMEOUT, False)
        assert (second.outcome, second.safe_to_retry) == (Outcome.OFFLINE, True)


async def test_a_drop_is_told_even_while_the_log_is_away() -> None:
    async with running() as node:
        async with node.charger() as charger:
            node.store.available.clear()
            await charger.post("Authorize", {"idTag": "T"})
            command = order(node, "reset")
            await charger.called()
        async with asyncio.timeout(PATIENCE / 3):
            assert (await command).outcome is Outcome.TIMEOUT


async def test_a_connection_that_is_gone_or_closing_is_offline() -> None:
    async with running() as node:
        async with node.charger() as charger:
            connection = node.connection()
            connection.close(1012, "test")
            command = node.command("reset", {"type": "immediate", "evse_id": None})
            assert (await connection.execute(command)).outcome is Outcome.OFFLINE
            assert await charger.closed() == 1012
        await until(lambda: not node.store.owned)
        assert (await connection.execute(command)).outcome is Outcome.OFFLINE
        assert node.router.local(ChargerId("CP1")) is None


async def test_our_own_close_tells_sent_from_waiting() -> None:
    async with running() as node, node.charger() as charger:
        sent, waiting = order(node, "reset"), order(node, "reset")
        await charger.called()
        node.connection().close(1012, "test")
        assert [(await sent).outcome, (await waiting).outcome] == [Outcome.TIMEOUT, Outcome.OFFLINE]


# ---------------------------------------------------------------- what cannot be done


async def test_what_a_version_cannot_do_is_unsupported() -> None:
    async with running() as node, node.charger():
        result = await node.execute("fly_to_the_moon", {})
        assert (result.outcome, result.safe_to_retry) == (Outcome.UNSUPPORTED, True)
        assert "1.6" in (result.reason or "")


async def test_an_invalid_raw_payload_is_not_sent() -> None:
    async with running() as node, node.charger() as charger:
        result = await order(node, "call/Reset", type="Gently")
        assert result.outcome is Outcome.INVALID
        assert "/type" in (result.reason or "")
        await charger.call("Heartbeat", {})  # whose answer is the next frame: nothing else was sent


async def test_a_raw_call_of_an_unknown_action_is_sent_as_it_stands() -> None:
    async with running() as node, node.charger() as charger:
        command = order(node, "call/VendorThing", anything=[1, {"x": None}])
        message_id, action, payload = await charger.called()
        assert (action, payload) == ("VendorThing", {"anything": [1, {"x": None}]})
        await charger.answer(message_id, {"status": "Done", "more": 1})
        result = await command
        assert (result.outcome, result.result) == (Outcome.ACCEPTED, {"status": "Done", "more": 1})


async def test_a_transaction_that_does_not_run_cannot_be_stopped() -> None:
    async with running() as node, node.charger() as charger:
        assert (await order(node, "stop", transaction_id="nope")).outcome is Outcome.INVALID
        await charger.call("StartTransaction", START)
        command = order(node, "stop")
        message_id, action, _ = await charger.called()
        assert action == "RemoteStopTransaction"
        await charger.answer(message_id, {"status": "Accepted"})
        assert (await command).outcome is Outcome.ACCEPTED


async def test_an_accepted_limit_shows_in_the_snapshot() -> None:
    async def obey(charger: Charger) -> None:
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})

    async with running() as node, node.charger() as charger:
        await charger.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        command = order(node, "set_charging_limit", evse_id=1, current_a=10)
        await obey(charger)
        assert (await command).outcome is Outcome.ACCEPTED
        await until(lambda: b'"limit_a":10' in node.store.fields[ChargerId("CP1")]["connector/1/1"])
        command = order(node, "set_availability", available=False)
        await obey(charger)
        assert (await command).outcome is Outcome.ACCEPTED
        await until(lambda: b'"enabled":false' in node.store.fields[ChargerId("CP1")]["charger"])


async def test_the_transaction_that_a_remote_start_causes_bears_its_id() -> None:
    for version in ("ocpp1.6", "ocpp2.0.1"):
        async with running() as node, node.charger(subprotocol=version) as charger:
            command = node.command("start", validated_arguments("start", {"token": "TAG", "evse_id": 1}))
            work = asyncio.create_task(node.connection().execute(command))
            message_id, _, payload = await charger.called()
            # It may begin before its answer is sent, let alone read.
            if version == "ocpp1.6":
                await charger.post("StartTransaction", START)
            else:
                info = {"transactionId": "tx", "remoteStartId": payload["remoteStartId"]}
                started = {
                    "eventType": "Started",
                    "timestamp": "2026-11-21T08:00:00Z",
                    "triggerReason": "RemoteStart",
                    "seqNo": 0,
                    "transactionInfo": info,
                    "evse": {"id": 1, "connectorId": 1},
                }
                await charger.post("TransactionEvent", started)
            await charger.receive()
            await charger.answer(message_id, {"status": "Accepted"})
            assert (await work).outcome is Outcome.ACCEPTED
            (told,) = node.data("transaction.started")
            assert told["command_id"] == command.id


async def test_a_remote_start_that_was_refused_is_not_taken_for_the_cause() -> None:
    async with running() as node, node.charger() as charger:
        command = node.command("start", validated_arguments("start", {"token": "TAG"}))
        work = asyncio.create_task(node.connection().execute(command))
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"status": "Rejected"})
        assert (await work).outcome is Outcome.REJECTED
        await charger.call("StartTransaction", START)
        assert node.data("transaction.started")[0]["command_id"] is None


async def test_a_newer_command_takes_the_place_of_one_of_its_kind_that_waits_for_the_line() -> None:
    async with running() as node, node.charger() as charger:
        first = order(node, "reset")
        message_id, _, _ = await charger.called()
        waiting = []
        for number, (name, arguments) in enumerate(
            (
                ("set_availability", {"available": False, "evse_id": 1}),
                ("unlock", {}),
                ("set_availability", {"available": False, "evse_id": 2}),
                ("set_availability", {"available": True, "evse_id": 1}),
                ("unlock", {}),
            ),
            start=1,
        ):
            waiting.append(order(node, name, **arguments))  # type: ignore[arg-type]
            expected = number - (number > 3)
            await until(lambda n=expected: len(node.connection()._session._queue) == n)  # type: ignore[misc]
        result = await waiting[0]
        assert (result.outcome, result.safe_to_retry) == (Outcome.SUPERSEDED, True)
        await charger.answer(message_id, {"status": "Accepted"})
        calls = []
        for _ in range(4):
            message_id, action, payload = await charger.called()
            calls.append((action, payload))
            await charger.answer(message_id, {"status": "Unlocked" if action == "UnlockConnector" else "Accepted"})
        assert calls == [
            ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
            ("UnlockConnector", {"connectorId": 1}),
            ("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}),
            ("UnlockConnector", {"connectorId": 1}),
        ]
        outcomes = {result.outcome for result in await asyncio.gather(first, *waiting[1:])}
        assert outcomes == {Outcome.ACCEPTED}


async def test_a_command_that_was_sent_is_never_superseded() -> None:
    async with running() as node, node.charger() as charger:
        first = order(node, "set_availability", available=False)
        message_id, _, _ = await charger.called()
        second = order(node, "set_availability", available=True)
        await until(lambda: node.connection()._session._queue)
        await charger.answer(message_id, {"status": "Accepted"})
        message_id, _, _ = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})
        assert {(await one).outcome for one in (first, second)} == {Outcome.ACCEPTED}


@pytest.mark.parametrize(("code", "strayed"), [(1012, True), (1000, True), (1013, False), (1001, False)])
async def test_what_was_not_sent_may_follow_a_charger_that_is_sent_elsewhere(code: int, strayed: bool) -> None:
    async with running() as node, node.charger() as charger:
        sent = order(node, "reset")
        await charger.called()
        unsent = order(node, "unlock")
        await until(lambda: node.connection()._session._queue)
        connection = node.connection()
        connection.close(code, "go")
        late = await connection.execute(node.command("unlock", {"evse_id": 1, "connector_id": 1}))
        results = [await sent, await unsent, late]
        assert [result.outcome for result in results] == [Outcome.TIMEOUT, Outcome.OFFLINE, Outcome.OFFLINE]
        assert [result.strayed for result in results] == [False, strayed, strayed]


async def test_a_charger_is_ready_once_it_has_spoken_unless_its_boot_was_not_accepted() -> None:
    async with running() as node, node.charger(boot=False) as charger:
        await until(lambda: node.router.local(ChargerId("CP1")) is not None)
        ready = asyncio.create_task(node.connection().ready())
        await charger.call("Heartbeat", {})
        assert await ready
        node.connection()._recorder.twin._state.charger["boot"] = {"status": "pending"}  # type: ignore[typeddict-item]
        assert not await node.connection().ready()

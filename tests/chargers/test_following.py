"""Commands whose answer comes in messages of its own: followed to their end over a real connection."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.commands import CommandResult, Outcome, validated_arguments
from tests.chargers.harness import PATIENCE, Charger, Node, running
from tests.support.leaping import LeapingClock

AT = "2026-11-21T08:00:00Z"
LOG = {"location": "https://logs.example/upload", "type": "security"}
REPORT = validated_arguments("get_report", {})


def order(node: Node, name: str, *, seconds: float = PATIENCE, **arguments: object) -> "asyncio.Task[CommandResult]":
    """A command under way."""
    return asyncio.create_task(node.execute(name, validated_arguments(name, arguments), seconds=seconds))


async def yes(charger: Charger, action: str, answer: dict[str, Any] | None = None) -> int:
    """Say yes to the next call; the id of the request."""
    message_id, called, payload = await charger.called()
    assert called == action
    await charger.answer(message_id, answer or {"status": "Accepted"})
    return int(payload["requestId"])


def part(request_id: int, number: int, *, more: bool) -> dict[str, Any]:
    variable = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": f"V{number}"}}
    return {
        "requestId": request_id,
        "generatedAt": AT,
        "seqNo": number,
        "tbc": more,
        "reportData": [{**variable, "variableAttribute": [{"value": str(number)}]}],
    }


async def test_a_report_in_three_parts_is_one_result() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        command = order(node, "get_report")
        request_id = await yes(charger, "GetBaseReport")
        await charger.call("NotifyReport", part(request_id + 1, 0, more=False))
        for number in range(3):
            assert not command.done()
            await charger.call("NotifyReport", part(request_id, number, more=number < 2))
        result = await command
        assert (result.outcome, result.reason) == (Outcome.ACCEPTED, None)
        assert result.result is not None
        assert result.result["request_id"] == request_id
        assert [found["variable"] for found in result.result["variables"]] == ["V0", "V1", "V2"]
        assert [found["attributes"][0]["value"] for found in result.result["variables"]] == ["0", "1", "2"]


async def test_a_report_of_more_variables_than_the_station_takes_is_one_result() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        named = [{"component": "OCPPCommCtrlr", "variable": f"V{number}"} for number in range(6)]
        command = order(node, "get_report", variables=named)
        message_id, _, question = await charger.called()
        limit = {**question["getVariableData"][0], "attributeStatus": "Accepted", "attributeValue": "3"}
        await charger.answer(message_id, {"getVariableResult": [limit]})
        first, second = await yes(charger, "GetReport"), await yes(charger, "GetReport")
        await charger.call("NotifyReport", part(second, 3, more=False) | {"seqNo": 0})
        await charger.call("NotifyReport", part(first, 0, more=True))
        assert not command.done()
        await charger.call("NotifyReport", part(first, 1, more=False))
        result = await command
        assert result.outcome is Outcome.ACCEPTED
        assert result.result is not None
        assert [found["variable"] for found in result.result["variables"]] == ["V3", "V0", "V1"]
        assert [found["variable"] for found in result.result["unknown"]] == ["V4", "V5", "V2"]


async def test_a_report_of_nothing_is_not_waited_for() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        command = order(node, "get_report", criteria=["problem"])
        await yes(charger, "GetReport", {"status": "EmptyResultSet"})
        async with asyncio.timeout(PATIENCE / 2):
            result = await command
        assert (result.outcome, (result.result or {})["variables"]) == (Outcome.ACCEPTED, [])


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [("Uploaded", Outcome.ACCEPTED, None), ("PermissionDenied", Outcome.REJECTED, "permission_denied")],
)
@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_a_log_ends_with_the_status_of_its_upload(
    subprotocol: str, status: str, outcome: Outcome, reason: str | None
) -> None:
    async with running() as node, node.charger(subprotocol=subprotocol) as charger:
        command = order(node, "get_log", **LOG)
        request_id = await yes(charger, "GetLog", {"status": "Accepted", "filename": "log.gz"})
        await charger.call("LogStatusNotification", {"status": "Uploading", "requestId": request_id})
        await charger.call("LogStatusNotification", {"status": "Uploaded", "requestId": request_id + 1})
        assert not command.done()
        await charger.call("LogStatusNotification", {"status": status, "requestId": request_id})
        result = await command
        assert (result.outcome, result.reason) == (outcome, reason)
        assert result.result == {
            "status": reason or "uploaded",
            "request_id": request_id,
            "type": "security",
            "filename": "log.gz",
        }


async def test_a_1_6_charger_without_the_security_extension_gives_its_diagnostics() -> None:
    async with running() as node, node.charger() as charger:
        command = order(node, "get_log", **LOG)
        message_id, action, _ = await charger.called()
        assert action == "GetLog"
        await charger.send(f'[4,"{message_id}","NotImplemented","",{{}}]')
        message_id, action, payload = await charger.called()
        assert (action, payload) == ("GetDiagnostics", {"location": LOG["location"]})
        await charger.answer(message_id, {"fileName": "d.zip"})
        await charger.call("DiagnosticsStatusNotification", {"status": "Uploading"})
        await charger.call("DiagnosticsStatusNotification", {"status": "Uploaded"})
        result = await command
        assert result.outcome is Outcome.ACCEPTED
        assert result.result == {
            "status": "uploaded",
            "request_id": None,
            "type": "diagnostics",
            "filename": "d.zip",
        }


async def test_messages_on_the_display_come_as_one_list() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        command = order(node, "get_display_messages")
        request_id = await yes(charger, "GetDisplayMessages")
        for number in (1, 2):
            message = {"id": number, "priority": "InFront", "message": {"format": "UTF8", "content": "Hi"}}
            await charger.call(
                "NotifyDisplayMessages", {"requestId": request_id, "tbc": number < 2, "messageInfo": [message]}
            )
        result = await command
        assert result.outcome is Outcome.ACCEPTED
        assert [message["id"] for message in (result.result or {})["messages"]] == [1, 2]


async def test_what_is_kept_of_a_customer_comes_as_one_text() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.1") as charger:
        command = order(node, "customer_information", token="T")
        request_id = await yes(charger, "CustomerInformation")
        for number, piece in enumerate(("ab", "cd")):
            await charger.call(
                "NotifyCustomerInformation",
                {"requestId": request_id, "generatedAt": AT, "seqNo": number, "tbc": number < 1, "data": piece},
            )
        result = await command
        assert (result.outcome, (result.result or {})["data"]) == (Outcome.ACCEPTED, "abcd")


async def test_monitors_come_as_one_list() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        command = order(node, "get_monitoring_report")
        request_id = await yes(charger, "GetMonitoringReport")
        monitor = {"id": 1, "transaction": False, "value": 5, "type": "Delta", "severity": 4}
        for number in range(2):
            found = {"component": {"name": "EVSE"}, "variable": {"name": "P"}, "variableMonitoring": [monitor]}
            await charger.call(
                "NotifyMonitoringReport",
                {"requestId": request_id, "generatedAt": AT, "seqNo": number, "tbc": number < 1, "monitor": [found]},
            )
        result = await command
        assert (result.outcome, len((result.result or {})["monitors"])) == (Outcome.ACCEPTED, 2)


async def test_a_connection_lost_in_between_is_a_timeout() -> None:
    async with running() as node:
        async with node.charger(subprotocol="ocpp2.0.1") as charger:
            command = order(node, "get_report")
            request_id = await yes(charger, "GetBaseReport")
            await charger.call("NotifyReport", part(request_id, 0, more=True))
        async with asyncio.timeout(PATIENCE / 2):
            result = await command
        assert (result.outcome, result.safe_to_retry) == (Outcome.TIMEOUT, False)
        assert "connection" in (result.reason or "")


async def test_a_report_that_is_not_there_in_time_is_a_timeout() -> None:
    clock = LeapingClock()
    async with running(clock=clock) as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        answered = asyncio.Event()
        ordered = replace(node.command("get_report", REPORT, seconds=300), answered=answered.set)
        command = asyncio.create_task(node.connection().execute(ordered))
        await yes(charger, "GetBaseReport")
        await answered.wait()
        clock.leap(301)
        async with asyncio.timeout(PATIENCE / 2):
            result = await command
        assert (result.outcome, result.safe_to_retry) == (Outcome.TIMEOUT, False)
        assert (result.result or {})["status"] == "accepted"


async def test_a_command_tells_when_it_was_answered_and_only_what_follows_is_waited_for() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        answered = asyncio.Event()
        order_of_it = replace(node.command("get_report", REPORT), answered=answered.set)
        command = asyncio.create_task(node.connection().execute(order_of_it))
        request_id = await yes(charger, "GetBaseReport")
        await answered.wait()
        assert not command.done()
        await charger.call("NotifyReport", part(request_id, 0, more=False))
        assert (await command).outcome is Outcome.ACCEPTED

"""What is done for a charger later, though no message of it asks for that."""

import asyncio
from typing import Any

from gateway.core.commands import Outcome, validated_arguments
from gateway.core.identity import ChargerId
from tests.chargers.harness import PATIENCE, START, Node, running, until

CP1 = ChargerId("CP1")

AT_ONCE = 1e-9
"""Seconds of silence that have passed whenever one looks, even within the millisecond in which the charger spoke."""


def scheduled(node: Node, kind: str) -> list[bytes]:
    return [payload for (_, known, _), (_, payload) in node.store.later.items() if known == kind]


def report(sequence: int, *, last: bool) -> dict[str, Any]:
    variable = {
        "component": {"name": "EVSE"},
        "variable": {"name": f"V{sequence}"},
        "variableAttribute": [{"value": str(sequence)}],
    }
    generated = "2026-11-21T08:00:00Z"
    return {"requestId": 7, "generatedAt": generated, "seqNo": sequence, "tbc": not last, "reportData": [variable]}


async def test_a_transaction_that_fell_silent_ends_also_for_a_charger_that_is_gone() -> None:
    async with running(silent_transaction_limit=AT_ONCE) as node:
        async with node.charger() as charger:
            await charger.call("StartTransaction", START)
            await until(lambda: scheduled(node, "end_silent"))
            (transaction,) = scheduled(node, "end_silent")
        await until(lambda: CP1 not in node.store.owned)
        await node.server.later("end_silent", CP1, transaction)
        (ended,) = node.data("transaction.ended")
        assert (ended["suspect"], ended["transaction_id"]) == (["missing_stop"], transaction.decode())


async def test_a_transaction_that_has_spoken_meanwhile_is_looked_at_again_later() -> None:
    async with running(silent_transaction_limit=1000) as node, node.charger() as charger:
        await charger.call("StartTransaction", START)
        await until(lambda: scheduled(node, "end_silent"))
        (transaction,) = scheduled(node, "end_silent")
        node.store.later.clear()
        await node.server.later("end_silent", CP1, transaction)
        assert node.data("transaction.ended") == []
        assert scheduled(node, "end_silent") == [transaction]


async def test_a_report_that_stayed_incomplete_is_told_as_it_is() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        await charger.call("NotifyReport", report(0, last=False))
        await until(lambda: scheduled(node, "give_up_report"))
        (name,) = scheduled(node, "give_up_report")
        await node.server.later("give_up_report", CP1, name)
        part, told = node.data("variables.reported")
        assert (part["complete"], told["complete"], told["to_be_continued"]) == (False, False, False)
        assert told["variables"] == part["variables"]
        await charger.call("NotifyReport", report(1, last=True))
        assert len(node.data("variables.reported")) == 3


async def test_a_report_counted_from_one_ends_the_command_that_asked_for_it() -> None:
    async with running() as node, node.charger(subprotocol="ocpp2.0.1") as charger:
        command = asyncio.create_task(node.execute("get_report", validated_arguments("get_report", {})), name="order")
        message_id, _, payload = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})
        for number in (1, 2):
            assert scheduled(node, "end_report") == []
            part = report(number, last=number == 2) | {"requestId": payload["requestId"]}
            await charger.call("NotifyReport", part)
        await until(lambda: scheduled(node, "end_report"))
        (name,) = scheduled(node, "end_report")
        await node.server.later("end_report", CP1, name)
        async with asyncio.timeout(PATIENCE):
            result = await command
        assert result.outcome is Outcome.ACCEPTED
        assert [found["variable"] for found in (result.result or {})["variables"]] == ["V1", "V2"]
        assert [told["complete"] for told in node.data("variables.reported")] == [False, False, True]


async def test_a_report_goes_on_over_a_reconnect() -> None:
    async with running() as node:
        async with node.charger(subprotocol="ocpp2.0.1") as charger:
            await charger.call("NotifyReport", report(0, last=False))
        await until(lambda: CP1 not in node.store.owned)
        async with node.charger(subprotocol="ocpp2.0.1", boot=False) as charger:
            await charger.call("NotifyReport", report(1, last=True))
        whole = node.data("variables.reported")[-1]
        assert (whole["complete"], [one["variable"] for one in whole["variables"]]) == (True, ["V0", "V1"])
        assert not [name for name in node.store.fields[CP1] if name.startswith("part/")]

"""The stream of raw messages, over real sockets."""

import asyncio
import json
from typing import Any

from gateway.chargers.connection import Connection
from gateway.chargers.raw_stream import RecordedConnection
from gateway.core.commands import validated_arguments
from gateway.core.identity import ChargerId
from tests.chargers.harness import START, Node, running, until

SECRET = "new-password-of-16"


def stream(node: Node, identity: str = "CP1") -> list[tuple[str, str, str]]:
    """Direction, kind and action of the raw messages told so far."""
    return [
        (event["data"]["direction"], event["data"]["kind"], event["ocppaction"])
        for owner, event in node.store.events
        if owner == ChargerId(identity) and event["type"] == "ocpp.message"
    ]


async def test_every_message_is_told_both_ways_in_its_order() -> None:
    async with running(raw_messages=["CP*"]) as node, node.charger() as charger:
        transaction = (await charger.call("StartTransaction", START))["transactionId"]
        await charger.call("Heartbeat", {})
        ordered = asyncio.create_task(node.execute("clear_cache", {}), name="operator")
        message_id, action, _ = await charger.called()
        await charger.answer(message_id, {"status": "Accepted"})
        await ordered
        expected = [
            *(("received", "call", "BootNotification"), ("sent", "result", "BootNotification")),
            *(("received", "call", "StartTransaction"), ("sent", "result", "StartTransaction")),
            *(("received", "call", "Heartbeat"), ("sent", "result", "Heartbeat")),
            *(("sent", "call", "ClearCache"), ("received", "result", "ClearCache")),
        ]
        await until(lambda: len(stream(node)) == len(expected))
        assert (action, stream(node)) == ("ClearCache", expected)
        started = next(
            event
            for _, event in node.store.events
            if event["type"] == "ocpp.message" and event["data"].get("raw", {}).get("transactionId") == transaction
        )
        assert (started["ocppversion"], started["data"]["request"]) == ("1.6", START)
        sequences = [int(event["sequence"]) for _, event in node.store.events]
        assert sequences == list(range(len(sequences)))
        assert len({event["id"] for _, event in node.store.events}) == len(sequences)


async def test_what_was_said_last_is_told_before_the_farewell() -> None:
    async with running(raw_messages=["*"]) as node:
        async with node.charger() as charger:
            for _ in range(20):
                await charger.post("Heartbeat", {})
        await until(lambda: not node.store.owned)
        assert stream(node).count(("received", "call", "Heartbeat")) == 20
        assert node.types()[-1] == "charger.disconnected"


async def test_a_message_is_answered_while_the_stream_waits_for_the_log() -> None:
    async with running(raw_messages=["*"]) as node, node.charger() as charger:
        await until(lambda: len(stream(node)) == 2)
        node.store.available.clear()
        assert "currentTime" in await charger.call("Heartbeat", {})
        node.store.available.set()
        await until(lambda: len(stream(node)) == 4)


async def test_passwords_do_not_get_into_the_stream() -> None:
    async with running(raw_messages=["*"]) as node, node.charger() as charger:
        variable = {"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": SECRET}
        arguments = validated_arguments("set_variables", {"variables": [variable]})
        ordered = asyncio.create_task(node.execute("set_variables", arguments), name="operator")
        message_id, action, payload = await charger.called()
        assert (action, payload["value"]) == ("ChangeConfiguration", SECRET)
        await charger.answer(message_id, {"status": "Accepted"})
        await ordered
        await until(lambda: ("received", "result", "ChangeConfiguration") in stream(node))
        assert SECRET not in json.dumps([event for _, event in node.store.events])


async def test_only_the_chargers_that_are_named_are_recorded() -> None:
    async with running(raw_messages=["CP1"]) as node, node.charger("CP1"), node.charger("CP2") as other:
        await other.call("Heartbeat", {})
        await until(lambda: len(stream(node)) == 2)
        assert stream(node, "CP2") == []
        assert [type(node.connection(name)) for name in ("CP1", "CP2")] == [RecordedConnection, Connection]


async def test_an_unknown_action_is_told_once_and_its_refusal_too() -> None:
    async with running(raw_messages=["*"]) as node, node.charger() as charger:
        await charger.post("VendorThing", {"x": 1}, "v")
        assert (await charger.receive())[:3] == [4, "v", "NotImplemented"]
        await until(lambda: len([1 for kind in node.types() if kind == "message"]) == 4)
        told: list[Any] = [event["data"] for _, event in node.store.events if event.get("ocppaction") == "VendorThing"]
        assert [(data["direction"], data.get("kind")) for data in told] == [("received", None), ("sent", "error")]

"""The gateway's events and states as they come out of it, recorded over real sockets.

`make examples` writes the examples in openapi/examples anew.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from adapters.mqtt.asyncapi_parts import EXAMPLES
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from gateway.ocpp.profiles import PROFILES
from tests.chargers.harness import PATIENCE, Charger, Node, running
from tests.cluster import support, test_bounds
from tests.ocpp.payloads import INBOUND
from tests.openapi.asking import record_asks
from tests.openapi.commanding import record_results
from tests.openapi.normalising import Clock
from tests.support.servers import Valkey

Event = dict[str, Any]

VERSIONS = ("2.0.1", "2.1", "1.6")
"""The first that makes an event gives its example."""
WIRE_ID = "59702400"
"""What stands for a number that the gateway gave to a 1.6 transaction."""
_ID = "CP1"
_SUBPROTOCOLS = {profile.version: name for name, profile in PROFILES.items()}


async def record_version(version: str) -> tuple[list[Event], dict[str, Any]]:
    """Every action of the version sent once, as a session: the events, and the states as they stand within it."""
    clock = Clock()
    number, states = 0, {}
    async with running() as node:
        async with node.charger(_ID, subprotocol=_SUBPROTOCOLS[version], boot=False) as charger:
            for action, payload in INBOUND[version].items():
                told = {**payload, "transactionId": number} if action == "StopTransaction" else payload
                answer = await _say(charger, version, action, clock.moved(told))
                if action == "StartTransaction":
                    number = answer["transactionId"]
                    clock.same_number(number, WIRE_ID)
                if action == "MeterValues":
                    states = _states(node)
            if "TransactionEvent" in INBOUND[version]:
                await _rest_of_transaction(charger, version, clock)
        await _settled(node)
        return [clock.normalised(event) for _, event in node.store.events], clock.normalised(states)


async def _say(charger: Charger, version: str, action: str, payload: Any) -> dict[str, Any]:
    if action in PROFILES[_SUBPROTOCOLS[version]].sends:
        await charger.send(json.dumps([6, "s-1", action, payload]))
        return await charger.call("Heartbeat", {})
    return await charger.call(action, payload)


async def _rest_of_transaction(charger: Charger, version: str, clock: Clock) -> None:
    begun = INBOUND[version]["TransactionEvent"]
    more = {"eventType": "Updated", "triggerReason": "MeterValuePeriodic", "seqNo": 1}
    await charger.call("TransactionEvent", clock.moved({**begun, **more}))
    info = {**begun["transactionInfo"], "chargingState": "Idle", "stoppedReason": "EVDisconnected"}
    more = {"eventType": "Ended", "triggerReason": "EVDeparted", "seqNo": 2, "transactionInfo": info}
    await charger.call("TransactionEvent", clock.moved({**begun, **more, "timestamp": "2026-11-21T18:00:00.000Z"}))


def _states(node: Node) -> dict[str, Any]:
    fields = node.store.fields[ChargerId(_ID)]
    return {"charger": json.loads(fields["charger"]), "connector": json.loads(fields["connector/1/1"])}


async def _settled(node: Node) -> None:
    async with asyncio.timeout(PATIENCE):
        while "charger.disconnected" not in node.types(_ID):  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.005)


async def record_rare() -> list[Event]:
    """What no sound session brings."""
    clock = Clock()
    async with running() as node:
        async with node.charger(_ID) as charger:
            await charger.send("Hello!")
            await charger.call("Heartbeat", {})
            status = {**INBOUND["1.6"]["StatusNotification"], "connectorId": 0}
            await charger.call("StatusNotification", clock.moved(status))
            await _correct(node, charger, clock)
            await _fall_silent(node, charger)
        await _settled(node)
        return [clock.normalised(event) for _, event in node.store.events]


async def _correct(node: Node, charger: Charger, clock: Clock) -> None:
    """A StopTransaction that comes after the next transaction was started on the same connector."""
    start = {**INBOUND["1.6"]["StartTransaction"], "timestamp": "2026-11-21T08:00:00.000Z"}
    first = await charger.call("StartTransaction", clock.moved(start))
    later = {**start, "timestamp": "2026-11-21T18:00:00.000Z", "meterStart": 1246012}
    second = await charger.call("StartTransaction", clock.moved(later))
    clock.same_number(first["transactionId"], WIRE_ID)
    clock.same_number(second["transactionId"], str(int(WIRE_ID) + 1))
    stop = {**INBOUND["1.6"]["StopTransaction"], "transactionId": first["transactionId"]}
    await charger.call("StopTransaction", clock.moved(stop))


async def _fall_silent(node: Node, charger: Charger) -> None:
    """Calls that are never answered, while messages of its own go on."""
    for _ in range(5):
        await node.execute("unlock", {"evse_id": 1, "connector_id": 1}, seconds=0.05)
        await charger.called()
        await charger.post("Heartbeat", {})
        await charger.receive()


async def record_upkeep(folder: Path) -> list[Event]:
    """What the cluster says by itself: a charger removed, events dropped."""
    server, clock = Valkey(folder), Clock()
    server.start()
    try:
        options = {"shards": 1, "log_hard_max_bytes": 20_000, "on_log_full": "drop_oldest"}
        async with support.running(server.url, **options) as node:
            reader = support.FakeReader()
            async with support.reading(node, reader):
                await support.eventually(lambda: reader.open_shards)
            epoch = await test_bounds.fill(node, 40)
            await node.cluster.log.commit(Commit(support.CP1, epoch, [], fields={"connector/1/1": b"{}"}))
            await node.cluster.ownership.release(support.CP1, epoch)
            await node.cluster.state.remove_charger(support.CP1)
            async with support.reading(node, reader):
                await support.eventually(lambda: any("removed" in entry.type for entry in reader.entries))
        bodies = [orjson.loads(entry.body) for entry in reader.entries if entry.type.startswith("ocpp.")]
        found = [clock.normalised(body) for body in bodies]
        for gap in found:
            if gap["type"] == "ocpp.log.gap":
                gap["data"]["dropped"] = 3  # as many as had to go just then
        return found
    finally:
        server.stop()


def examples(events: Mapping[str, list[Event]]) -> dict[str, Event]:
    """Event type → the first that was recorded."""
    found: dict[str, Event] = {}
    for source in (*VERSIONS, "rare", "upkeep"):
        for event in events.get(source, ()):
            found.setdefault(event["type"], event)
    return found


async def record_questions() -> dict[str, Any]:
    """Question → the first that was recorded."""
    found: dict[str, Any] = {}
    for version in VERSIONS:
        asked = await record_asks(PROFILES[_SUBPROTOCOLS[version]])
        for question, asks in asked.questions.items():
            found.setdefault(question, asks[0])
    return found


async def record_but_results(folder: Path) -> dict[str, Any]:
    """Path below openapi/examples → what belongs there: events, states and questions."""
    sessions = {version: await record_version(version) for version in VERSIONS}
    events = {version: session[0] for version, session in sessions.items()}
    events |= {"rare": await record_rare(), "upkeep": await record_upkeep(folder)}
    states = sessions[VERSIONS[0]][1]
    return {
        **{f"events/{kind}.json": event for kind, event in examples(events).items()},
        **{f"state/{name}.json": state for name, state in states.items()},
        **{f"asks/{question}.json": ask for question, ask in (await record_questions()).items()},
    }


async def record_all() -> dict[str, Any]:
    """Path below openapi/examples → what belongs there."""
    with tempfile.TemporaryDirectory() as folder:
        found = await record_but_results(Path(folder) / "valkey")
    for name, results in (await record_results()).items():
        found[f"results/{name}.json"] = next(results[version] for version in VERSIONS if version in results)
    return found


def written(example: Any) -> str:
    """An example as it is kept in the repository."""
    return json.dumps(example, indent=1, ensure_ascii=False) + "\n"


def write(found: Mapping[str, Any]) -> None:
    shutil.rmtree(EXAMPLES, ignore_errors=True)
    for path, example in found.items():
        (EXAMPLES / path).parent.mkdir(parents=True, exist_ok=True)
        (EXAMPLES / path).write_text(written(example), encoding="utf-8")


if __name__ == "__main__":
    write(asyncio.run(record_all()))

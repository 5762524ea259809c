"""Every neutral command carried out on every version that can, by a charger that is willing, over real sockets."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from gateway.core.arguments.examples import ARGUMENTS
from gateway.core.commands import CommandResult, validated_arguments
from gateway.ocpp.profile import Follow, Profile
from gateway.ocpp.profiles import PROFILES
from tests.chargers.harness import Charger, Node, running
from tests.ocpp.charger_answers import ANSWERS
from tests.ocpp.payloads import INBOUND
from tests.openapi.normalising import Clock

Results = dict[str, dict[str, dict[str, Any]]]
"""Command → version → result."""

_FINAL: dict[str, dict[str, Any]] = {
    "FirmwareStatusNotification": {"status": "Installed"},
    "SignedFirmwareStatusNotification": {"status": "Installed"},
    "DiagnosticsStatusNotification": {"status": "Uploaded"},
}
"""How work that a command began ends, where the usual payload tells of its middle."""
_MADE_UP = 100_000
"""Ids above are made up anew for each call."""


async def record_results(*names: str) -> Results:
    """The results of these commands, all if none is named."""
    found: Results = {}
    for name in names or tuple(sorted(ARGUMENTS)):
        for profile in PROFILES.values():
            if name in profile.outbound:
                found.setdefault(name, {})[profile.version] = await record_result(profile, name)
    return found


async def record_result(profile: Profile, name: str) -> dict[str, Any]:
    """One command to a fresh charger, on which a transaction runs."""
    clock = Clock()
    async with running() as node, node.charger(subprotocol=profile.subprotocol) as charger:
        await _begin(charger, profile, clock)
        arguments = validated_arguments(name, ARGUMENTS[name])
        execution = asyncio.create_task(node.execute(name, arguments), name=f"{name} under test")
        obeying = asyncio.create_task(_obey(charger, profile, profile.outbound[name].follow, clock), name="obeying")
        try:
            await asyncio.wait([execution, obeying], return_when=asyncio.FIRST_COMPLETED)
            if not execution.done():
                obeying.result()
            result = await execution
        finally:
            obeying.cancel()
        return _shown(node, result, clock)


async def _begin(charger: Charger, profile: Profile, clock: Clock) -> None:
    payloads = INBOUND[profile.version]
    action = "StartTransaction" if "StartTransaction" in payloads else "TransactionEvent"
    started = await charger.call(action, clock.moved(payloads[action]))
    if "transactionId" in started:
        clock.same_number(started["transactionId"], "59702400")


async def _obey(charger: Charger, profile: Profile, follow: Follow | None, clock: Clock) -> None:
    """Say yes to every call, and send what follows it."""
    while True:
        kind, message_id, *rest = await charger.receive()
        if kind != 2:
            continue
        action, payload = rest
        await charger.answer(message_id, clock.moved(ANSWERS[profile.version][action]))
        for number in _made_up_ids(payload):
            clock.same_number(number, "4711")
        if follow is None:
            continue
        for reported, usual in INBOUND[profile.version].items():
            if profile.inbound[reported].event == follow.event:
                said = {**usual, **_FINAL.get(reported, {})}
                if "requestId" in said:
                    said["requestId"] = payload.get("requestId", said["requestId"])
                await charger.post(reported, clock.moved(said))


def _made_up_ids(node: Any) -> Iterator[int]:
    """The numbers that name something, as deep as they may stand."""
    for name, value in node.items() if isinstance(node, dict) else ():
        if isinstance(value, int) and name.lower().endswith("id") and value > _MADE_UP:
            yield value
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _made_up_ids(inner)


def _shown(node: Node, result: CommandResult, clock: Clock) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(json.dumps(clock.normalised(result.as_dict())))
    return {**shown, "id": "7c1f"}

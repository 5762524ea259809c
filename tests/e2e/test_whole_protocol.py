"""Every neutral command is accepted by a virtual charger of every version that can do it, with the same results."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.core.arguments.examples import ARGUMENTS
from gateway.core.commands import COMMANDS
from gateway.ocpp.profiles import PROFILES
from gateway.simulator import Version
from tests.e2e.doors import DOORS, Door
from tests.e2e.protocol_steps import STEPS, Step
from tests.e2e.shapes import differences
from tests.e2e.virtual import VERSIONS, virtual_charger
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

ATTEMPTS = 100


@pytest.fixture
def gateway(tmp_path: Path, valkey: Valkey, embedded_broker: EmbeddedBroker) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path / "gateway", redis_url=valkey.url, mqtt_url=embedded_broker.url) as process:
        yield process


def able(name: str) -> list[str]:
    return [profile.version for profile in PROFILES.values() if name in profile.outbound]


async def carry_out(charger: Door, step: Step, arguments: dict[str, Any]) -> dict[str, Any]:
    if step.needs is not None:
        await charger.connector(step.needs)
    for _ in range(ATTEMPTS):
        answer = await charger.command(step.name, arguments)
        if step.until is None or step.until(answer):
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError(f"{step.name} stayed {answer}")


async def through_all(charger: Door, version: Version) -> list[dict[str, Any] | None]:
    """The answers to all steps, in order; None to those that the version is right to refuse."""
    before: dict[str, dict[str, Any]] = {}
    answers: list[dict[str, Any] | None] = []
    for step in STEPS:
        if version not in able(step.name):
            refused = await charger.command(step.name, ARGUMENTS[step.name])
            assert refused["outcome"] == "unsupported", refused
            assert ", ".join(able(step.name)) in refused["reason"]
            answers.append(None)
        elif step.only not in (None, version):
            answers.append(None)
        else:
            arguments = step.arguments(before) if callable(step.arguments) else step.arguments
            answer = await carry_out(charger, step, arguments)
            assert answer["outcome"] == "accepted", (version, step, answer)
            before[step.name] = answer["result"]
            answers.append(answer)
    return answers


def test_the_steps_leave_out_no_command() -> None:
    assert {step.name for step in STEPS} == COMMANDS.keys()


@pytest.mark.parametrize("door", DOORS)
async def test_every_command_is_carried_out_and_told_alike_by_every_version_that_can(
    door: str, gateway: GatewayProcess, embedded_broker: EmbeddedBroker
) -> None:
    async def run(version: Version) -> list[dict[str, Any] | None]:
        identity = f"WHOLE-{version}"
        async with (
            virtual_charger(gateway, version, identity),
            DOORS[door](gateway, embedded_broker.port, identity) as charger,
        ):
            return await through_all(charger, version)

    runs = await asyncio.gather(*(run(version) for version in VERSIONS))
    unlike: dict[str, list[str]] = {}
    for step, told in zip(STEPS, zip(*runs, strict=True), strict=True):
        answers = [answer for answer in told if answer is not None]
        for answer in answers[1:]:
            unlike.setdefault(step.name, []).extend(differences(answers[0], answer))
    assert {name: found for name, found in unlike.items() if found} == {}

"""The books are worth something: each of these gateways breaks one law, and is caught; one that breaks none is not."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.run.books import kinds
from tests.chaos.run.run import Outcome, Plan, run
from tests.chaos.run.summary import told
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import Mosquitto

ATTEMPTS = 8
"""Runs in which a broken gateway has to be caught; nearly always one is enough."""


def gateway(mutant: str) -> type[GatewayProcess]:
    """A node of this kind; see tests.chaos.mutants."""

    class Mutant(GatewayProcess):
        program = ("tests.chaos.mutants", mutant)

    return Mutant


async def _run(plan: Plan, mutant: str, folder: Path) -> Outcome:
    return await run(replace(plan, node=gateway(mutant)), folder / mutant, say=print)


@pytest.mark.parametrize(
    ("mutant", "faults", "where", "caught"),
    [
        ("answers_before_the_commit", ["node_kill"], "REST", "lost"),
        ("moves_the_cursor_before_the_puback", ["broker_link_cut"], "MQTT", "lost"),
        ("forgets_deduplication", ["chargers_cut"], "REST", "unstable"),
        ("reuses_ids", ["chargers_cut"], "charger", "wire id"),
    ],
)
@pytest.mark.timeout(400)
async def test_a_broken_law_is_noticed(
    mutant: str, faults: Sequence[str], where: str, caught: str, tmp_path: Path
) -> None:
    if where == "MQTT" and Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    plan = Plan(
        f"mutant {mutant}",
        seconds=9,
        chargers=6,
        faults=6,
        pause=0.3,
        missing_grace=3,
        kinds=faults,
        settle=False,
        silence=8,
        echoes=0.2,
        # Publishing again what a broker may have forgotten would hide what was never published.
        settings={"mqtt": {"resend_after_crash": 0}},
    )
    healthy, broken = await asyncio.gather(_run(plan, "none", tmp_path), _run(plan, mutant, tmp_path))
    assert healthy.good, told(healthy)
    # A fault harms a broken gateway only where it strikes at the wrong moment, and in few seconds none may.
    for again in range(1, ATTEMPTS):
        if _found(broken, where)[caught]:
            break
        anew = replace(plan, seed=f"{plan.seed}, again {again}", faults=12, pause=0.1)
        broken = await _run(anew, mutant, tmp_path / f"again-{again}")
    assert _found(broken, where)[caught], told(broken)


def _found(outcome: Outcome, where: str) -> Counter[str]:
    return kinds([one for one in outcome.discrepancies if one.where == where])

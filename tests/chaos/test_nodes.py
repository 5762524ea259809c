"""N nodes are one gateway: the proof in short, with nodes killed, drained, paused and cut off from Redis under load.

`make nodes MINUTES=10` is the long one; what takes minutes is marked `soak`.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.nodes.run import Outcome, Plan, Run
from tests.chaos.nodes.schedule import KINDS, Fault, draw_schedule, rolling
from tests.chaos.nodes.summary import told
from tests.chaos.run.run import new_seed
from tests.support.servers import Mosquitto

SHORT = Plan(
    "short",
    seconds=9,
    chargers=36,
    pause=0.5,
    patience=5.0,
    leaves=0.15,
    away=(4.5, 5.5),
    rate=10.0,
    term=4.0,
    spread=1.0,
    settle=False,
    quiet=1.0,
    settings={"redis": {"projection_interval": 0.2}},
    schedule=[
        Fault(0.2, "kill", 0, 5.5),
        Fault(0.5, "sleep", 1, 5.0),
        Fault(6.0, "drain", 2, 0.2),
        Fault(7.0, "mute", 1, 1.5),
    ],
)
LONG = Plan("", seconds=120, chargers=300, pause=3.0, rate=8.0)


async def _run(plan: Plan, folder: Path) -> Outcome:
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    print(f"seed {plan.seed}")
    outcome = await Run(plan, folder, print).go()
    summary = told(outcome)
    print(summary)
    assert outcome.good, summary
    return outcome


@pytest.mark.timeout(240)
async def test_three_nodes_that_come_and_go_are_one_gateway(tmp_path: Path) -> None:
    await _run(replace(SHORT, seed=new_seed()), tmp_path)


def test_a_seed_draws_the_same_schedule_again_and_leaves_a_node_alone_at_any_time() -> None:
    def draw(seed: str) -> list[Fault]:
        return draw_schedule(seed, seconds=600, count=30, nodes=3)

    schedule = draw("nodes")
    assert schedule == draw("nodes")
    assert schedule != draw("others")
    assert {fault.kind for fault in schedule} == set(KINDS)
    for fault in schedule:
        under_way = {one.node for one in schedule if one.at <= fault.at <= one.at + one.seconds}
        assert len(under_way) < 3


# ---------------------------------------------------------------- what takes minutes


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_a_node_that_slept_for_a_minute_says_nothing_of_what_moved(tmp_path: Path) -> None:
    naps = [Fault(5.0, "nap", 1, 2.0), Fault(15.0, "sleep", 0, 60.0), Fault(90.0, "nap", 2, 2.0)]
    outcome = await _run(replace(LONG, seed=new_seed(), schedule=naps), tmp_path)
    assert outcome.faults == {"nap": 2, "sleep": 1}


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_a_rolling_restart_loses_no_message_and_no_command(tmp_path: Path) -> None:
    schedule = rolling(nodes=3, first=10.0, pace=30.0)
    outcome = await _run(replace(LONG, seed=new_seed(), schedule=schedule), tmp_path)
    assert outcome.faults == {"restart": 3}


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_redis_that_lost_everything_under_load_gets_every_charger_anew(tmp_path: Path) -> None:
    plan = replace(LONG, seed=new_seed(), schedule=[], empties=(30.0, 60.0))
    await _run(plan, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_nobody_is_taken_for_dead_while_redis_is_away_for_a_minute(tmp_path: Path) -> None:
    plan = replace(LONG, seed=new_seed(), seconds=150, schedule=[], redis_away=(20.0, 60.0))
    await _run(plan, tmp_path)

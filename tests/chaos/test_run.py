"""The proof in short: a small fleet and a few faults, once from a seed that is always the same and once from a new one.

`make chaos MINUTES=10` is the long one.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.run.run import Outcome, Plan, new_seed, run
from tests.chaos.run.schedule import ALL, Fault, draw_schedule
from tests.chaos.run.summary import told


@pytest.mark.parametrize("seed", ["money", None], ids=["fixed seed", "drawn seed"])
@pytest.mark.timeout(240)
async def test_the_books_add_up(seed: str | None, tmp_path: Path) -> None:
    plan = Plan(
        seed or new_seed(), seconds=12, chargers=8, faults=5, pause=0.5, missing_grace=4, orders_pause=0.5, settle=False
    )
    print(f"seed {plan.seed}")
    outcome = await run(plan, tmp_path, say=print)
    summary = told(outcome)
    print(summary)
    assert outcome.good, summary
    assert outcome.transactions >= plan.chargers


def test_a_seed_draws_the_same_schedule_again_and_another_one_another() -> None:
    def draw(seed: str) -> list[Fault]:
        return draw_schedule(seed, seconds=600, count=45)

    assert draw("money") == draw("money")
    assert draw("money") != draw("other")
    assert len(draw("money")) == 45
    assert {fault.kind for fault in draw("money")} == set(ALL)


def test_a_run_that_did_less_than_it_was_asked_to_is_no_good_one() -> None:
    plan = Plan("idle", seconds=60, chargers=10, faults=2)
    outcome = Outcome(plan, transactions=plan.expected_transactions, faults=Counter({"node_kill": 2}))
    assert outcome.good
    for poor in (replace(outcome, transactions=plan.expected_transactions - 1), replace(outcome, faults=Counter())):
        assert not poor.good
        assert "TOO LITTLE" in told(poor)
    assert Plan("idle", chargers=0).expected_transactions == 1
    assert Plan("idle", transactions=500).expected_transactions == 500

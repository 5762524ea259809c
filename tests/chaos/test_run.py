"""The proof in short: a small fleet and a few faults, once from a seed that is always the same and once from a new one.

`make chaos MINUTES=10` is the long one.
"""

from pathlib import Path

import pytest

from tests.chaos.run.run import Plan, new_seed, run
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

"""The bench in one process still fits the gateway that it measures."""

import pytest

from tests.bench import in_process
from tests.bench.load import KINDS


@pytest.mark.parametrize("name", KINDS)
async def test_every_kind_of_message_is_stored_and_answered_in_the_bench_in_process(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size, smaller in (("CHARGERS", 2), ("WARM_UP", 1), ("ROUNDS", 2)):
        monkeypatch.setattr(in_process, size, smaller)
    # It is for a process that measures and ends; this one goes on to other tests.
    monkeypatch.setattr(in_process.memory, "settle", lambda: None)
    spent, packed = await in_process.cost(KINDS[name])
    assert spent > 0
    assert packed > 1000

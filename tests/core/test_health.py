"""The health board."""

import pytest

from gateway.core.health import Check, HealthBoard, Level


@pytest.mark.parametrize(
    ("levels", "worst"),
    [([], "ok"), (["ok", "ok"], "ok"), (["ok", "degraded"], "degraded"), (["degraded", "failed", "ok"], "failed")],
)
def test_the_worst_check_is_the_state_of_the_node(levels: list[Level], worst: Level) -> None:
    board = HealthBoard()
    for place, level in enumerate(levels):
        board.set(str(place), level)
    assert board.level() == worst


def test_only_news_is_news() -> None:
    board = HealthBoard()
    assert board.set("redis", "degraded", "connection refused")
    assert not board.set("redis", "degraded", "connection refused")
    assert board.set("redis", "degraded", "timed out")
    assert board.set("redis", "ok")


def test_a_cleared_check_counts_no_more() -> None:
    board = HealthBoard()
    board.set("mqtt", "failed")
    board.clear("mqtt")
    board.clear("never set")
    assert (board.level(), board.checks()) == ("ok", {})


def test_the_checks_handed_out_are_a_copy() -> None:
    board = HealthBoard()
    board.checks()["x"] = Check("failed")
    assert board.checks() == {}

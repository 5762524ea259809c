"""Filters of a listing of transactions."""

from typing import Any

import pytest

from gateway.core.transaction_query import TransactionQuery
from tests.core.driver import at

RECORD = {
    "status": "ended",
    "suspect": ["gap"],
    "token": {"id": "Abc", "type": None},
    "tokens": [{"id": "Abc", "type": None}, {"id": "second", "type": None}],
    "started_at": at(0),
    "command_id": "c-1",
}


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        ({}, True),
        ({"status": "ended"}, True),
        ({"status": "active"}, False),
        ({"suspect": True}, True),
        ({"suspect": False}, False),
        ({"token": "ABC"}, True),
        ({"token": "SECOND"}, True),
        ({"token": "third"}, False),
        ({"started_from": at(0), "started_until": at(1)}, True),
        ({"started_from": at(1)}, False),
        ({"started_until": at(0)}, False),
        ({"command_id": "c-1"}, True),
        ({"command_id": "C-1"}, False),
    ],
)
def test_what_a_filter_lets_through(filters: dict[str, Any], matches: bool) -> None:
    assert TransactionQuery(**filters).matches(RECORD) is matches


def test_a_record_of_old_is_filtered_as_well() -> None:
    old = {"status": "ended", "started_at": None, "recorded_started_at": at(5)}
    assert TransactionQuery(started_from=at(5), suspect=False).matches(old)
    assert not TransactionQuery(token="abc").matches(old)

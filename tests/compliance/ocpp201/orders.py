"""Cases of one shape: an operator orders something, the station is called as OCPP has it, and the result says how it
took that. A block's table holds its cases; the case's name of the certification stands in the test's id."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.compliance.business import Operator
from tests.compliance.laboratory import Laboratory
from tests.compliance.station import Payload, Reply, Station, holds

Follow = Callable[[Payload], list[tuple[str, Payload]]]
"""What the station sends of its own after its answer, for the payload that it was called with."""


@dataclass(frozen=True, slots=True)
class Order:
    """`name` and `arguments` are the operator's; a name with a capital letter is a raw call. The station must get
    `action` with all that `sent` names (None: must not be there), answers `reply`, and sends what `follow` says; the
    result has this outcome and all that `result` names."""

    case: str
    name: str
    arguments: dict[str, Any]
    action: str
    sent: Payload = field(default_factory=dict)
    reply: Reply = field(default_factory=lambda: {"status": "Accepted"})
    outcome: str = "accepted"
    result: dict[str, Any] = field(default_factory=dict)
    follow: Follow | None = None


def cases(*tables: Sequence[Order]) -> pytest.MarkDecorator:
    """Run a test for each order of these tables."""
    orders = [order for table in tables for order in table]
    return pytest.mark.parametrize("order", orders, ids=[order.case.replace(" ", "-") for order in orders])


async def carry_out(order: Order, lab: Laboratory, version: str) -> None:
    """The whole case with a station of its own."""
    async with lab.booted(version) as (station, operator):
        await order_of(order, station, operator)


async def order_of(order: Order, station: Station, operator: Operator) -> dict[str, Any]:
    """The order on a station that is there already; returns the result."""
    station.replies[order.action] = order.reply
    running = asyncio.create_task(operator.order(order.name, order.arguments), name=order.case)
    try:
        payload = await station.expect(order.action)
        assert holds(payload, order.sent), payload
        for action, told in order.follow(payload) if order.follow else []:
            await station.call(action, told)
        result = await running
    finally:
        running.cancel()
    assert result["outcome"] == order.outcome, result
    assert holds(result["result"], order.result) if order.result else True, result
    return result

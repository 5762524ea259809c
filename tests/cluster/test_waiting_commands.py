"""Law 7 with several nodes on a real Valkey: commands that wait for their charger end in exactly one outcome."""

import asyncio
from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.errors import CommandRefused, NotFound
from gateway.core.superseding import REASON
from tests.cluster.commanding import RoutingNode, order, routing
from tests.cluster.support import CP1, eventually
from tests.support.servers import Valkey


async def end_of(node: RoutingNode, number: int | str) -> dict[str, Any]:
    found = await node.router.ended(f"c-{number}", 60)
    assert found is not None, f"c-{number} did not end"
    return found


async def state_of(node: RoutingNode, number: int | str) -> tuple[Any, Any]:
    found = await node.cluster.commands.get(f"c-{number}")
    assert found is not None
    return found.get("state"), found["outcome"]


async def test_what_waits_is_delivered_once_and_in_order_wherever_the_charger_connects(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        for number in range(5):
            node = (a, b)[number % 2]
            assert await node.router.submit(order(number, queue_for=60)) is None
            assert await state_of(b, number) == ("queued", None)
        charger = await b.hold()
        later = await a.router.submit(order("later"))
        assert later is not None
        assert later.outcome is Outcome.ACCEPTED
        assert charger.sent == [*(f"c-{number}" for number in range(5)), "c-later"]
        for number in range(5):
            ended = await end_of(a, number)
            assert (ended["outcome"], ended["result"]) == ("accepted", {"by": "b"})


async def test_a_command_that_waits_survives_the_death_of_every_node(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as nodes:
        assert await nodes[0].router.submit(order(1, queue_for=60)) is None
        for node in nodes:
            await node.die()
    async with routing(valkey, "c", seen=False) as (c,):
        assert await state_of(c, 1) == ("queued", None)
        await c.hold()
        assert (await end_of(c, 1))["outcome"] == "accepted"


async def test_a_command_expires_though_its_node_is_gone_and_is_told_where_it_was_asked_for(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        assert await a.router.submit(order(1, queue_for=3)) is None
        assert await a.router.submit(order(2, queue_for=3, origin="mqtt")) is None
        await a.die()
        assert (await end_of(b, 1))["outcome"] == "expired"
        (told,) = await eventually(lambda: b.told)
        assert (told[0].id, told[0].outcome, told[1]) == ("c-2", Outcome.EXPIRED, {"topic": "to/2"})
        charger = await b.hold()
        assert (await b.router.submit(order("after"))).outcome is Outcome.ACCEPTED  # type: ignore[union-attr]
        assert charger.sent == ["c-after"]


async def test_a_command_given_over_mqtt_is_told_by_the_node_that_delivered_it(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        assert await a.router.submit(order(1, queue_for=60, origin="mqtt")) is None
        await b.hold()
        (told,) = await eventually(lambda: b.told)
        assert (told[0].outcome, told[1], a.told) == (Outcome.ACCEPTED, {"topic": "to/1"}, [])


async def test_a_cancelled_command_is_not_sent_and_only_one_that_waits_can_be_cancelled(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        for number in (1, 2):
            assert await a.router.submit(order(number, queue_for=60)) is None
        assert (await b.router.cancel("c-1"))["outcome"] == "cancelled"
        assert (await a.router.cancel("c-1"))["outcome"] == "cancelled"
        assert (await end_of(a, 1))["outcome"] == "cancelled"
        charger = await b.hold(answers=False)
        await eventually(lambda: charger.sent == ["c-2"])
        with pytest.raises(CommandRefused, match="is with its charger"):
            await a.router.cancel("c-2")
        charger.may_answer.set()
        assert (await end_of(a, 2))["outcome"] == "accepted"
        with pytest.raises(CommandRefused, match="has ended as accepted"):
            await b.router.cancel("c-2")
        with pytest.raises(NotFound):
            await b.router.cancel("c-3")


async def test_a_newer_command_of_the_same_kind_takes_the_place_of_one_that_waits(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):

        async def wait(number: int, name: str, **arguments: Any) -> None:
            command = order(number, name, queue_for=60, **arguments)
            assert await (a, b)[number % 2].router.submit(command) is None

        await wait(1, "set_charging_limit", current_a=10, evse_id=1)
        await wait(2, "unlock")
        await wait(3, "set_charging_limit", current_a=12, evse_id=2)
        await wait(4, "unlock")
        await wait(5, "set_charging_limit", current_a=16, evse_id=1)
        superseded = await end_of(b, 1)
        assert (superseded["outcome"], superseded["reason"], superseded["safe_to_retry"]) == (
            "superseded",
            REASON,
            True,
        )
        charger = await b.hold()
        for number in (2, 3, 4, 5):
            assert (await end_of((a, b)[number % 2], number))["outcome"] == "accepted"
        assert charger.sent == ["c-5", "c-2", "c-3", "c-4"]


async def test_two_nodes_that_hold_a_charger_in_turn_never_deliver_the_same(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        for number in range(30):
            assert await a.router.submit(order(number, queue_for=60)) is None
        held = []
        for turn in range(6):
            # It answers late, so that something is left for the next.
            held.append(await (a, b)[turn % 2].hold(answers=False))
            await eventually(lambda: held[-1].sent)
            held[-1].may_answer.set()
        for number in range(30):
            assert (await end_of(a, number))["outcome"] == "accepted"
        sent = [command for charger in held for command in charger.sent]
        assert sent == [f"c-{number}" for number in range(30)]


async def test_a_node_that_lost_the_charger_takes_nothing_of_what_waits(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        stale = (await a.cluster.ownership.claim(CP1)).epoch
        epoch = (await b.cluster.ownership.claim(CP1)).epoch
        await b.cluster.ownership.release(CP1, epoch)
        assert await a.router.submit(order(1, queue_for=60)) is None
        assert await a.cluster.queue.take(CP1, stale) is None
        assert await b.cluster.queue.take(CP1, epoch) is None, "given up"
        assert (await b.hold()).epoch > epoch
        assert (await end_of(a, 1))["outcome"] == "accepted"


async def test_a_node_that_dies_with_a_command_in_hand_leaves_a_timeout_and_it_is_never_sent_again(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cluster.queue.LOST_AFTER", 0.5)
    async with routing(valkey, "a", "b") as (a, b):
        assert await b.router.submit(order(1, queue_for=3, seconds=0.5, origin="mqtt")) is None
        first = await a.hold(answers=False)
        await eventually(lambda: first.sent == ["c-1"])
        await a.die()
        second = await b.hold()
        (told,) = await eventually(lambda: b.told)
        assert (told[0].outcome, told[0].safe_to_retry) == (Outcome.TIMEOUT, False)
        assert (await end_of(b, 1))["outcome"] == "timeout"
        assert second.sent == []


async def test_a_connection_lost_before_it_was_sent_lets_it_wait_on(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        for number in (1, 2):
            assert await a.router.submit(order(number, queue_for=60)) is None
        first = await a.hold(boots=False)
        await first.calling.acquire()
        first.ready_now.set()
        # The first was taken, and waits for the line.
        await eventually(lambda: first.calling._waiters)  # type: ignore[attr-defined]
        await first.leave()
        second = await b.hold()
        for number in (1, 2):
            assert (await end_of(a, number))["outcome"] == "accepted"
        assert (first.sent, second.sent) == ([], ["c-1", "c-2"])


async def test_no_more_than_so_many_wait_for_one_charger(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cluster.queue.MOST_WAITING", 2)
    async with routing(valkey, "a") as (a,):
        for number in (1, 2):
            assert await a.router.submit(order(number, queue_for=60)) is None
        refused = await a.router.submit(order(3, queue_for=60))
        assert refused is not None
        assert refused.outcome is Outcome.CANCELLED
        assert "too many" in str(refused.reason)


async def test_without_queue_for_an_absent_charger_is_offline_at_once(valkey: Valkey) -> None:
    async with routing(valkey, "a") as (a,):
        result = await a.router.submit(order(1))
        assert result is not None
        assert (result.outcome, result.safe_to_retry) == (Outcome.OFFLINE, True)


async def test_a_charger_that_is_not_booted_yet_gets_what_waits_once_it_is(valkey: Valkey) -> None:
    async with routing(valkey, "a") as (a,):
        assert await a.router.submit(order(1, queue_for=60)) is None
        charger = await a.hold(accepted=False)
        direct = await a.router.submit(order("direct"))
        assert direct is not None
        assert (direct.outcome, charger.sent) == (Outcome.ACCEPTED, ["c-direct"]), "it holds up nobody"
        charger.accepted = True
        a.router.deliver(CP1)
        assert (await end_of(a, 1))["outcome"] == "accepted"
        assert charger.sent == ["c-direct", "c-1"]


async def test_the_same_key_on_two_nodes_at_once_waits_once(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        both = await asyncio.gather(
            *(node.router.submit(order(1, queue_for=60)) for node in (a, b)), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in both) == ["CommandRunning", "NoneType"]
        charger = await b.hold()
        assert (await end_of(a, 1))["outcome"] == "accepted"
        assert charger.sent == ["c-1"]

"""Law 7 with several nodes on a real Valkey: a command follows its charger, or its outcome says what may have happened
to it, whatever dies or moves."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import CommandRunning, IdempotencyConflict
from gateway.core.identity import ChargerId
from tests.cluster.commanding import RoutingNode, order, routing
from tests.cluster.support import CP1, eventually, eventually_async
from tests.support.servers import Valkey


def submitted(node: RoutingNode, command: Command) -> "asyncio.Task[CommandResult | None]":
    return asyncio.create_task(node.router.submit(command))


def holding_letters(node: RoutingNode, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have a node leave its mailbox unread until the returned function is called."""
    may_read = asyncio.Event()
    mailboxes: Any = node.cluster.mailboxes
    opened = mailboxes._open

    async def later(messages: list[Any], tasks: asyncio.TaskGroup) -> str:
        await may_read.wait()
        position: str = await opened(messages, tasks)
        return position

    monkeypatch.setattr(mailboxes, "_open", later)
    return may_read.set


async def letters_of(node: RoutingNode, name: str) -> int:
    return int(await node.cluster._lane.call("XLEN", f"ocpp:mailbox:{name}"))


async def test_a_charger_that_moves_while_the_letter_is_under_way_gets_the_command(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with routing(valkey, "a", "b", "c") as (a, b, c):
        old = await b.hold()
        read = holding_letters(b, monkeypatch)
        command = submitted(a, order(1))
        await eventually_async(lambda: letters_of(a, "b"))
        new = await c.hold()
        read()
        result = await command
        assert result is not None
        assert (result.outcome, result.result) == (Outcome.ACCEPTED, {"by": "c"})
        assert (old.sent, new.sent) == ([], ["c-1"])


async def test_a_command_that_waits_for_the_line_follows_a_charger_that_moves(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b", "c") as (a, b, c):
        old = await b.hold(answers=False)
        first = submitted(a, order(1))
        await eventually(lambda: old.sent == ["c-1"])
        waiting = [submitted(node, order(number)) for number, node in ((2, a), (3, b))]
        await eventually(lambda: len(old.calling._waiters or ()) == 2)  # type: ignore[attr-defined]
        new = await c.hold()
        for one in waiting:
            result = await one
            assert result is not None
            assert (result.outcome, result.result) == (Outcome.ACCEPTED, {"by": "c"})
        assert sorted(new.sent) == ["c-2", "c-3"]
        assert not first.done(), "it was sent, and is not sent again"
        old.may_answer.set()
        assert (await first).outcome is Outcome.ACCEPTED  # type: ignore[union-attr]


async def test_an_owner_that_dies_before_it_took_the_command_lets_it_follow_the_charger(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with routing(valkey, "a", "b", "c") as (a, b, c):
        await b.hold()
        await eventually_async(lambda: a.cluster.state.nodes(), lambda nodes: len(nodes) == 3)
        holding_letters(b, monkeypatch)
        command = order(1, seconds=60)
        first = submitted(a, command)
        await eventually_async(lambda: letters_of(a, "b"))
        await b.die()
        assert await first is None, "it waits for the charger"
        charger = await c.hold()
        ended = await a.router.ended("c-1", 60)
        assert ended is not None
        assert (ended["outcome"], ended["result"], charger.sent) == ("accepted", {"by": "c"}, ["c-1"])


async def test_a_command_whose_charger_does_not_come_back_from_a_dead_node_is_offline(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        await b.hold()
        await eventually_async(lambda: a.cluster.state.nodes(), lambda nodes: len(nodes) == 2)
        holding_letters(b, monkeypatch)
        first = submitted(a, order(1, seconds=3))

        async def is_under_way() -> bool:
            # On a busy machine its time may be up by now.
            return first.done() or await letters_of(a, "b") > 0

        await eventually_async(is_under_way)
        await b.die()
        result = await first
        ended = result.as_dict() if result is not None else await a.router.ended("c-1", 60)
        assert ended is not None
        assert (ended["outcome"], ended["safe_to_retry"]) == ("offline", True)


async def test_an_owner_that_dies_with_the_command_leaves_a_timeout(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b", "c") as (a, b, c):
        old = await b.hold(answers=False)
        command = submitted(a, order(1, seconds=3))
        await eventually(lambda: old.sent == ["c-1"])
        await b.die()
        new = await c.hold()
        result = await command
        assert result is not None
        assert (result.outcome, result.safe_to_retry, new.sent) == (Outcome.TIMEOUT, False, [])


async def test_a_node_that_drains_hands_over_what_was_not_sent(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b", "c") as (a, b, c):
        old = await b.hold(answers=False)
        sent = submitted(a, order(1))
        await eventually(lambda: old.sent == ["c-1"])
        given = [submitted(a, order(2)), submitted(b, order(3)), submitted(b, order(4, origin="mqtt"))]
        await eventually(lambda: len(old.calling._waiters or ()) == 3)  # type: ignore[attr-defined]
        b.router.drain()
        old.close(1012, "the gateway restarts")
        assert await asyncio.gather(*given) == [None, None, None]
        late = submitted(a, order(5))
        assert await late is None, "the charger is on its way, and its old node still holds it"
        await b.cluster.ownership.release(CP1, old.epoch)
        new = await c.hold()
        for number, node in ((2, a), (3, b), (5, a)):
            ended = await node.router.ended(f"c-{number}", 60)
            assert ended is not None
            assert (ended["outcome"], ended["result"]) == ("accepted", {"by": "c"})
        (told,) = await eventually(lambda: c.told)
        assert (told[0].id, told[0].outcome, told[1]) == ("c-4", Outcome.ACCEPTED, {"topic": "to/4"})
        assert sorted(new.sent) == ["c-2", "c-3", "c-4", "c-5"]
        assert new.sent[-1] == "c-5"
        old.may_answer.set()
        assert (await sent).outcome is Outcome.ACCEPTED  # type: ignore[union-attr]


async def test_what_was_handed_over_and_not_fetched_is_offline_at_its_own_deadline(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        charger = await b.hold(answers=False)
        submitted(b, order(1))
        await eventually(lambda: charger.sent == ["c-1"])
        waiting = submitted(a, order(2, seconds=3))
        await eventually(lambda: charger.calling._waiters)  # type: ignore[attr-defined]
        b.router.drain()
        await charger.leave(1012)
        assert await waiting is None
        ended = await a.router.ended("c-2", 60)
        assert ended is not None
        assert (ended["outcome"], ended["safe_to_retry"]) == ("offline", True)
        charger.may_answer.set()


async def test_what_a_draining_node_sees_to_after_its_charger_left_waits_for_it_to_come_elsewhere(
    valkey: Valkey,
) -> None:
    async with routing(valkey, "a", "b") as (a, b):
        charger = await b.hold()
        b.router.drain()
        await charger.leave(1012)
        assert await submitted(b, order(1)) is None, "nobody holds it: it is on its way"
        new = await a.hold()
        ended = await b.router.ended("c-1", 60)
        assert ended is not None
        assert (ended["outcome"], new.sent) == ("accepted", ["c-1"])
        await new.leave()
        result = await submitted(a, order(2))
        assert result is not None
        assert result.outcome is Outcome.OFFLINE, "to any other node it is not connected"


async def test_a_command_that_is_put_while_its_charger_connects_is_delivered(valkey: Valkey) -> None:
    """Whichever of the two comes first: the one sees the other."""
    async with routing(valkey, "a", "b", "c") as (a, b, c):
        for turn in range(40):
            node = (b, c)[turn % 2]
            result, charger = await asyncio.gather(a.router.submit(order(turn, queue_for=60)), node.hold())
            ended = result.as_dict() if result is not None else await a.router.ended(f"c-{turn}", 60)
            assert ended is not None
            assert (ended["outcome"], charger.sent) == ("accepted", [f"c-{turn}"])
            await charger.leave()


async def test_the_same_key_on_two_nodes_is_one_execution(valkey: Valkey) -> None:
    async with routing(valkey, "a", "b", "c") as nodes:
        charger = await nodes[2].hold(answers=False)
        all_three = [submitted(node, order(1)) for node in nodes]
        await eventually(lambda: sum(one.done() for one in all_three) == 2)
        (running,) = [one for one in all_three if not one.done()]
        assert {type(one.exception()) for one in all_three if one is not running} == {CommandRunning}
        with pytest.raises(IdempotencyConflict):
            await nodes[0].router.submit(order(1, "reset"))
        charger.may_answer.set()
        first = await running
        assert first is not None
        for node in nodes:
            assert await node.router.submit(order(1)) == first
            with pytest.raises(IdempotencyConflict):
                await node.router.submit(order(1, "reset"))
        assert charger.sent == ["c-1"]


async def test_what_the_former_owner_hands_over_goes_before_what_the_new_one_heard(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.core.waiting.HANDOVER_SECONDS", 60.0)
    async with routing(valkey, "a", "b", "c") as (a, b, c):
        asked, may_go_on = asyncio.Event(), asyncio.Event()

        async def hand_over(charger: ChargerId) -> None:
            asked.set()
            await may_go_on.wait()

        b.router.hands_over(hand_over)
        await b.hold()
        charger = await c.hold()
        heard_since = [submitted(node, order(number)) for number, node in ((8, c), (9, a))]
        await asyncio.wait_for(asked.wait(), 60)
        for number in (1, 2, 3):
            heard_before = order(number)
            heard_before.heard_by_all = True
            assert await b.router.submit(heard_before) is None
        assert charger.sent == []
        may_go_on.set()
        for one in heard_since:
            assert (await one).outcome is Outcome.ACCEPTED  # type: ignore[union-attr]
        assert charger.sent[:3] == ["c-1", "c-2", "c-3"]
        assert sorted(charger.sent[3:]) == ["c-8", "c-9"]


async def test_a_former_owner_that_says_nothing_holds_a_charger_up_for_a_moment_only(valkey: Valkey) -> None:
    async with routing(valkey, "b", "c") as (b, c):
        await b.hold()
        await b.die()
        charger = await c.hold()
        result = await c.router.submit(order(1))
        assert result is not None
        assert (result.outcome, charger.sent) == (Outcome.ACCEPTED, ["c-1"])


@pytest.mark.parametrize("read", [True, False])
async def test_a_new_owner_does_not_wait_for_a_former_one_that_ends_before_it_has_handed_over(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch, read: bool
) -> None:
    """Whether that one had read that its charger was taken, or not."""
    monkeypatch.setattr("gateway.core.waiting.HANDOVER_SECONDS", 3600.0)
    async with routing(valkey, "a", "b", "c") as (a, b, c):
        await eventually_async(lambda: a.cluster.state.nodes(), lambda nodes: len(nodes) == 3)
        asked = asyncio.Event()

        async def hand_over(charger: ChargerId) -> None:
            asked.set()
            await asyncio.Event().wait()

        b.router.hands_over(hand_over)
        if not read:
            holding_letters(b, monkeypatch)
        await b.hold()
        await c.hold()
        command = submitted(a, order(1))
        if read:
            await asyncio.wait_for(asked.wait(), 60)
        else:
            await eventually_async(lambda: letters_of(a, "b"))
        await b.stop()
        assert (await command).outcome is Outcome.ACCEPTED  # type: ignore[union-attr]

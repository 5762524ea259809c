"""Commands find their charger, and end in exactly one outcome."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import LogUnavailable
from gateway.core.identity import ChargerId
from gateway.core.ports import CommandQueue, CommandStore, Mailboxes, NodeInfo, Observer, Placed, Snapshot, StateStore
from gateway.core.router import Router, rendezvous

CHARGER = ChargerId("CP1")


class FakeClock:
    def now(self) -> float:
        return 1_790_000_000.0

    def monotonic(self) -> float:
        return 5.0


@dataclass
class FakeState:
    owned_by: str | None = None
    alive: tuple[str, ...] = ("a", "b", "c")
    away: bool = False
    seen: Snapshot | None = None

    async def charger(self, charger: ChargerId) -> Snapshot | None:
        return self.seen

    async def owner(self, charger: ChargerId) -> str | None:
        if self.away:
            raise LogUnavailable("away")
        return self.owned_by

    async def nodes(self) -> list[NodeInfo]:
        return [NodeInfo(node, 0, 0, "1") for node in self.alive]


@dataclass
class FakeCommands:
    finished: dict[str, CommandResult] = field(default_factory=dict)

    async def begin(self, command: Command) -> CommandResult | None:
        return self.finished.get(command.id)

    async def finish(self, result: CommandResult, *, deadline: float) -> CommandResult:
        assert result.id not in self.finished, "a command ends once"
        self.finished[result.id] = result
        return result


@dataclass
class FakeMailboxes:
    called: list[str] = field(default_factory=list)

    async def call(self, node: str, command: Command, *, deadline: float) -> CommandResult:
        self.called.append(node)
        return CommandResult(command.id, command.charger, command.name, Outcome.ACCEPTED)


@dataclass
class FakeQueue:
    """Nothing waits in it yet."""

    put_there: list[str] = field(default_factory=list)

    async def put(self, command: Command, *, until: float, ending: Outcome, elsewhere: str | None = None) -> Placed:
        self.put_there.append(command.id)
        return Placed(True)

    async def waits(self, charger: ChargerId) -> bool:
        return False


@dataclass
class FakeObserver:
    outcomes: list[str] = field(default_factory=list)

    def command(self, name: str, outcome: str, seconds: float) -> None:
        self.outcomes.append(outcome)


@dataclass
class FakeCharger:
    epoch: int = 1
    charger: ChargerId = CHARGER
    executed: list[str] = field(default_factory=list)
    stuck: asyncio.Event | None = None

    async def execute(self, command: Command) -> CommandResult:
        self.executed.append(command.id)
        if self.stuck is not None:
            self.stuck.set()
            await asyncio.Event().wait()
        return CommandResult(command.id, command.charger, command.name, Outcome.REJECTED, "Rejected")

    def close(self, code: int, reason: str) -> None: ...


@dataclass
class House:
    node: str = "a"
    state: FakeState = field(default_factory=FakeState)
    commands: FakeCommands = field(default_factory=FakeCommands)
    queue: FakeQueue = field(default_factory=FakeQueue)
    mailboxes: FakeMailboxes = field(default_factory=FakeMailboxes)
    observer: FakeObserver = field(default_factory=FakeObserver)

    def __post_init__(self) -> None:
        self.router = Router(
            node=self.node,
            clock=FakeClock(),
            state=cast(StateStore, self.state),
            commands=cast(CommandStore, self.commands),
            queue=cast(CommandQueue, self.queue),
            mailboxes=cast(Mailboxes, self.mailboxes),
            observer=cast(Observer, self.observer),
        )


def command(command_id: str = "1") -> Command:
    return Command(command_id, CHARGER, "reset", {}, 1_790_000_030.0)


async def test_a_charger_of_this_node_carries_it_out_itself() -> None:
    house, charger = House(state=FakeState(owned_by="a")), FakeCharger()
    house.router.attach(charger)
    result = await house.router.submit(command())
    assert (result.outcome, charger.executed, house.mailboxes.called) == (Outcome.REJECTED, ["1"], [])
    assert (house.commands.finished, house.observer.outcomes) == ({"1": result}, ["rejected"])


async def test_a_repeated_command_gets_the_first_result_and_is_not_sent_again() -> None:
    house, charger = House(state=FakeState(owned_by="a")), FakeCharger()
    house.router.attach(charger)
    begun: list[bool] = []
    first = await house.router.submit(command(), begun=lambda: begun.append(True))
    assert await house.router.submit(command(), begun=lambda: begun.append(True)) is first
    assert (charger.executed, begun) == (["1"], [True])


async def test_a_charger_of_another_node_gets_it_by_mailbox() -> None:
    house = House(state=FakeState(owned_by="b"))
    assert (await house.router.submit(command())).outcome is Outcome.ACCEPTED
    assert house.mailboxes.called == ["b"]


@pytest.mark.parametrize("owner", [None, "a"])
async def test_a_charger_that_nobody_holds_is_offline(owner: str | None) -> None:
    """`a` is this node: what the store says of it is out of date."""
    house = House(state=FakeState(owned_by=owner))
    assert (await house.router.submit(command())).outcome is Outcome.OFFLINE
    assert house.mailboxes.called == []


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (None, "was never seen"),
        (Snapshot(ChargerId("CP1"), {}, removed=True), "was never seen"),
        (Snapshot(ChargerId("CP1"), {}), "is not connected"),
    ],
)
async def test_a_charger_that_was_never_seen_is_told_from_one_that_is_away(seen: Snapshot | None, told: str) -> None:
    result = await House(state=FakeState(seen=seen)).router.submit(command())
    assert (result.outcome, result.safe_to_retry) == (Outcome.OFFLINE, True)
    assert told in str(result.reason)


async def test_with_redis_away_an_unknown_owner_means_offline() -> None:
    house = House(state=FakeState(away=True))
    result = await house.router.submit(command())
    assert result.outcome is Outcome.OFFLINE
    assert "Redis" in str(result.reason)


async def test_a_command_cut_off_by_the_gateways_stop_is_a_timeout() -> None:
    house, charger = House(state=FakeState(owned_by="a")), FakeCharger(stuck=asyncio.Event())
    house.router.attach(charger)
    task = asyncio.create_task(house.router.submit(command()), name="submit")
    assert charger.stuck is not None
    await charger.stuck.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert house.commands.finished["1"].outcome is Outcome.TIMEOUT


@pytest.mark.parametrize(("owner", "acts"), [("a", True), ("b", False)])
async def test_of_all_nodes_that_hear_a_command_the_owner_acts(owner: str, acts: bool) -> None:
    house = House(state=FakeState(owned_by=owner))
    if acts:
        house.router.attach(FakeCharger())
    assert (await house.router.submit_owned(command()) is not None) == acts


@pytest.mark.parametrize("owner", [None, "b"])
async def test_a_node_that_lost_its_charger_carries_nothing_out_though_the_socket_is_open(owner: str | None) -> None:
    """A node that was paused hears commands before it hears that the charger is elsewhere."""
    house, stale = House(state=FakeState(owned_by=owner, alive=("b",))), FakeCharger()
    house.router.attach(stale)
    assert await house.router.submit_owned(command("by MQTT")) is None
    await house.router.submit(command("by REST"))
    assert (await house.router.execute_here(command("by mailbox"))).outcome is Outcome.OFFLINE
    assert (stale.executed, house.mailboxes.called) == ([], ["b"] if owner else [])


async def test_a_bug_on_the_way_ends_the_command() -> None:
    class Broken(FakeCharger):
        async def execute(self, command: Command) -> CommandResult:
            raise ZeroDivisionError

    house = House(state=FakeState(owned_by="a"))
    house.router.attach(Broken())
    with pytest.raises(ZeroDivisionError):
        await house.router.submit(command())
    assert house.commands.finished["1"].outcome is Outcome.TIMEOUT


async def test_exactly_one_node_answers_for_a_charger_that_nobody_owns() -> None:
    results: list[Any] = [await House(node=node).router.submit_owned(command()) for node in ("a", "b", "c")]
    answered = [result for result in results if result is not None]
    assert [result.outcome for result in answered] == [Outcome.OFFLINE]


def test_rendezvous_moves_only_the_chargers_of_the_node_that_left() -> None:
    chargers = [ChargerId(f"CP{number}") for number in range(200)]
    before = {charger: rendezvous(charger, ["a", "b", "c"]) for charger in chargers}
    assert set(before.values()) == {"a", "b", "c"}
    for charger, node in before.items():
        if node != "c":
            assert rendezvous(charger, ["b", "a"]) == node


async def test_the_newer_connection_wins_in_whatever_order_they_attach() -> None:
    older, newer = FakeCharger(epoch=1), FakeCharger(epoch=2)
    for first, second in ((older, newer), (newer, older)):
        router = House().router
        assert router.attach(first) is None
        assert router.attach(second) is older
        router.detach(older)
        assert router.local(CHARGER) is newer
        router.detach(newer)
        assert router.locals() == []


async def test_a_command_from_the_mailbox_for_a_charger_that_left_is_offline() -> None:
    assert (await House().router.execute_here(command())).outcome is Outcome.OFFLINE

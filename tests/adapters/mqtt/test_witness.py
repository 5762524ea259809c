"""A command that another node answers for has one outcome, whatever becomes of that node."""

import asyncio
from typing import Any

import pytest

from adapters.mqtt import witness as module
from adapters.mqtt.commands import Received, Request, read_request
from adapters.mqtt.topics import CommandTopic
from adapters.mqtt.witness import Witness
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.identity import ChargerId
from tests.adapters.rest.fakes import FakeCharger, FakeGateway

CHARGER = ChargerId("CP-1")
LIVES, DEAD = "node-1", "node-9"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(module, "GRACE", 0.05)


class House:
    """A gateway whose node is not the one that saw to the command, and holds the charger."""

    def __init__(self) -> None:
        self.gateway = FakeGateway()
        self.charger: FakeCharger = self.gateway.connect("CP-1")
        self.router = self.gateway.context.router
        self.witness = Witness(self.router, self.gateway.context.clock)

    def request(self, command_id: str = "c-1", *, aliases: tuple[str, ...] = (), **terms: Any) -> Request:
        topic = CommandTopic(CHARGER, "command", "reset")
        received = Received(b'{"timeout": %g}' % terms.get("timeout", 60), False, self.gateway.context.clock.now())
        return read_request(topic, received, usual_timeout=30, unnamed=lambda: (command_id, *aliases))

    async def heard(self, request: Request, node: str) -> None:
        await self.gateway.commands.hear(request.id, node, kept_seconds=60)

    async def begun(self, request: Request, node: str) -> None:
        await self.heard(request, node)
        await self.gateway.commands.begin(request.command())

    async def told(self, request: Request, *, unsent: bool = False, superseded: bool = False) -> CommandResult | None:
        def make() -> Command:
            return request.command()

        async with asyncio.timeout(40):
            return await self.witness.watch(request, make, unsent=unsent, superseded=lambda: superseded)


async def test_what_no_node_has_heard_in_time_is_carried_out() -> None:
    house = House()
    told = await house.told(house.request())
    assert told is not None
    assert (told.outcome, len(house.charger.executed)) == (Outcome.ACCEPTED, 1)


async def test_what_a_node_heard_that_is_dead_is_carried_out() -> None:
    house = House()
    request = house.request()
    await house.heard(request, DEAD)
    told = await house.told(request)
    assert told is not None
    assert (told.outcome, len(house.charger.executed)) == (Outcome.ACCEPTED, 1)


async def test_what_a_newer_one_takes_the_place_of_is_not_carried_out_in_a_dead_node_s_place() -> None:
    house = House()
    request = house.request()
    await house.heard(request, DEAD)
    told = await house.told(request, superseded=True)
    assert told is not None
    assert (told.outcome, house.charger.executed) == (Outcome.SUPERSEDED, [])
    assert await house.told(request) is None


async def test_of_two_witnesses_one_sees_to_it() -> None:
    house = House()
    request = house.request()
    told = await asyncio.gather(house.told(request), house.told(request))
    assert len(house.charger.executed) == 1
    assert [result.outcome for result in told if result is not None][:1] == [Outcome.ACCEPTED]


async def test_what_is_too_late_ends_as_offline_and_is_not_sent() -> None:
    house = House()
    request = house.request(timeout=0.01)
    await house.heard(request, DEAD)
    house.gateway.redis.away = True
    telling = asyncio.create_task(house.told(request))
    await asyncio.sleep(0.1)  # until it is late
    house.gateway.redis.away = False
    told = await telling
    assert told is not None
    assert told.outcome in (Outcome.OFFLINE, Outcome.EXPIRED)
    assert house.charger.executed == []


async def test_what_a_dead_node_had_begun_ends_as_timeout_and_is_not_sent_again() -> None:
    house = House()
    request = house.request(timeout=0.05)
    await house.begun(request, DEAD)
    told = await house.told(request)
    assert told is not None
    assert (told.outcome, house.charger.executed) == (Outcome.TIMEOUT, [])


@pytest.mark.parametrize("alias", ["", "known-as"])
async def test_what_a_living_node_has_begun_is_its_to_tell(alias: str) -> None:
    house = House()
    request = house.request(timeout=0.02, aliases=("known-as",))
    known = request if not alias else house.request(alias)
    await house.begun(known, LIVES)
    telling = asyncio.create_task(house.told(request))
    await asyncio.sleep(0.15)  # past its deadline, and many looks
    assert not telling.done()
    await house.gateway.commands.finish(known.result(Outcome.ACCEPTED, ""), deadline=known.deadline)
    assert await telling is None
    assert house.charger.executed == []


async def test_what_a_living_node_never_began_is_its_to_tell() -> None:
    house = House()
    request = house.request(timeout=0.01)
    await house.heard(request, LIVES)
    assert await house.told(request) is None
    assert house.charger.executed == []


async def test_what_waits_for_its_charger_is_told_by_whoever_ends_it() -> None:
    house = House()
    request = house.request()
    await house.begun(request, DEAD)
    await house.gateway.queue.put(request.command(), until=request.latest, ending=Outcome.EXPIRED)
    assert await house.told(request) is None


async def test_what_redis_kept_this_node_from_beginning_was_not_sent() -> None:
    """Redis noted that it began, and its answer was lost."""
    house = House()
    request = house.request()
    await house.begun(request, LIVES)
    told = await house.told(request, unsent=True)
    assert told is not None
    assert (told.outcome, house.charger.executed) == (Outcome.OFFLINE, [])


async def test_a_node_that_redis_leaves_alone_for_too_long_says_what_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GIVE_UP", 0.1)
    house = House()
    house.gateway.redis.away = True
    told = await house.told(house.request(timeout=0.01))
    assert told is not None
    assert told.outcome is Outcome.TIMEOUT


async def test_more_than_can_be_watched_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WATCHED", 0)
    house = House()
    assert await house.told(house.request()) is None
    assert house.charger.executed == []

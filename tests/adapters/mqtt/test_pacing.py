"""What automations set again and again is sent at a pace: the newest, in its time, and never behind what came later."""

import asyncio
from collections.abc import Callable

import pytest

from adapters.mqtt.commands import Request
from adapters.mqtt.orders import Held, Order
from adapters.mqtt.pacing import Latest, Line, Pace
from adapters.mqtt.topics import SetTopic
from gateway.core.identity import ChargerId
from tests.adapters.mqtt.commanding import Commander, Gateway, commander, config_of, control_lane
from tests.support.servers import Mosquitto, Server

CP = ChargerId("CP-1")
PLACE = "ocpp/chargers/CP-1/evse/1/connector/1"
OTHER = "ocpp/chargers/CP-1/evse/2/connector/1"


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    monotonic = now


def request(number: int, kind: str | None = "limit", *, paced: bool = True) -> Request:
    name = "set_charging_limit"
    return Request(f"r-{number}", CP, name, {}, None, 2000.0, None, sets=SetTopic(CP, (1, 1)), kind=kind, paced=paced)


async def held(asked: Request, opens_at: float | None = None, *, is_ours: bool = True) -> Held:
    async def ours() -> bool:
        return is_ours

    found = Held(Order(asked), opens_at)
    found.is_ours = asyncio.create_task(ours())
    return found


def test_one_of_a_kind_is_sent_at_once_and_the_next_when_the_interval_is_over() -> None:
    time = Time()
    pace = Pace(5.0, time)
    assert pace.opens_at(request(1)) is None
    pace.sent(request(1))
    time.at += 1
    assert pace.opens_at(request(2)) == 1005.0
    assert pace.opens_at(request(3, "paused")) is None
    assert pace.opens_at(request(4, paced=False)) is None
    time.at += 4
    assert pace.opens_at(request(2)) is None


@pytest.mark.parametrize("end", [lambda pace: setattr(pace, "is_over", True), None])
def test_nothing_waits_without_an_interval_or_once_the_node_ends(end: Callable[[Pace], None] | None) -> None:
    pace = Pace(0.0 if end is None else 5.0, Time())
    pace.sent(request(1))
    if end is not None:
        end(pace)
    assert pace.opens_at(request(2)) is None


async def test_of_those_that_wait_the_newest_goes_and_a_line_without_a_pause_goes_at_once() -> None:
    time, line = Time(), Line()
    first, older, newer = await held(request(1)), await held(request(2), 1005.0), await held(request(3), 1005.0)
    line.add(first)
    assert await line.next(time.now) is first
    line.add(older)
    assert line.superseded_by(newer) is older
    line.running = None
    waiting = asyncio.create_task(line.next(time.now))
    time.at = 1005.0
    line.changed.set()
    assert await waiting is newer


async def test_what_comes_later_lets_what_waits_go_and_goes_behind_it() -> None:
    time, line = Time(), Line()
    paced = await held(request(1), 1005.0)
    line.add(paced)
    waiting = asyncio.create_task(line.next(time.now))
    stop = await held(request(2, None, paced=False))
    line.add(stop)
    assert await waiting is paced
    line.running = None
    assert await line.next(time.now) is stop


async def test_a_newer_one_goes_behind_what_came_between() -> None:
    time, line = Time(), Line()
    line.add(await held(request(1)))
    paused, start = await held(request(2, "paused"), 1005.0), await held(request(3, "charging", paced=False))
    line.add(paused)
    line.add(start)
    paused_again = await held(request(4, "paused"), 1005.0)
    assert line.superseded_by(paused_again) is paused
    line.running = None
    assert await line.next(time.now) is start
    time.at = 1005.0
    line.running = None
    assert await line.next(time.now) is paused_again


async def test_a_start_goes_behind_the_pause_that_it_lifts() -> None:
    time, line = Time(), Line()
    line.add(await held(request(1)))
    stop, paused = await held(request(2, "charging", paced=False)), await held(request(3, "paused"))
    line.add(stop)
    line.add(paused)
    start = await held(request(4, "charging", paced=False))
    assert line.superseded_by(start) is stop
    line.running = None
    assert await line.next(time.now) is paused
    line.running = None
    assert await line.next(time.now) is start


async def test_what_waits_for_its_own_pace_lets_nothing_else_go() -> None:
    time, line = Time(), Line()
    late, early = await held(request(1, "a"), 1005.0), await held(request(2, "b"), 1003.0)
    line.add(late)
    waiting = asyncio.create_task(line.next(time.now))
    line.add(early)
    time.at = 1003.0
    line.changed.set()
    assert await waiting is early
    assert list(line) == [late]


async def test_a_node_that_will_not_send_it_and_one_that_lets_go_of_its_charger_wait_for_no_pace() -> None:
    time, line = Time(), Line()
    others = await held(request(1), 1005.0, is_ours=False)
    line.add(others)
    assert await line.next(time.now) is others
    line.running = None
    ours = await held(request(2), 1005.0)
    line.add(ours)
    waiting = asyncio.create_task(line.next(time.now))
    line.release()
    assert await waiting is ours


async def test_what_is_withdrawn_while_it_waits_is_not_taken() -> None:
    time, line = Time(), Line()
    paced = await held(request(1), 1005.0)
    line.add(paced)
    waiting = asyncio.create_task(line.next(time.now))
    assert line.take_out(paced)
    assert await waiting is None
    assert not line.take_out(paced)


def test_the_latest_of_a_kind_is_remembered() -> None:
    latest = Latest()
    old, new, other = request(1), request(2), request(3, "paused")
    for each in (old, other, new):
        latest.came(each)
    assert [latest.has_newer(each) for each in (old, new, other)] == [True, False, False]


# ---------------------------------------------------------------- on a broker


async def outcomes(me: Commander, count: int) -> list[str]:
    return [(await me.answer()).body["outcome"] for _ in range(count)]


async def test_a_new_limit_every_moment_makes_few_calls_and_the_last_one_arrives(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    loop = asyncio.get_running_loop()
    async with control_lane(gateway, config_of(broker, set_interval=1)), commander(broker) as me:
        began = loop.time()
        for number in range(60):
            await me.send(f"{PLACE}/set/limit_a", str(6 + number))
            await asyncio.sleep(0.03)
        told = await outcomes(me, 60)
        took = loop.time() - began
    sent = [command.arguments["current_a"] for command in charger.executed]
    assert (sent[0], sent[-1]) == (6, 65)
    assert sent == sorted(sent)
    assert len(sent) <= took + 2
    assert (told.count("accepted"), told.count("superseded")) == (len(sent), 60 - len(sent))


async def test_another_command_is_not_kept_waiting_and_overtakes_nothing(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(broker, set_interval=600)), commander(broker) as me:
        await me.send(f"{PLACE}/set/limit_a", "6")
        assert await outcomes(me, 1) == ["accepted"]
        await me.send(f"{PLACE}/set/limit_a", "8")
        await me.send(f"{OTHER}/set/limit_a", "9")
        assert await outcomes(me, 2) == ["accepted", "accepted"]
        await me.send(f"{PLACE}/set/limit_a", "10")
        await me.send(f"{OTHER}/set/limit_a", "11")
        await me.send(f"{PLACE}/set/limit_a", "none")
        assert await outcomes(me, 1) == ["superseded"]
        await me.send("ocpp/chargers/CP-1/command/unlock", {})
        assert await outcomes(me, 3) == ["accepted"] * 3
    sent = [(command.name, command.arguments["evse_id"]) for command in charger.executed]
    limit = "set_charging_limit"
    assert sent[:3] == [(limit, 1), (limit, 1), (limit, 2)]
    assert sent[3:] == [("clear_charging_limit", 1), (limit, 2), ("unlock", 1)]


async def test_a_setting_that_expires_before_its_time_is_told_so(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto, set_interval=600)), commander(mosquitto) as me:
        await me.send(f"{PLACE}/set/paused", "ON")
        await me.send(f"{PLACE}/set/paused", "OFF", MessageExpiryInterval=1)
        assert await outcomes(me, 2) == ["accepted", "expired"]
    assert [command.name for command in charger.executed] == ["pause"]


async def test_a_node_that_ends_sends_first_what_waits_for_its_pace(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto, set_interval=600)), commander(mosquitto) as me:
        for amperes in ("6", "8"):
            await me.send(f"{PLACE}/set/limit_a", amperes)
        await me.send("ocpp/chargers/CP-2/command/unlock", {})
        assert sorted(await outcomes(me, 2)) == ["accepted", "offline"]
        gateway.context.router.drain()
        assert await outcomes(me, 1) == ["accepted"]
    assert [command.arguments["current_a"] for command in charger.executed] == [6, 8]

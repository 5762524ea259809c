"""Problems on their way to the broker, and a broker that does not want them."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.mqtt.problems import CHECK, Problems
from adapters.mqtt.topics import SetTopic, Topics
from gateway.core.commands import CommandResult, Outcome
from gateway.core.health import HealthBoard
from gateway.core.identity import ChargerId
from tests.adapters.mqtt.commanding import Gateway, commander, config_of, control_lane
from tests.adapters.mqtt.guarding import guarded_against
from tests.adapters.rest.fakes import FakeState, Outage
from tests.cluster.support import eventually

PATIENCE = 60


class Line:
    """Connections one after the other, each of which ends when something is published to a `fatal` topic."""

    def __init__(self, problems: Problems, *fatal: str) -> None:
        self.problems, self.fatal = problems, fatal
        self.tried: list[str] = []
        self.was_tried = asyncio.Event()
        self.taken: asyncio.Queue[str] = asyncio.Queue()

    async def publish(self, topic: str, told: dict[str, Any]) -> bool:
        self.tried.append(topic)
        self.was_tried.set()
        if topic in self.fatal:
            raise ConnectionError
        self.taken.put_nowait(topic)
        return True

    async def run(self) -> None:
        while True:
            try:
                await self.problems.publish(self.publish)
            except ConnectionError:
                continue


def problems_of(*known: str, redis: Outage | None = None, health: HealthBoard | None = None) -> Problems:
    state = FakeState(redis or Outage())
    for identity in known:
        state.add(identity)
    return Problems(Topics("ocpp"), state, health or HealthBoard())


def topic_of(identity: str) -> str:
    return f"ocpp/chargers/{identity}/problem"


def put(problems: Problems, identity: str) -> None:
    charger = ChargerId(identity)
    problems.put(
        CommandResult("an-id", charger, "pause", Outcome.REJECTED, "no"), SetTopic(charger, None, "limit_a"), 0
    )


async def test_one_that_ends_connections_holds_up_no_other_and_is_dropped_at_the_second_time() -> None:
    problems = problems_of("BAD", "CP-1", "CP-2", "CP-3")
    line = Line(problems, topic_of("BAD"))
    for identity in ("BAD", "CP-1", "CP-2"):
        put(problems, identity)
    task = asyncio.create_task(line.run(), name="line")
    try:
        async with asyncio.timeout(PATIENCE):
            assert [await line.taken.get() for _ in range(2)] == [topic_of("CP-1"), topic_of("CP-2")]
            while line.tried.count(topic_of("BAD")) < 2:
                line.was_tried.clear()
                await line.was_tried.wait()
            put(problems, "CP-3")
            assert await line.taken.get() == topic_of("CP-3")
    finally:
        task.cancel()
    assert line.tried.count(topic_of("BAD")) == 2


async def test_a_problem_waits_until_redis_can_say_whether_its_charger_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.mqtt.problems.RETRY_SECONDS", 0.01)
    redis = Outage()
    problems = problems_of("CP-1", redis=redis)
    line, redis.away = Line(problems), True
    put(problems, "CP-1")
    task = asyncio.create_task(line.run(), name="line")
    try:
        await eventually(lambda: redis.asked > 1)
        assert line.tried == []
        redis.away = False
        async with asyncio.timeout(PATIENCE):
            assert await line.taken.get() == topic_of("CP-1")
    finally:
        task.cancel()


async def test_a_broker_that_refuses_problems_is_left_in_peace_after_two_hang_ups() -> None:
    problems = problems_of("BAD", "CP-1", "CP-2", "CP-3")
    line = Line(problems, *map(topic_of, ("CP-1", "CP-2", "CP-3")))
    for identity in ("CP-1", "CP-2", "CP-3"):
        put(problems, identity)
    task = asyncio.create_task(line.run(), name="line")
    try:
        for _ in range(100):
            await asyncio.sleep(0)
    finally:
        task.cancel()
    assert line.tried == [topic_of("CP-1"), topic_of("CP-2")]


async def test_that_the_broker_refuses_problems_is_told_until_it_takes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.mqtt.problems.REST_SECONDS", 0.01)
    health = HealthBoard()
    problems = problems_of("CP-1", "CP-2", health=health)
    line = Line(problems, *map(topic_of, ("CP-1", "CP-2")))
    for identity in ("CP-1", "CP-2"):
        put(problems, identity)
    task = asyncio.create_task(line.run(), name="line")
    try:
        await eventually(lambda: CHECK in health.checks())
        told = health.checks()[CHECK]
        assert (told.level, told.detail) == (
            "degraded",
            "the broker refuses ocpp/chargers/CP-2/problem, or hangs up at it",
        )
        line.fatal = ()
        put(problems, "CP-1")
        await eventually(lambda: CHECK not in health.checks())
    finally:
        task.cancel()


async def test_an_acl_that_refuses_problems_leaves_commands_and_their_results_alone(tmp_path: Path) -> None:
    """As one from before there were any. A mosquitto of 2.0.11 hangs up at every refusal."""
    with guarded_against("ocpp/chargers/+/problem", tmp_path, publishing=True) as guarded:
        gateway = Gateway()
        gateway.connect("CP-1").outcome = Outcome.REJECTED
        lane = control_lane(gateway, config_of(guarded.broker, set_interval=0))
        with capture_logs() as logs:
            async with lane, commander(guarded.broker) as me, asyncio.timeout(PATIENCE):
                for number in range(6):
                    # What is sent before the gateway is back reaches nobody, so that it is sent again.
                    while True:
                        await me.send("ocpp/chargers/CP-1/set/limit_a", f"{10 + number}")
                        with suppress(TimeoutError):
                            async with asyncio.timeout(2):
                                assert (await me.answers.get()).body["outcome"] == "rejected"
                                break
        ends = [line["event"] for line in logs if line["event"] == "mqtt commands are not taken"]
        assert len(ends) <= 2

"""What a home sends over MQTT: `set` and its refusals, on a real broker."""

import asyncio
from typing import Any

import pytest

from gateway.core.commands import Outcome
from gateway.core.identity import ChargerId
from tests.adapters.mqtt.commanding import Gateway, commander, config_of, control_lane
from tests.support.servers import Mosquitto, Server

PLACE = "ocpp/chargers/CP-1/evse/1/connector/1"
PROBLEM = f"{PLACE}/problem"
PROBLEMS = ("ocpp/chargers/+/problem", "ocpp/chargers/+/evse/+/connector/+/problem")


async def test_an_attribute_set_is_a_command_with_a_result_like_any_other(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(broker)), commander(broker) as me:
        await me.send(f"{PLACE}/set/limit_a", "10", ResponseTopic="replies/me", CorrelationData=b"7")
        asked = await me.answer()
        await me.send("ocpp/chargers/CP-1/set", {"enabled": False})
        told = await me.answer()
    assert (asked.topic, asked.correlation, asked.body["outcome"]) == ("replies/me", b"7", "accepted")
    assert (told.topic, told.body["name"]) == ("ocpp/chargers/CP-1/result/set_availability", "set_availability")
    assert [(command.name, command.arguments["evse_id"]) for command in charger.executed] == [
        ("set_charging_limit", 1),
        ("set_availability", 0),
    ]


async def test_a_refusal_is_retained_as_a_problem_until_something_is_accepted_there(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.outcome = Outcome.REJECTED
    async with (
        control_lane(gateway, config_of(mosquitto, set_interval=0)),
        commander(mosquitto, "ocpp/chargers/+/evse/+/connector/+/problem") as me,
    ):
        await me.send(f"{PLACE}/set/limit_a", "10")
        refused = await me.answer()
        charger.outcome = Outcome.ACCEPTED
        async with commander(mosquitto, PROBLEM) as late:
            kept = await late.answer()
        await me.send(f"{PLACE}/set/limit_a", "11")
        mended = await me.answer()
    assert (refused.topic, kept.retain, kept.body) == (PROBLEM, True, refused.body)
    assert refused.body["problem"].startswith("set limit_a: the charger refused it")
    assert refused.body.keys() == mended.body.keys()
    told = {name: refused.body[name] for name in ("attribute", "command", "outcome")}
    assert told == {"attribute": "limit_a", "command": "set_charging_limit", "outcome": "rejected"}
    assert (mended.body["problem"], mended.body["outcome"]) == (None, "accepted")


@pytest.mark.parametrize(
    ("topic", "payload", "outcome", "told"),
    [
        (f"{PLACE}/set/limit_a", "lots", "invalid", "set limit_a: it cannot be done so: limit_a is a number of ampere"),
        (f"{PLACE}/set", "lots", "invalid", "set: it cannot be done so: set takes a JSON object"),
        ("ocpp/chargers/CP-2/set/limit_w", "-3", "invalid", "limit_w is a number of watt"),
        ("ocpp/chargers/CP-2/set/enabled", "on", "offline", "set enabled: it was not sent: the charger is not"),
    ],
)
async def test_nonsense_and_absent_chargers_are_problems_too(
    broker: Server, topic: str, payload: str, outcome: str, told: str
) -> None:
    gateway = Gateway()
    gateway.connect("CP-1")
    gateway.state.add("CP-2")
    async with control_lane(gateway, config_of(broker)), commander(broker, *PROBLEMS) as me:
        await me.send(topic, payload.encode())
        problem = (await me.answer()).body
    assert problem["outcome"] == outcome
    assert told in problem["problem"]


async def test_nothing_is_retained_for_chargers_and_places_that_do_not_exist(broker: Server) -> None:
    gateway = Gateway()
    gateway.connect("CP-1").outcome = Outcome.REJECTED
    async with control_lane(gateway, config_of(broker)), commander(broker, *PROBLEMS, "ocpp/+/+/result/#") as me:
        await me.send("ocpp/chargers/CP-9/evse/1/connector/1/set/charging", "on")
        unknown = await me.answer()
        await me.send("ocpp/chargers/CP-1/evse/7/connector/7/set/limit_a", "10")
        told = {answer.topic: answer.body for answer in [await me.answer(), await me.answer()]}
        await me.send("ocpp/chargers/CP-1/evse/1/connector/1/set/limit_a", "lots")
        told |= {answer.topic: answer.body for answer in [await me.answer(), await me.answer()]}
    assert (unknown.topic, unknown.body["outcome"]) == ("ocpp/chargers/CP-9/result/start", "offline")
    assert {topic for topic in told if topic.endswith("problem")} == {"ocpp/chargers/CP-1/problem", PROBLEM}
    problem = told["ocpp/chargers/CP-1/problem"]["problem"]
    assert problem.startswith("set limit_a at evse/7/connector/7, which the charger has not: the charger refused it")


@pytest.mark.parametrize(
    ("problem_at", "topic", "told"),
    [
        ("evse/1/connector/1", PROBLEM, "unlock: the charger refused it"),
        ("charger", "ocpp/chargers/CP-1/problem", "unlock: the charger refused it"),
        (
            "evse/7/connector/7",
            "ocpp/chargers/CP-1/problem",
            "unlock at evse/7/connector/7, which the charger has not: the charger refused it",
        ),
    ],
)
async def test_a_command_that_says_where_has_its_refusal_retained_as_a_problem_there(
    broker: Server, problem_at: str, topic: str, told: str
) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.outcome = Outcome.REJECTED
    async with control_lane(gateway, config_of(broker)), commander(broker, *PROBLEMS) as me:
        await me.send("ocpp/chargers/CP-1/command/unlock", {"problem_at": problem_at, "id": "u-1"})
        refused = await me.answer()
        async with commander(broker, topic) as late:
            kept = await late.answer()
        charger.outcome = Outcome.ACCEPTED
        await me.send("ocpp/chargers/CP-1/command/unlock", {"problem_at": problem_at})
        mended = await me.answer()
        await me.send("ocpp/chargers/CP-1/command/unlock", {"problem_at": problem_at, "evse_id": "first", "id": "u-2"})
        invalid = await me.answer()
    assert (refused.topic, mended.topic, invalid.topic) == (topic, topic, topic)
    assert (kept.retain, kept.body) == (True, refused.body)
    assert refused.body["problem"].startswith(told)
    assert (refused.body["attribute"], refused.body["command"], refused.body["command_id"]) == (None, "unlock", "u-1")
    assert mended.body["problem"] is None
    assert (invalid.body["outcome"], invalid.body["command_id"]) == ("invalid", "u-2")
    assert len(charger.executed) == 2


async def test_a_command_that_is_repeated_gets_its_old_result_and_brings_no_old_problem_back(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    charger.outcome = Outcome.REJECTED
    results = "ocpp/chargers/CP-1/result/unlock"
    async with control_lane(gateway, config_of(broker)), commander(broker, *PROBLEMS, results) as me:

        async def unlock(command_id: str, answers: int) -> dict[str, dict[str, Any]]:
            payload = {"problem_at": "charger", "id": command_id}
            await me.send("ocpp/chargers/CP-1/command/unlock", payload)
            return {
                answer.topic.rpartition("/")[2]: answer.body for answer in [await me.answer() for _ in range(answers)]
            }

        assert (await unlock("first", 2))["problem"]["command_id"] == "first"
        charger.outcome = Outcome.ACCEPTED
        assert (await unlock("second", 2))["problem"]["problem"] is None
        assert (await unlock("first", 1))["unlock"]["outcome"] == "rejected"
        assert (await unlock("third", 2))["problem"]["command_id"] == "third", "nothing was told of the repeat"


async def test_a_refusal_has_the_state_published_again_and_what_is_accepted_has_not(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    refreshed: asyncio.Queue[ChargerId] = asyncio.Queue()
    lane = control_lane(gateway, config_of(broker, set_interval=0), refresh=refreshed.put_nowait)
    async with lane, commander(broker, PROBLEM) as me:
        await me.send(f"{PLACE}/set/limit_a", "10")
        await me.answer()
        charger.outcome = Outcome.REJECTED
        await me.send(f"{PLACE}/set/limit_a", "11")
        await me.answer()
        assert await asyncio.wait_for(refreshed.get(), 60) == ChargerId("CP-1")
    assert refreshed.empty()


async def test_a_get_has_the_state_published_again_and_the_charger_asked(broker: Server) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    refreshed: list[ChargerId] = []
    async with control_lane(gateway, config_of(broker), refresh=refreshed.append), commander(broker) as me:
        await me.send(f"{PLACE}/get", b"")
        told = [await me.answer() for _ in range(2)]
        await me.send("ocpp/chargers/CP-1/get", b"whatever")
        await me.answer()
        await me.answer()
        await me.send("ocpp/chargers/CP-2/get", b"")
        absent = [await me.answer() for _ in range(2)]
    assert refreshed == [ChargerId("CP-1"), ChargerId("CP-1"), ChargerId("CP-2")]
    assert [answer.topic for answer in told] == ["ocpp/chargers/CP-1/result/trigger"] * 2
    assert [answer.body["outcome"] for answer in absent] == ["offline"] * 2
    asked = [(command.arguments["message"], command.arguments["evse_id"]) for command in charger.executed]
    assert asked == [("StatusNotification", 1), ("MeterValues", 1), ("StatusNotification", None), ("MeterValues", None)]
    assert [command.arguments["connector_id"] for command in charger.executed] == [1, None, None, None]


async def test_one_who_gets_again_and_again_asks_the_charger_at_a_pace(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto, set_interval=600)), commander(mosquitto) as me:
        for _ in range(10):
            await me.send(f"{PLACE}/get", b"")
        outcomes = [(await me.answer()).body["outcome"] for _ in range(18)]
    assert (outcomes.count("accepted"), outcomes.count("superseded")) == (2, 16)
    assert len(charger.executed) == 2


async def test_a_retained_get_is_refused(mosquitto: Mosquitto) -> None:
    gateway = Gateway()
    charger = gateway.connect("CP-1")
    async with control_lane(gateway, config_of(mosquitto)), commander(mosquitto) as me:
        await me.send(f"{PLACE}/get", b"now", retain=True)
        refused = (await me.answer()).body
    assert (refused["name"], refused["outcome"], charger.executed) == ("trigger", "invalid", [])

"""What a home sends over MQTT: `set` and its refusals, on a real broker."""

import pytest

from gateway.core.commands import Outcome
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
        (f"{PLACE}/set/limit_a", "lots", "invalid", "set limit_a: it makes no sense: limit_a is a number of ampere"),
        (f"{PLACE}/set", "lots", "invalid", "set: it makes no sense: set takes a JSON object"),
        ("ocpp/chargers/CP-2/set/limit_w", "-3", "invalid", "limit_w is a number of watt"),
        ("ocpp/chargers/CP-2/set/enabled", "on", "offline", "set enabled: it was not sent: the charger is not"),
        ("ocpp/chargers/CP-9/evse/1/connector/1/set/charging", "on", "offline", "never seen"),
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

"""mosquitto sees exactly the documented topics during a charge, and nothing else of the gateway's."""

import re

import pytest

from tests.chaos.charger import HandCharger
from tests.chaos.conftest import MakeNode, start
from tests.chaos.fleet import Fleet, mid_charge
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.servers import Mosquitto, Valkey

TRANSACTION = {"event/transaction/started", "event/transaction/updated", "event/transaction/ended"}
CHARGE = {
    "availability",
    "state",
    "evse/1/connector/1/state",
    "event/charger/connected",
    "event/charger/booted",
    "event/connector/status",
    "event/authorization/decided",
    "event/charger/disconnected",
    *TRANSACTION,
}
RETAINED = re.compile(r"ocpp/(status|info|chargers/[^/]+/(availability|state|evse/\d+/connector/\d+/state))")
CONNECTOR = {
    "status", "error", "plugged", "charging", "enabled", "paused_by", "power_w", "energy_register_wh", "current_a",
    "voltage_v", "soc_percent", "limit_a", "transaction", "measured_at", "updated_at",
}  # fmt: skip
ENVELOPE = {
    "specversion", "id", "source", "type", "time", "datacontenttype", "dataschema", "data", "recordedtime", "sequence",
    "epoch",
}  # fmt: skip


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_charge_is_seen_on_the_documented_topics_alone(
    version: str, make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto
) -> None:
    with Subscriber(mosquitto.port, "#") as subscriber:
        node = make_node(valkey.url, mosquitto.url)
        await start(node)
        fleet = Fleet(node.charger_url, version, 1, prefix="CP-")  # type: ignore[arg-type]
        async with fleet:
            await mid_charge(fleet)
            await fleet.finish()
        (charger,) = fleet.ids
        await until(lambda: subscriber.availability(charger) == "offline", "the charger is gone")
        await until(lambda: "charger.disconnected" in subscriber.types(charger), "and said so")
        heard_topics = {heard.topic for heard in subscriber.heard}
        topics = {topic for topic in heard_topics if not topic.startswith("homeassistant/")}
        assert heard_topics - topics <= {f"homeassistant/device/ocpp_{charger}/config"}
        assert topics == {"ocpp/status", "ocpp/info", *(f"ocpp/chargers/{charger}/{topic}" for topic in CHARGE)}

        assert set(subscriber.connector(charger)) >= CONNECTOR
        for event in subscriber.events():
            assert set(event) >= ENVELOPE
            assert event["type"] == "ocpp." + next(
                heard.topic.partition("/event/")[2].replace("/", ".")
                for heard in subscriber.heard
                if "/event/" in heard.topic and heard.json["id"] == event["id"]
            )
        # One who comes later gets what is retained, and nothing but that.
        with Subscriber(mosquitto.port, "#") as late:
            retained = {topic for topic in topics if RETAINED.fullmatch(topic)}
            await until(lambda: {heard.topic for heard in late.heard} >= retained, "retained state is there")
            kept = {heard.topic for heard in late.heard if heard.retained}
            assert {topic for topic in kept if not topic.startswith("homeassistant/")} == retained


async def test_a_command_is_answered_on_its_result_topic_and_its_traces_are_events(
    make_node: MakeNode, valkey: Valkey, mosquitto: Mosquitto
) -> None:
    with Subscriber(mosquitto.port, "#") as subscriber:
        node = make_node(valkey.url, mosquitto.url)
        await start(node)
        async with HandCharger(node.charger_url, "CP") as hand:
            await hand.boot()
            subscriber.publish("ocpp/chargers/CP/command/unlock", {"evse_id": 1, "id": "command-1"})
            subscriber.publish("ocpp/chargers/CP/call/ClearCache", {})
            for topic in ("ocpp/chargers/CP/result/unlock", "ocpp/chargers/CP/result/ClearCache"):
                await until(lambda t=topic: subscriber.on(t), f"a result on {topic}")
                assert subscriber.on(topic)[0].json["outcome"] == "accepted"
            assert subscriber.on("ocpp/chargers/CP/result/unlock")[0].json["id"] == "command-1"
        result = [topic for topic in {heard.topic for heard in subscriber.heard} if "/result/" in topic]
        assert sorted(result) == ["ocpp/chargers/CP/result/ClearCache", "ocpp/chargers/CP/result/unlock"]

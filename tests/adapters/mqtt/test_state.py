"""Retained topics: chargers' state as it stands now, and the gateway's own status with its will."""

import asyncio
from pathlib import Path

import aiomqtt
import mqtt5
import orjson
import pytest

from gateway.core.errors import DeliveryImpossible, DeliveryInterrupted, DeliveryRefused
from gateway.core.ports import Delivery, Snapshot
from tests.adapters.mqtt.publishing import (
    CP1,
    CP2,
    PATIENCE,
    House,
    ScriptedBroker,
    cable,
    entries,
    retained,
    scripted,
    subscriber,
)
from tests.support.servers import Mosquitto, Server

FIELDS = {"charger": b'{"id":"CP1"}', "availability": b"online", "connector/1/2": b'{"status":null}', "memory": b"{}"}
TOPICS = {
    "ocpp/chargers/CP1/availability": b"online",
    "ocpp/chargers/CP1/state": b'{"id":"CP1"}',
    "ocpp/chargers/CP1/evse/1/connector/2/state": b'{"status":null}',
}


@pytest.fixture(autouse=True)
def short_will_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.mqtt.delivery.WILL_DELAY", 1)


@pytest.fixture
def long_will_delay(short_will_delay: None, monkeypatch: pytest.MonkeyPatch) -> float:
    """For what must come before the will does, however busy the machine is."""
    monkeypatch.setattr("adapters.mqtt.delivery.WILL_DELAY", 4)
    return 4.0


def snapshot(**fields: bytes) -> Snapshot:
    return Snapshot(CP1, {**FIELDS, **fields})


def published(broker: ScriptedBroker) -> list[str]:
    topics = [packet.topic for packet in broker.published]
    broker.published.clear()
    return topics


async def test_a_snapshot_is_retained_without_the_twins_memory(broker: Server) -> None:
    async with House().connected(broker.url) as delivery:
        await delivery.project([snapshot()])
        assert await retained(broker) == TOPICS


async def test_a_removed_charger_is_announced_and_its_topics_are_cleared(broker: Server) -> None:
    async with House().connected(broker.url) as delivery:
        await delivery.project([snapshot(), Snapshot(CP2, FIELDS)])
    async with House().connected(broker.url) as another, subscriber(broker, "ocpp/+/+/event/#") as reader:
        await another.deliver(entries(1, kind="ocpp.charger.removed", connectors=[[1, 2]]))
        await reader.numbers(0)
        assert not [topic for topic in await retained(broker) if "CP1" in topic]
        await another.project([Snapshot(CP2, {}, removed=True)])
        assert set(await retained(broker)) == {"ocpp/chargers/CP2/evse/1/connector/2/state"}
        await another.project([snapshot()])
        assert TOPICS.items() <= (await retained(broker)).items()


async def test_what_is_wished_anew_is_published_again_though_it_did_not_change() -> None:
    house = House()
    async with scripted() as broker, house.connected(broker.url, state_interval=0) as delivery:
        await delivery.project([snapshot(), Snapshot(CP2, FIELDS)])
        published(broker)
        house.reader.refresh(CP1)
        assert house.touches == [CP1]
        await delivery.project([snapshot(), Snapshot(CP2, FIELDS)])
        assert sorted(published(broker)) == sorted(TOPICS)
        await delivery.project([snapshot()])
        assert published(broker) == []
        await delivery.close()
        house.reader.refresh(CP1)
        assert house.touches == [CP1]


async def test_only_what_changed_is_published_again() -> None:
    async with scripted() as broker, House().connected(broker.url, state_interval=0) as delivery:
        await delivery.project([snapshot()])
        assert sorted(published(broker)) == sorted(TOPICS)
        await delivery.project([snapshot()])
        assert published(broker) == []
        await delivery.project([snapshot(availability=b"offline")])
        assert published(broker) == ["ocpp/chargers/CP1/availability"]
        broker.hang_up()
        await delivery.lost()
        await delivery.connect()
        await delivery.project([snapshot()])
        assert sorted(published(broker)) == sorted(TOPICS)


async def test_unchanged_state_is_repeated_at_the_configured_interval() -> None:
    house = House()
    async with scripted() as broker, house.connected(broker.url, state_interval=30) as delivery:
        await delivery.project([snapshot()])
        published(broker)
        house.clock.time += 5
        await delivery.project([snapshot()])
        assert published(broker) == []
        house.clock.time += 25
        await delivery.project([snapshot()])
        assert sorted(published(broker)) == sorted(TOPICS)


async def test_refused_state_does_not_keep_the_rest_from_being_published() -> None:
    async with scripted() as broker, House().connected(broker.url) as delivery:
        broker.codes = {"ocpp/chargers/CP1/state": mqtt5.PubAckReasonCode.NOT_AUTHORIZED}
        with pytest.raises(DeliveryRefused) as caught:
            await delivery.project([Snapshot(CP2, FIELDS), snapshot()])
        assert (caught.value.topic, caught.value.confirmed) == ("ocpp/chargers/CP1/state", 1)
        assert len(published(broker)) == 6
        broker.codes = {}
        await delivery.project([Snapshot(CP2, FIELDS), snapshot()])
        assert published(broker) == ["ocpp/chargers/CP1/state"]


async def test_state_that_is_too_large_is_told_apart() -> None:
    async with scripted(max_packet_size=500) as broker, House().connected(broker.url) as delivery:
        with pytest.raises(DeliveryImpossible) as caught:
            await delivery.project([Snapshot(CP2, FIELDS), snapshot(charger=b"x" * 1000)])
        assert caught.value.confirmed == 1


async def _until_delivered(delivery: Delivery) -> set[str]:
    """Do what the log's reader does until state and events are with the broker; returns the topics refused."""
    refused: set[str] = set()
    while True:
        try:
            try:
                await delivery.project([snapshot(), Snapshot(CP2, FIELDS)])
            except DeliveryRefused as error:
                refused.add(error.topic)
            await delivery.deliver(entries(50))
            return refused
        except DeliveryInterrupted:
            await delivery.connect()


async def test_events_flow_where_the_acl_lets_nothing_else_through(tmp_path: Path) -> None:
    """This mosquitto also hangs up at every refusal; other versions do not."""
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    (tmp_path / "acl").write_text("topic write ocpp/chargers/+/event/#\ntopic read #\n")
    broker, house = Mosquitto(tmp_path / "strict", f"acl_file {tmp_path}/acl"), House()
    broker.start()
    try:
        async with subscriber(broker) as reader, house.connected(broker.url, 0) as delivery:
            async with asyncio.timeout(PATIENCE):
                refused = await _until_delivered(delivery)
            assert await reader.numbers(49) == list(range(50))
        assert refused & TOPICS.keys()
        assert "ocpp/status" in house.health.checks()["mqtt status"].detail
    finally:
        broker.stop()


async def test_a_topic_that_ends_connections_without_a_word_is_left_alone_for_a_while() -> None:
    house = House()
    async with scripted() as broker, house.connected(broker.url) as delivery:
        broker.fatal = "ocpp/chargers/CP1/state"
        async with asyncio.timeout(PATIENCE):
            assert await _until_delivered(delivery) == {"ocpp/chargers/CP1/state"}
        published(broker)
        broker.fatal = None
        house.clock.time += 601
        await delivery.project([snapshot()])
        assert "ocpp/chargers/CP1/state" in published(broker)


async def test_the_gateway_says_that_it_is_online_and_who_it_is(broker: Server) -> None:
    house = House("node-1", "node-2")
    async with house.connected(broker.url, 0):
        kept = await retained(broker)
    assert kept["ocpp/status"] == b"online"
    assert orjson.loads(kept["ocpp/info"]) == {"version": "0.1.0", "contract": "v1", "nodes": ["node-1", "node-2"]}


async def test_nodes_that_come_are_told_with_the_next_state() -> None:
    house = House()
    async with scripted() as broker, house.connected(broker.url, 0) as delivery:
        published(broker)
        house.nodes = ["node-1", "node-9"]
        await delivery.project([])
        assert published(broker) == []
        house.clock.time += 20
        await delivery.project([])
        assert b"node-9" in broker.published[-1].payload
        assert published(broker) == ["ocpp/status", "ocpp/info"]


async def test_other_shards_say_nothing_of_the_gateway() -> None:
    async with scripted() as broker:
        async with House().connected(broker.url, 1):
            pass
        assert published(broker) == []
        assert broker.connects[0].will is None


async def test_the_broker_says_offline_when_the_connection_is_cut_and_nobody_follows(broker: Server) -> None:
    async with (
        subscriber(broker, "ocpp/status") as reader,
        cable(broker) as line,
        House().connected(line.url, 0) as delivery,
    ):
        await reader.until("ocpp/status", b"online")
        line.cut()
        await reader.until("ocpp/status", b"offline")
        await delivery.connect()
        await reader.until("ocpp/status", b"online")


async def test_a_successor_in_time_cancels_the_will(broker: Server, long_will_delay: float) -> None:
    async with (
        subscriber(broker, "ocpp/status", "mark") as reader,
        cable(broker) as line,
        House().connected(line.url, 0) as delivery,
    ):
        line.cut()
        await delivery.lost()
        async with House().connected(broker.url, 0):
            await asyncio.sleep(long_will_delay + 1)  # that nothing comes shows only after the will's delay
            await reader.client.publish("mark", b"", qos=1)
            assert await _payloads_until_mark(reader.seen) == [b"online", b"online"]


async def _payloads_until_mark(seen: "asyncio.Queue[object]") -> list[object]:
    payloads: list[object] = []
    async with asyncio.timeout(PATIENCE):
        while True:
            message = await seen.get()
            if str(getattr(message, "topic", "")) == "mark":
                return payloads
            payloads.append(getattr(message, "payload", None))


async def test_the_last_node_says_goodbye_at_once(broker: Server) -> None:
    async with House().connected(broker.url, 0):
        pass
    assert (await retained(broker))["ocpp/status"] == b"offline"


async def test_a_node_of_several_leaves_the_word_to_a_successor_or_the_broker(
    mosquitto: Mosquitto, long_will_delay: float
) -> None:
    async with subscriber(mosquitto, "ocpp/status") as reader:
        async with House("node-1", "node-2").connected(mosquitto.url, 0):
            pass
        assert (await retained(mosquitto))["ocpp/status"] == b"online"
        await reader.until("ocpp/status", b"offline")


STATE = {"status": "charging", "power_w": 7360.5, "plugged": True, "current_a": {"l1": 32, "l2": None, "l3": None}}
CHARGING = orjson.dumps({**STATE, "transaction": {"id": "t-1", "energy_wh": 12, "token": {"id": "A", "type": None}}})
IDLE = orjson.dumps({**STATE, "power_w": 0, "transaction": None})


async def test_every_key_of_a_state_has_a_topic_of_its_own_where_that_is_wanted(broker: Server) -> None:
    async with House().connected(broker.url, attribute_topics=True) as delivery:
        await delivery.project([snapshot(**{"connector/1/2": CHARGING})])
        found = await retained(broker)
        place = "ocpp/chargers/CP1/evse/1/connector/2"
        told = {name: found.get(f"{place}/{name}") for name in ("status", "power_w", "plugged", "current_a/l1")}
        assert told == {"status": b"charging", "power_w": b"7360.5", "plugged": b"true", "current_a/l1": b"32"}
        assert (found[f"{place}/transaction/energy_wh"], found[f"{place}/transaction/token/id"]) == (b"12", b"A")
        assert f"{place}/current_a/l2" not in found
        assert found["ocpp/chargers/CP1/id"] == b"CP1"
    # By another connection, which does not know what stands there.
    async with House().connected(broker.url, attribute_topics=True) as delivery:
        await delivery.project([snapshot(**{"connector/1/2": IDLE})])
        found = await retained(broker)
        assert f"{place}/transaction/energy_wh" not in found
        assert found[f"{place}/power_w"] == b"0"
        assert found["ocpp/chargers/CP1/availability"] == b"online"
        await delivery.deliver(entries(1, kind="ocpp.charger.removed", connectors=[[1, 2]]))
        assert not [topic for topic in await retained(broker) if "CP1" in topic]


async def test_an_attribute_is_published_when_it_changes_and_what_is_null_once() -> None:
    async with scripted() as broker, House().connected(broker.url, state_interval=0, attribute_topics=True) as delivery:
        await delivery.project([snapshot(**{"connector/1/2": CHARGING})])
        assert len(published(broker)) > 60
        await delivery.project([snapshot(**{"connector/1/2": CHARGING})])
        assert published(broker) == []
        await delivery.project([snapshot(**{"connector/1/2": CHARGING.replace(b"7360.5", b"7000")})])
        place = "ocpp/chargers/CP1/evse/1/connector/2"
        assert sorted(published(broker)) == [f"{place}/power_w", f"{place}/state"]


async def test_what_is_null_is_published_once_however_large_the_fleet_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.mqtt.retained._REMEMBERED", 40)
    fleet = [Snapshot(charger, {**FIELDS, "connector/1/2": IDLE}) for charger in (CP1, CP2)]
    async with scripted() as broker, House().connected(broker.url, state_interval=0, attribute_topics=True) as delivery:
        await delivery.project(fleet)
        assert len([packet for packet in broker.published if not packet.payload]) > 80
        published(broker)
        await delivery.project(fleet)
        assert not [packet.topic for packet in broker.published if not packet.payload]
        await delivery.project([Snapshot(CP1, {**FIELDS, "connector/1/2": CHARGING})])
        published(broker)
        await delivery.project(fleet)
        emptied = {packet.topic for packet in broker.published if not packet.payload}
        place = "ocpp/chargers/CP1/evse/1/connector/2/transaction"
        assert emptied == {f"{place}/id", f"{place}/energy_wh", f"{place}/token/id"}


async def test_what_is_null_and_was_refused_is_published_again() -> None:
    house = House()
    async with scripted() as broker, house.connected(broker.url, state_interval=0, attribute_topics=True) as delivery:
        topic = "ocpp/chargers/CP1/evse/1/connector/2/transaction/id"
        broker.codes = {topic: mqtt5.PubAckReasonCode.QUOTA_EXCEEDED}
        with pytest.raises(DeliveryRefused):
            await delivery.project([snapshot(**{"connector/1/2": IDLE})])
        published(broker)
        broker.codes = {}
        await delivery.project([snapshot(**{"connector/1/2": IDLE})])
        assert topic in published(broker)


async def test_the_problems_of_a_removed_charger_are_cleared(broker: Server) -> None:
    problems = ("ocpp/chargers/CP1/problem", "ocpp/chargers/CP1/evse/1/connector/2/problem")
    async with House().connected(broker.url) as delivery:
        async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5) as home:
            for topic in problems:
                await home.publish(topic, b"{}", qos=1, retain=True)
        assert set(problems) <= (await retained(broker)).keys()
        await delivery.deliver(entries(1, kind="ocpp.charger.removed", connectors=[[1, 2]]))
        assert not [topic for topic in await retained(broker) if "CP1" in topic]

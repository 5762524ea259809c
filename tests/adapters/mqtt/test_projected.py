"""What adapters add to the retained topics of chargers, and what they listen to on the broker."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from adapters.mqtt.control import CHECK, LISTENING
from gateway.core.identity import ChargerId
from gateway.core.ports import RetainedMessage, Snapshot, TopicNames
from tests.adapters.mqtt.commanding import Gateway, commander, config_of, control_lane
from tests.adapters.mqtt.guarding import guarded_against
from tests.adapters.mqtt.publishing import CP1, CP2, PATIENCE, House, entries, scripted, subscriber
from tests.support.servers import Mosquitto, Server

FIELDS = {"charger": b'{"id":"CP1"}', "availability": b"online"}


class Cards:
    """A projection that keeps a card for each charger, with what is written on it, at `cards/{id}`."""

    name = "cards"

    def __init__(self) -> None:
        self.text = b"first"
        self.again: float | None = None

    def messages(self, snapshot: Snapshot, topics: TopicNames) -> Iterable[RetainedMessage]:
        assert topics.charger(snapshot.charger) == f"ocpp/chargers/{snapshot.charger.encoded}"
        yield f"cards/{snapshot.charger.encoded}", self.text

    def due_again(self, charger: ChargerId) -> float | None:
        due, self.again = self.again, None
        return due

    def clearing(
        self, charger: ChargerId, connectors: Sequence[tuple[int, int]], topics: TopicNames
    ) -> Iterable[RetainedMessage]:
        yield f"cards/{charger.encoded}", b""


@pytest.fixture
def cards() -> Cards:
    return Cards()


@pytest.fixture
def house(cards: Cards) -> House:
    house = House()
    house.context.projections.register(cards)
    return house


async def touched(house: House, times: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(house.touches) < times:  # noqa: ASYNC110  a timer of the loop notes it
            await asyncio.sleep(0.01)


def test_there_is_one_projection_of_a_name(house: House) -> None:
    with pytest.raises(ValueError, match="'cards'"):
        house.context.projections.register(Cards())


async def test_a_projection_is_retained_beside_the_state_and_published_when_it_changes(
    house: House, cards: Cards
) -> None:
    async with scripted() as broker, house.connected(broker.url, state_interval=0) as delivery:
        for text in (b"first", b"first", b"second"):
            cards.text = text
            await delivery.project([Snapshot(CP1, FIELDS)])
        told = [(packet.payload, packet.retain) for packet in broker.published if packet.topic == "cards/CP1"]
        assert told == [(b"first", True), (b"second", True)]


async def test_a_removed_chargers_additions_are_cleared_before_the_state_that_they_are_made_of(
    broker: Server, house: House
) -> None:
    async with house.connected(broker.url) as delivery:
        await delivery.project([Snapshot(CP1, FIELDS)])
        async with subscriber(broker, "#") as reader:
            await reader.until("ocpp/chargers/CP1/state", FIELDS["charger"])
            await delivery.deliver(entries(1, kind="ocpp.charger.removed", connectors=[]))
            cleared: list[str] = []
            while "ocpp/chargers/CP1/state" not in cleared:
                message = await reader.next()
                if not message.payload:
                    cleared.append(str(message.topic))
    assert cleared[0] == "cards/CP1"


async def test_all_of_a_projection_is_published_again_on_demand(house: House, cards: Cards) -> None:
    async with scripted() as broker, house.connected(broker.url, state_interval=0) as delivery:
        snapshots = [Snapshot(charger, FIELDS) for charger in (CP1, CP2)]
        await delivery.project(snapshots)
        broker.published.clear()
        house.context.projections.publish_again(cards, 0.0)
        await touched(house, 2)
        assert set(house.touches) == {CP1, CP2}
        await delivery.project(snapshots)
        assert [packet.topic for packet in broker.published] == ["cards/CP1", "cards/CP2"]
        await delivery.project(snapshots)
        assert len(broker.published) == 2


async def test_a_projection_may_ask_to_see_a_charger_again(house: House, cards: Cards) -> None:
    async with scripted() as broker, house.connected(broker.url) as delivery:
        cards.again = 3600.0
        await delivery.project([Snapshot(CP1, FIELDS)])
        cards.again = 0.0
        await delivery.project([Snapshot(CP2, FIELDS)])
        await touched(house, 1)
        assert house.touches == [CP2]


async def test_a_broker_that_refuses_additions_gets_the_state_all_the_same(house: House, tmp_path: Path) -> None:
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    broker = Mosquitto(tmp_path / "broker", f"acl_file {tmp_path}/broker/acl")
    (tmp_path / "broker" / "acl").write_text("topic readwrite ocpp/#\n")
    broker.start()
    try:
        async with house.connected(broker.url) as delivery:
            await delivery.project([Snapshot(CP1, FIELDS)])
            assert house.health.checks()["mqtt additions"].level == "degraded"
            async with subscriber(broker) as reader:
                await reader.until("ocpp/chargers/CP1/state", FIELDS["charger"])
    finally:
        broker.stop()


async def test_a_listener_hears_its_topic_and_no_command(broker: Server) -> None:
    gateway = Gateway()
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    gateway.context.listeners.register("home/+/status", lambda topic, payload: heard.put_nowait((topic, payload)))
    async with control_lane(gateway, config_of(broker)), commander(broker, "nothing") as someone:
        await someone.send("home/one/status", b"online")
        async with asyncio.timeout(PATIENCE):
            assert await heard.get() == ("home/one/status", b"online")


async def test_a_broker_that_denies_listening_gives_commands_all_the_same(tmp_path: Path) -> None:
    with guarded_against("home/status", tmp_path) as guarded:
        gateway = Gateway()
        gateway.context.listeners.register("home/status", lambda topic, payload: None)
        async with control_lane(gateway, config_of(guarded.broker)):
            checks = gateway.watched.checks()
            assert (checks[CHECK].level, checks[LISTENING].level) == ("ok", "degraded")

"""Events on the way from the log to the broker: nothing skipped, nothing out of order, whatever the broker does."""

import asyncio
import signal
from pathlib import Path

import mqtt5
import orjson
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.mqtt.config import MqttConfig
from adapters.mqtt.delivery import MqttReader
from adapters.mqtt.topics import Topics
from gateway.core.errors import DeliveryError, DeliveryImpossible, DeliveryInterrupted, DeliveryRefused
from gateway.core.events import CONTENT_TYPE
from gateway.core.ports import Delivery, LogEntry, Snapshot
from tests.adapters.mqtt.publishing import (
    CP1,
    CP2,
    PATIENCE,
    House,
    cable,
    entries,
    scripted,
    subscriber,
)
from tests.support.servers import EmbeddedBroker, Mosquitto, Server


async def test_events_arrive_in_order_under_the_topic_of_their_type(broker: Server) -> None:
    async with subscriber(broker) as reader, House().connected(broker.url) as delivery:
        batch = [
            *entries(1, kind="ocpp.charger.booted"),
            *entries(1, first=1, kind="ocpp.transaction.started", charger=CP2),
            *entries(300, first=2),
            *entries(1, first=302, kind="ocpp.message"),
        ]
        await delivery.deliver(batch)
        seen = await reader.take(len(batch))
    assert [message.payload for message in seen] == [entry.body for entry in batch]
    topics = [str(message.topic) for message in seen]
    assert topics[:3] == [
        "ocpp/chargers/CP1/event/charger/booted",
        "ocpp/chargers/CP2/event/transaction/started",
        "ocpp/chargers/CP1/event/meter/values",
    ]
    assert topics[-1] == "ocpp/chargers/CP1/message/MeterValues"
    assert {message.retain for message in seen} == {False}
    assert {message.qos for message in seen} == {1}
    assert {getattr(message.properties, "ContentType", None) for message in seen} == {CONTENT_TYPE}


async def test_a_batch_that_nobody_hears_is_delivered_and_counted(mosquitto: Mosquitto) -> None:
    house = House()
    async with house.connected(mosquitto.url) as delivery:
        await delivery.deliver(entries(3, kind="ocpp.transaction.ended"))
    assert house.counts.undelivered_outcomes == ["no_subscriber"] * 3


class Guarded(Mosquitto):
    """A mosquitto with a list of topics that are denied."""

    def deny(self, *topics: str) -> None:
        denied = "".join(f"topic deny {topic}\n" for topic in topics)
        (self.folder / "acl").write_text(f"topic readwrite #\n{denied}")

    def allow(self) -> None:
        self.deny()
        self.send(signal.SIGHUP)


@pytest.fixture
def guarded(tmp_path: Path) -> Guarded:
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    return Guarded(tmp_path / "guarded", f"acl_file {tmp_path}/guarded/acl")


async def test_a_topic_that_the_acl_denies_is_held_and_arrives_once_it_is_allowed(guarded: Guarded) -> None:
    """This mosquitto also hangs up on who publishes there; other versions do not."""
    denied = "ocpp/chargers/CP1/event/transaction/started"
    guarded.deny(denied)
    guarded.start()
    try:
        waiting = [*entries(300), *entries(1, first=300, kind="ocpp.transaction.started"), *entries(100, first=301)]
        async with subscriber(guarded) as reader, House().connected(guarded.url) as delivery:
            refused = await _deliver(delivery, waiting)
            assert (refused.topic, refused.confirmed) == (denied, 0)
            assert [entry.id for entry in waiting[:2]] == ["event-300", "event-301"]
            guarded.allow()
            async with asyncio.timeout(PATIENCE):
                while waiting:
                    await _deliver(delivery, waiting)
            numbers = await reader.numbers(400)
        assert list(dict.fromkeys(numbers))[:300] == list(range(300))
        assert numbers[numbers.index(300) :] == list(range(300, 401))
    finally:
        guarded.stop()


async def _deliver(delivery: Delivery, waiting: list[LogEntry]) -> DeliveryRefused:
    """Deliver until all is delivered or the first is refused, as the log's reader does; delivered ones are removed."""
    refused = DeliveryRefused("nothing")
    while waiting:
        try:
            await delivery.deliver(waiting)
            waiting.clear()
        except DeliveryRefused as error:
            del waiting[: error.confirmed]
            refused = error
            if not error.confirmed:
                break
        except DeliveryInterrupted as error:
            del waiting[: error.confirmed]
            await delivery.connect()
    return refused


async def test_after_a_refusal_the_refused_event_goes_alone() -> None:
    async with scripted() as broker, House().connected(broker.url) as delivery:
        topic = "ocpp/chargers/CP1/event/meter/values"
        broker.codes = {topic: mqtt5.PubAckReasonCode.QUOTA_EXCEEDED}
        for tries in (5, 6, 7):
            with pytest.raises(DeliveryRefused):
                await delivery.deliver(entries(5))
            assert len(broker.published) == tries
        broker.codes = {}
        await delivery.deliver(entries(5))
        assert [orjson.loads(packet.payload)["data"]["n"] for packet in broker.published[7:]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("code", ["TOPIC_NAME_INVALID", "PAYLOAD_FORMAT_INVALID"])
async def test_an_event_that_the_broker_can_never_take_is_told_apart(code: str) -> None:
    async with scripted(receive_max=1) as broker, House().connected(broker.url) as delivery:
        broker.codes = {"ocpp/chargers/CP2/event/meter/values": getattr(mqtt5.PubAckReasonCode, code)}
        with pytest.raises(DeliveryImpossible) as caught:
            await delivery.deliver([*entries(2), *entries(1, charger=CP2), *entries(2)])
        assert caught.value.confirmed == 2


async def test_too_large_an_event_goes_without_the_raw_message() -> None:
    async with scripted(max_packet_size=2000) as broker, House().connected(broker.url) as delivery:
        much = {"x": "y" * 3000}
        batch = [*entries(1), *entries(1, first=1, raw=much, request=much, big=2**70), *entries(1, first=2)]
        await delivery.deliver(batch)
        data = [orjson.loads(packet.payload)["data"] for packet in broker.published]
        assert [each["n"] for each in data] == [0, 1, 2]
        assert data[1] == {"n": 1, "big": float(2**70), "rawref": "/v1/chargers/CP1/events/2-0"}
        assert str(2**70).encode() in broker.published[1].payload


async def test_an_event_that_is_too_large_without_the_raw_message_too_is_impossible() -> None:
    async with scripted(max_packet_size=2000) as broker, House().connected(broker.url) as delivery:
        batch = [*entries(1), *entries(1, first=1, raw="x", note="y" * 3000), *entries(1, first=2)]
        with pytest.raises(DeliveryImpossible, match="too large") as caught:
            await delivery.deliver(batch)
        assert caught.value.confirmed == 1
        await delivery.deliver(batch[2:])


async def test_an_event_that_ends_the_connection_twice_goes_without_the_raw_message(
    embedded_broker: EmbeddedBroker,
) -> None:
    """rumqttd hangs up on what is too large for it, and never said what is."""
    huge = entries(1, raw="x" * 2_000_000)
    async with subscriber(embedded_broker) as reader, House().connected(embedded_broker.url) as delivery:
        with pytest.raises(DeliveryInterrupted):
            await delivery.deliver(huge)
        assert await delivery.connect() == 0, "a broker that hangs up on what it gets has not crashed"
        # Whatever is delivered in between, what is known of the event stays known.
        await delivery.deliver(entries(3, first=1))
        await reader.numbers(3)
        for _ in range(2):
            await delivery.deliver(huge)
            payload = (await reader.next()).payload
            assert isinstance(payload, bytes)
            assert orjson.loads(payload)["data"] == {"n": 0, "rawref": "/v1/chargers/CP1/events/1-0"}


async def test_a_broker_that_goes_without_a_word_while_it_owes_nothing_may_have_forgotten() -> None:
    async with scripted() as broker, House().connected(broker.url) as delivery:
        await delivery.deliver(entries(3))
        broker.hang_up()
        async with asyncio.timeout(PATIENCE):
            await delivery.lost()
        assert await delivery.connect() == 60


async def test_a_broker_that_leaves_an_idle_shard_too_may_have_forgotten_what_the_busy_one_sent(
    mosquitto: Mosquitto,
) -> None:
    async with cable(mosquitto) as line:
        house = House()
        reader = MqttReader(MqttConfig(url=line.url), house.context, Topics("ocpp"))
        busy, idle = reader.open(1, house.touched), reader.open(2, house.touched)
        await busy.connect()
        await idle.connect()
        mosquitto.send(signal.SIGSTOP)
        waiting = asyncio.create_task(busy.deliver(entries(1)))
        await asyncio.sleep(0)
        line.cut()
        with pytest.raises(DeliveryInterrupted):
            await waiting
        await idle.lost()
        mosquitto.send(signal.SIGCONT)
        assert await asyncio.gather(busy.connect(), idle.connect()) == [60, 60]
        await busy.close()
        await idle.close()


async def test_a_broker_that_was_away_after_a_drop_may_have_forgotten(mosquitto: Mosquitto) -> None:
    house = House()
    async with house.connected(mosquitto.url) as delivery:
        await delivery.deliver(entries(1))
        mosquitto.send(signal.SIGSTOP)
        waiting = asyncio.create_task(delivery.deliver(entries(1, first=1)))
        await asyncio.sleep(0)
        mosquitto.kill()
        with pytest.raises(DeliveryInterrupted):
            await waiting
        connecting = asyncio.create_task(delivery.connect())
        await house.health.until("mqtt broker", "degraded")
        await asyncio.to_thread(mosquitto.start)
        assert await connecting == 60


async def test_no_event_is_missing_or_late_after_the_broker_was_away(mosquitto: Mosquitto) -> None:
    """The broker ends in the middle of a batch; the subscriber's session is kept by it."""
    kept = {"identifier": "reader", "clean_start": False, "properties": _session(3600)}
    count = 1000
    async with House().connected(mosquitto.url) as delivery:
        async with subscriber(mosquitto, **kept):
            pass
        waiting = entries(count)
        stopped = asyncio.create_task(asyncio.to_thread(mosquitto.stop))
        drops = 0
        while waiting or not drops:
            if not waiting:
                # The broker was not even told to end yet.
                waiting, count = entries(500, first=count), count + 500
            try:
                await delivery.deliver(waiting[:500])
                del waiting[:500]
            except DeliveryInterrupted as error:
                drops += 1
                del waiting[: error.confirmed]
                await stopped
                await asyncio.to_thread(mosquitto.start)
                async with asyncio.timeout(PATIENCE):
                    await delivery.connect()
    async with subscriber(mosquitto, **kept) as reader:
        numbers = await reader.numbers(count - 1)
    assert set(numbers) == set(range(count))
    firsts = list(dict.fromkeys(numbers))
    assert firsts == sorted(firsts), "what was sent again came behind what was sent first"


def _session(seconds: int) -> object:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = seconds
    return properties


async def test_an_interrupted_batch_tells_what_was_confirmed() -> None:
    async with scripted() as broker, House().connected(broker.url) as delivery:
        broker.holds = True
        delivering = asyncio.create_task(delivery.deliver(entries(10)))
        await broker.holding(10)
        broker.acknowledge(4)
        broker.send(mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN).write())
        with pytest.raises(DeliveryInterrupted, match="server shutting down") as caught:
            await delivering
        assert caught.value.confirmed == 4


async def test_a_removed_charger_whose_topics_are_not_cleared_comes_again() -> None:
    async with scripted() as broker, House().connected(broker.url) as delivery:
        broker.holds = True
        removed = entries(1, first=1, kind="ocpp.charger.removed", connectors=[[1, 1]])
        delivering = asyncio.create_task(delivery.deliver([*entries(1), *removed, *entries(1, first=2)]))
        await broker.holding(3)
        broker.acknowledge(3)
        await broker.holding(3)
        broker.hang_up()
        with pytest.raises(DeliveryInterrupted) as caught:
            await delivering
        assert caught.value.confirmed == 1


async def test_the_new_holder_of_a_shard_cuts_the_old_one_off(broker: Server) -> None:
    async with House().connected(broker.url) as stale, House().connected(broker.url) as holder:
        async with asyncio.timeout(PATIENCE):
            await stale.lost()
        with pytest.raises(DeliveryInterrupted):
            await stale.deliver(entries(1))
        async with subscriber(broker) as reader:
            await holder.deliver(entries(3))
            assert await reader.numbers(2) == [0, 1, 2]


async def test_shards_and_prefixes_do_not_cut_each_other_off(broker: Server) -> None:
    house = House()
    async with (
        house.connected(broker.url, 1) as one,
        house.connected(broker.url, 2) as two,
        house.connected(broker.url, 1, prefix="another") as three,
    ):
        for delivery in (one, two, three):
            await delivery.deliver(entries(1))


async def test_connecting_goes_on_until_the_broker_is_there(mosquitto: Mosquitto) -> None:
    mosquitto.stop()
    house = House()
    delivery = house.open(mosquitto.url)
    connecting = asyncio.create_task(delivery.connect())
    await house.health.until("mqtt broker", "degraded")
    await asyncio.to_thread(mosquitto.start)
    async with asyncio.timeout(PATIENCE):
        await connecting
    assert house.health.checks()["mqtt broker"].level == "ok"
    assert (house.counts.ups[0], house.counts.ups[-1]) == (False, True)
    await delivery.close()


async def test_nothing_is_delivered_before_connecting_and_after_closing(broker: Server) -> None:
    delivery = House().open(broker.url)
    with pytest.raises(DeliveryInterrupted):
        await delivery.deliver(entries(1))
    await delivery.close()
    await delivery.connect()
    await delivery.close()
    with pytest.raises(DeliveryError):
        await delivery.project([Snapshot(CP1, {"availability": b"online"})])


REFUSED_IN_3_1_1 = b"\x20\x02\x00\x01"


async def test_an_old_broker_is_not_used_unless_its_acknowledgements_are_trusted(mosquitto: Mosquitto) -> None:
    house = House()
    async with cable(mosquitto, refuses_5=REFUSED_IN_3_1_1) as old:
        connecting = asyncio.create_task(house.open(old.url).connect())
        assert "mqtt.trust_puback" in (await house.health.until("mqtt broker", "degraded")).detail
        assert not connecting.done()
        connecting.cancel()


@pytest.mark.parametrize("refusal", [REFUSED_IN_3_1_1, b""])
async def test_an_old_broker_is_used_where_it_is_trusted(mosquitto: Mosquitto, refusal: bytes) -> None:
    async with (
        cable(mosquitto, refuses_5=refusal) as old,
        subscriber(mosquitto) as reader,
        House().connected(old.url, trust_puback=True) as delivery,
    ):
        await delivery.deliver(entries(400))
        assert await reader.numbers(399) == list(range(400))
        old.cut()
        async with asyncio.timeout(PATIENCE):
            await delivery.lost()
        with pytest.raises(DeliveryInterrupted):
            await delivery.deliver(entries(1))
        await delivery.connect()
        await delivery.deliver(entries(1))
        assert await reader.numbers(0) == [0]


async def test_a_connection_with_mqtt_3_1_1_that_drops_in_a_batch_interrupts_it(mosquitto: Mosquitto) -> None:
    async with (
        cable(mosquitto) as old,
        House().connected(old.url, protocol="3.1.1", trust_puback=True) as delivery,
    ):
        delivering = asyncio.create_task(delivery.deliver(entries(100_000)))
        async with subscriber(mosquitto) as reader:
            await reader.next()
        old.cut()
        with pytest.raises(DeliveryInterrupted) as caught:
            await delivering
        assert 0 < caught.value.confirmed < 100_000


async def test_mqtt_3_1_1_speaks_for_the_gateway_too(mosquitto: Mosquitto) -> None:
    async with (
        subscriber(mosquitto, "ocpp/status") as reader,
        cable(mosquitto) as old,
        House().connected(old.url, 0, protocol="3.1.1", trust_puback=True),
    ):
        await reader.until("ocpp/status", b"online")
        old.cut()
        await reader.until("ocpp/status", b"offline")

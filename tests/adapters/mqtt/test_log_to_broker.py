"""The whole way from the log to the broker, the log's reader in between: a refusal holds, nothing is parked or lost."""

import signal
from pathlib import Path

import pytest

from adapters.mqtt.config import MqttConfig
from adapters.mqtt.delivery import MqttReader
from adapters.mqtt.topics import Topics
from gateway.core.events import StampedEvent
from gateway.core.health import Check
from gateway.core.ports import Commit, LogEntry
from tests.adapters.mqtt.publishing import CP1, House, entries, retained, subscriber
from tests.cluster.support import eventually, reading, running
from tests.support.servers import Mosquitto, Valkey

STARTED = "ocpp.transaction.started"


@pytest.mark.parametrize("status_is_allowed", [True, False])
async def test_a_refused_event_holds_the_log_until_the_acl_is_mended(
    status_is_allowed: bool, valkey: Valkey, tmp_path: Path
) -> None:
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    acl = tmp_path / "acl"
    allowed = "topic write ocpp/#\n" if status_is_allowed else "topic write ocpp/chargers/+/event/#\n"
    acl.write_text(f"{allowed}topic read #\ntopic deny ocpp/chargers/+/event/transaction/started\n")
    broker, house = Mosquitto(tmp_path / "strict", f"acl_file {acl}"), House()
    broker.start()
    try:
        async with running(valkey.url, shards=1) as node, subscriber(broker, "ocpp/+/+/event/#") as reader:
            claim = await node.cluster.ownership.claim(CP1)
            batch = [*entries(40), *entries(1, first=40, kind=STARTED), *entries(20, first=41)]
            for entry in batch:
                await node.cluster.log.commit(
                    Commit(CP1, claim.epoch, [_stamped(entry)], fields={"availability": b"online", "charger": b"{}"})
                )
            lane = MqttReader(MqttConfig(url=broker.url), house.context, Topics("ocpp"))
            async with reading(node, lane):
                await eventually(lambda: "transaction/started" in _detail(node.health.checks().get("mqtt")))
                acl.write_text("topic readwrite #\n")
                broker.send(signal.SIGHUP)
                numbers = await reader.numbers(60)
                while numbers[-21:] != list(range(40, 61)):
                    numbers += await reader.numbers(60)
                assert list(dict.fromkeys(numbers))[:40] == list(range(40))
                assert (await node.cluster.state.dead_letters()).items == []
                if status_is_allowed:
                    assert (await retained(broker))["ocpp/chargers/CP1/availability"] == b"online"
    finally:
        broker.stop()


def _detail(check: Check | None) -> str:
    return "" if check is None else check.detail


def _stamped(entry: LogEntry) -> StampedEvent:
    return StampedEvent(entry.id, entry.type, entry.body)

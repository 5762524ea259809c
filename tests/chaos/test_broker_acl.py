"""A broker whose ACL denies some topics: no event is skipped, and it is said which topic was refused."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.chaos.charger import HandCharger
from tests.chaos.conftest import MakeNode, start
from tests.chaos.laws import check_sequences
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import Mosquitto, Valkey

OPEN = "topic readwrite #\n"


async def _problems(node: GatewayProcess) -> str:
    async with node.client() as client:
        ready = await client.get("/readyz")
    assert ready.status_code == 200, ready.text
    checks = ready.json()["checks"].values()
    return " ".join(check["detail"] for check in checks if check["level"] == "degraded")


@pytest.mark.parametrize(
    ("denied", "topic"),
    [
        pytest.param(
            "ocpp/chargers/+/event/transaction/#", "ocpp/chargers/BY-HAND/event/transaction/started", id="money"
        ),
        pytest.param("ocpp/chargers/#", "ocpp/chargers/BY-HAND/event/charger/connected", id="everything"),
    ],
)
async def test_events_that_the_broker_refuses_are_named_and_arrive_when_the_acl_is_mended(
    denied: str, topic: str, make_node: MakeNode, valkey: Valkey, tmp_path: Path
) -> None:
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    acl = tmp_path / "acl"
    acl.write_text(OPEN + f"topic deny {denied}\n")
    mosquitto = Mosquitto(tmp_path / "mosquitto", f"acl_file {acl}").start()
    node = make_node(valkey.url, mosquitto.url)
    try:
        with Subscriber(mosquitto.port) as subscriber:
            await start(node)
            async with HandCharger(node.charger_url, "BY-HAND") as hand:
                await hand.boot()
                transaction = await hand.start()
                await hand.sample(transaction, 1100)
                await hand.stop(transaction, 1200)

                async def told() -> bool:
                    return topic in await _problems(node)

                await until(told, f"/readyz names {topic}")
                assert topic in node.log
                assert "transaction.started" not in subscriber.types("BY-HAND")

                acl.write_text(OPEN)
                await asyncio.to_thread(mosquitto.send, signal.SIGHUP)
                await until(lambda: "transaction.ended" in subscriber.types("BY-HAND"), "everything has arrived")
                wanted = ["charger.connected", "charger.booted"]
                wanted += [f"transaction.{kind}" for kind in ("started", "updated", "ended")]
                assert subscriber.types("BY-HAND") == wanted
                check_sequences(subscriber.events("BY-HAND"))

                async def healthy() -> bool:
                    problems.append(await _problems(node))
                    return not problems[-1]

                problems: list[str] = []
                await until(healthy, "/readyz says ok again")
                await until(lambda: subscriber.availability("BY-HAND") == "online", "retained state is there, too")
    finally:
        mosquitto.stop()


async def test_a_broker_that_knows_the_gateway_by_its_client_ids_lets_all_of_its_connections_in(
    make_node: MakeNode, valkey: Valkey, tmp_path: Path
) -> None:
    """They begin as deploy/brokers.md tells operators."""
    if Mosquitto.binary() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    mosquitto = Mosquitto(tmp_path / "mosquitto", "clientid_prefixes ocpp-gateway-").start()
    node = make_node(valkey.url, mosquitto.url)
    try:
        await start(node)

        async def all_is_well() -> bool:
            async with node.client() as client:
                checks = (await client.get("/readyz")).json()["checks"]
            levels = {name: check["level"] for name, check in checks.items() if name.startswith("mqtt")}
            return levels == {"mqtt": "ok", "mqtt broker": "ok", "mqtt control": "ok"}

        await until(all_is_well, "/readyz says that events and commands have their connections")
    finally:
        mosquitto.stop()

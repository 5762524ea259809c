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

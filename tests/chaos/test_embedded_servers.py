"""`serve` with servers of its own: Valkey and broker are its children, which die with it and are restarted by it."""

import asyncio
import signal

import psutil
import pytest

from tests.chaos.charger import HandCharger
from tests.chaos.conftest import MakeNode, start
from tests.chaos.subscriber import Subscriber
from tests.chaos.waiting import until
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import free_port

ORPHAN_SECONDS = 30.0


@pytest.fixture
def broker_port() -> int:
    return free_port()


@pytest.fixture
async def node(make_node: MakeNode, broker_port: int) -> GatewayProcess:
    found = make_node(None, None, settings={"mqtt": {"embedded_port": broker_port}})
    await start(found)
    return found


def _children(node: GatewayProcess) -> list[psutil.Process]:
    return psutil.Process(node.pid).children(recursive=True)


def _child(node: GatewayProcess, word: str) -> psutil.Process:
    """The child whose command line has this word."""
    found = [child for child in _children(node) if word in " ".join(child.cmdline())]
    assert found, [child.cmdline() for child in _children(node)]
    return found[-1]


async def test_a_killed_gateway_leaves_no_process_and_its_successor_has_its_state(
    node: GatewayProcess, broker_port: int
) -> None:
    async with HandCharger(node.charger_url, "HOME") as hand:
        await hand.boot()
        transaction = await hand.start()
        await hand.sample(transaction, 1100)
        children = _children(node)
        assert len(children) >= 2
        node.kill()
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, ORPHAN_SECONDS)
        assert alive == []

    await start(node)
    with Subscriber(broker_port) as subscriber:
        async with HandCharger(node.charger_url, "HOME") as hand:
            assert await hand.start() == transaction, "the start is known"
            await hand.stop(transaction, 1500)
            await until(lambda: "transaction.ended" in subscriber.types("HOME"), "the end is published")
            ended = subscriber.events("HOME")[-1]["data"]
            assert (ended["energy_wh"], ended["transaction_sequence"]) == (500, 2)
            async with node.client() as client:
                assert (await client.get("/v1/chargers/HOME")).json()["vendor"] == "Hand"


async def test_a_stopped_gateway_leaves_no_process(node: GatewayProcess) -> None:
    children = _children(node)
    assert await asyncio.to_thread(node.stop) == 0
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, ORPHAN_SECONDS)
    assert alive == []


@pytest.mark.parametrize("word", ["valkey", "rumqttd"])
async def test_an_embedded_server_that_dies_is_started_again_and_everything_goes_on(
    word: str, node: GatewayProcess, broker_port: int
) -> None:
    with Subscriber(broker_port) as subscriber:
        async with HandCharger(node.charger_url, "HOME") as hand:
            await hand.boot()
            transaction = await hand.start()
            await until(lambda: "transaction.started" in subscriber.types("HOME"), "the start is published")
            _child(node, word).send_signal(signal.SIGKILL)
            await hand.sample(transaction, 1100)
            await hand.stop(transaction, 1500)
            assert hand.closed is None

            async def healthy() -> bool:
                async with node.client() as client:
                    return str((await client.get("/readyz")).json()["status"]) == "ok"

            await until(healthy, "/readyz says ok again")
        # rumqttd keeps no session over its death: one who listens anew sees the truth in retained state.
        with Subscriber(broker_port) as late:
            await until(lambda: late.availability("HOME") == "offline", "retained state is there and right")
            await until(lambda: late.connector("HOME").get("energy_register_wh") == 1500, "its connector's, too")
            await until(lambda: (told := late.last("ocpp/status")) and told.text == "online", "and the gateway's")


async def test_an_embedded_server_that_does_not_start_again_is_tried_until_it_does(
    node: GatewayProcess, broker_port: int
) -> None:
    log_file = next(node.folder.rglob("broker.log"))
    log_file.rename(log_file.with_suffix(".kept"))
    log_file.mkdir()
    _child(node, "rumqttd").send_signal(signal.SIGKILL)
    await until(lambda: "embedded server does not start" in node.log, "the failure is told")
    log_file.rmdir()
    await until(lambda: node.log.count("embedded MQTT broker started") >= 2, "it is started again")
    async with HandCharger(node.charger_url, "HOME") as hand:
        await hand.boot()
        with Subscriber(broker_port) as subscriber:
            await until(lambda: subscriber.availability("HOME") == "online", "the broker is there again")

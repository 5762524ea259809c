"""`serve --workers 2`, as real processes: one gateway on one port, over two cores."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.chaos.charger import HandCharger
from tests.chaos.waiting import until
from tests.support.gateway_process import READY_TIMEOUT, GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

NODES = ["node.1", "node.2"]
CHARGERS = 12


@pytest.fixture
def gateway(tmp_path: Path, valkey: Valkey, embedded_broker: EmbeddedBroker) -> Iterator[GatewayProcess]:
    settings: dict[str, dict[str, Any]] = {
        "gateway": {"workers": 2},
        # None of them is taken for dead for being held up by a busy machine, and chargers are counted soon.
        "redis": {"node_term": 6.0, "lease_term": 2.0},
    }
    process = GatewayProcess(
        tmp_path / "gateway", redis_url=valkey.url, mqtt_url=embedded_broker.url, node="node", settings=settings
    )
    try:
        process.start(ready=False)
        # Two processes start, each as slowly as one, on however few cores there are.
        process.wait_ready(2 * READY_TIMEOUT)
        yield process
    finally:
        if process.runs:
            process.stop()


async def nodes(gateway: GatewayProcess) -> dict[str, int]:
    """Chargers by node, as REST tells."""
    async with gateway.client() as client:
        answer = await client.get("/v1/nodes")
    assert answer.status_code == 200, answer.text
    return {node["id"]: node["chargers"] for node in answer.json()["items"]}


async def metrics(gateway: GatewayProcess) -> str:
    async with gateway.client() as client:
        return (await client.get("/metrics")).text


async def both_up(gateway: GatewayProcess) -> bool:
    return (
        (await metrics(gateway)).count("ocpp_gateway_worker_up{")
        == 2
        == (await metrics(gateway)).count('ocpp_gateway_build_info{worker="')
    )


async def node_of(gateway: GatewayProcess, charger: str) -> str:
    async with gateway.client() as client:
        return str((await client.get(f"/v1/chargers/{charger}")).json()["node"])


def workers(gateway: GatewayProcess) -> dict[int, psutil.Process]:
    found = {}
    for child in psutil.Process(gateway.pid).children():
        arguments = child.cmdline()
        if "--worker" in arguments:
            found[int(arguments[arguments.index("--worker") + 1])] = child
    return found


@asynccontextmanager
async def on_both(gateway: GatewayProcess) -> AsyncIterator[dict[str, HandCharger]]:
    """Booted chargers, at least one on each worker: the system spreads connections, but promises nothing."""
    async with AsyncExitStack() as stack:
        chargers: dict[str, HandCharger] = {}
        while len(chargers) < CHARGERS or len({await node_of(gateway, one) for one in chargers}) < 2:
            name = f"CP-{len(chargers)}"
            chargers[name] = await stack.enter_async_context(HandCharger(gateway.charger_url, name))
            await chargers[name].boot()
        yield chargers


async def unlock(gateway: GatewayProcess, charger: str) -> str:
    # A connection of its own for each, so that either worker is asked.
    async with gateway.client() as client:
        answer = await client.post(f"/v1/chargers/{charger}/commands/unlock", json={"evse_id": 1})
    return str(answer.json()["outcome"])


async def all_are_told(gateway: GatewayProcess, count: int) -> bool:
    page = await metrics(gateway)
    found = re.findall(r'^ocpp_gateway_connections\{worker="(\d)",version="1.6"\} (\S+)$', page, re.MULTILINE)
    return {worker for worker, _ in found} == {"1", "2"} and sum(float(number) for _, number in found) == count


async def counts_are(gateway: GatewayProcess, count: int) -> bool:
    found = await nodes(gateway)
    return sorted(found) == NODES and sum(found.values()) == count


async def test_two_workers_are_one_gateway_and_one_that_is_killed_is_started_again(gateway: GatewayProcess) -> None:
    await until(lambda: both_up(gateway), "both workers serve")
    assert gateway.log.count("a charger does not connect?") == 1, "one of them tells where, for all"
    async with on_both(gateway) as chargers:
        assert {await unlock(gateway, charger) for charger in chargers for _ in range(2)} == {"accepted"}
        assert all(len(charger.commands) == 2 for charger in chargers.values())
        for _ in range(4):
            await until(lambda: all_are_told(gateway, len(chargers)), "either worker tells of both workers' chargers")
        await until(lambda: counts_are(gateway, len(chargers)), "the nodes count their chargers")

        where = {name: await node_of(gateway, name) for name in chargers}
        lost = [name for name, node in where.items() if node == "node.1"]
        kept = [name for name, node in where.items() if node == "node.2"]
        victim = workers(gateway)[1]
        victim.kill()
        for name in lost:
            await chargers[name].until_closed()
        assert {await unlock(gateway, name) for name in kept} == {"accepted"}, "the other worker serves on"
        await until(lambda: workers(gateway).get(1, victim).pid != victim.pid, "the worker is started again")
        await until(lambda: both_up(gateway), "both workers serve again")

        async def one_restart_is_told() -> bool:
            return 'ocpp_gateway_worker_restarts_total{worker="1"} 1.0' in await metrics(gateway)

        await until(one_restart_is_told, "the restart is counted")
        async with HandCharger(gateway.charger_url, lost[0]) as back:
            await back.boot()
            assert await unlock(gateway, lost[0]) == "accepted"
            assert await asyncio.to_thread(gateway.stop) == 0
            closed = [await charger.until_closed() for charger in (back, *(chargers[name] for name in kept))]
            assert {code for code, _ in closed} == {1012}, "both drained"


async def test_no_worker_outlives_a_parent_that_is_killed(gateway: GatewayProcess) -> None:
    await until(lambda: both_up(gateway), "both workers serve")
    family = list(workers(gateway).values())
    async with HandCharger(gateway.charger_url, "CP") as charger:
        await charger.boot()
        gateway.kill()
        assert (await charger.until_closed())[0] == 1012, "they drain"
    await until(lambda: not any(one.is_running() and one.status() != "zombie" for one in family), "they end")


async def test_workers_share_a_tls_listener_too(
    tmp_path: Path, valkey: Valkey, embedded_broker: EmbeddedBroker, certificate: tuple[Path, Path]
) -> None:
    chain, key = certificate
    trusting = ssl.create_default_context(cafile=str(chain))
    settings: dict[str, dict[str, Any]] = {
        "gateway": {"workers": 2, "adapters": ["rest"]},
        "chargers": {"tls_certificate": str(chain), "tls_key": str(key)},
    }
    with GatewayProcess(
        tmp_path / "gateway", redis_url=valkey.url, mqtt_url=embedded_broker.url, node="node", settings=settings
    ) as gateway:
        await until(lambda: both_up(gateway), "both workers serve")
        where: set[str] = set()
        for number in range(100):
            url = f"wss://127.0.0.1:{gateway.charger_port}/CP-{number}"
            async with connect(url, subprotocols=[Subprotocol("ocpp1.6")], ssl=trusting, proxy=None, open_timeout=60):
                where.add(await node_of(gateway, f"CP-{number}"))
            if where == set(NODES):
                break
        assert where == set(NODES)

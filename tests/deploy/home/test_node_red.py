"""deploy/home/node-red/flows.json in a real Node-RED, against a gateway and a wallbox that charges."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deploy.home.living import FILES, PATIENCE, Home, home, three_phase_car
from tests.support.node import NODE_RED_FOLDER, need_node
from tests.support.servers import Mosquitto, Valkey, free_port

FLOWS = FILES / "node-red" / "flows.json"
TAB = "home.wallbox"


class NodeRed:
    """A running Node-RED; its nodes are pressed and its context is read over its admin API."""

    def __init__(self, client: httpx.AsyncClient, log: Path) -> None:
        self._client, self._log = client, log

    async def press(self, node: str) -> None:
        """Press the button of an inject node."""
        (await self._client.post(f"/inject/{node}")).raise_for_status()

    async def context(self, name: str) -> Any:
        """What the flow keeps under a name; None where it keeps nothing."""
        kept = (await self._client.get(f"/context/flow/{TAB}/{name}")).raise_for_status().json()
        return json.loads(kept["msg"]) if kept.get("format") in ("Object", "number") else kept.get("msg")

    async def until(self, name: str, key: str, value: object) -> None:
        """Wait until what the flow keeps says so."""
        kept: Any = None
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    kept = await self.context(name)
                    if isinstance(kept, dict) and kept.get(key) == value:
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{key} is not {value} in {kept}; {_said(self._log)[-2000:]}") from None


def _write_flows(folder: Path, broker_port: int) -> None:
    folder.mkdir()
    flows = json.loads(FLOWS.read_text())
    for node in flows:
        if node["type"] == "mqtt-broker":
            node["port"] = str(broker_port)
    (folder / "flows.json").write_text(json.dumps(flows))


def _said(log: Path) -> str:
    return log.read_text(errors="replace")


@asynccontextmanager
async def node_red(folder: Path, broker_port: int) -> AsyncIterator[NodeRed]:
    """Node-RED with the flows as they are, but for the broker's port."""
    _write_flows(folder, broker_port)
    port, log = free_port(), folder / "node-red.log"
    program = NODE_RED_FOLDER / "node_modules" / "node-red" / "red.js"
    node = shutil.which("node")
    assert node is not None
    options = ("--userDir", folder, "--settings", NODE_RED_FOLDER / "settings.cjs", "--port", str(port), "flows.json")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            node, program, *options, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE) as client:
            running = NodeRed(client, log)
            await _ready(client, process, log)
            yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ready(client: httpx.AsyncClient, process: asyncio.subprocess.Process, log: Path) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while "Started flows" not in _said(log):
                assert process.returncode is None, _said(log)
                await asyncio.sleep(0.05)
            (await client.get("/flows")).raise_for_status()
    except TimeoutError:
        raise AssertionError(f"Node-RED did not start: {_said(log)}") from None


def test_every_wire_leads_somewhere_and_every_topic_is_the_wallboxes() -> None:
    nodes = {node["id"]: node for node in json.loads(FLOWS.read_text())}
    for node in nodes.values():
        for wire in (one for output in node.get("wires", []) for one in output):
            assert wire in nodes, node
        if "broker" in node and node["type"] != "mqtt-broker":
            assert nodes[node["broker"]]["type"] == "mqtt-broker"
        topic = node.get("topic", "")
        assert topic in ("", "home/surplus_w") or topic.startswith("ocpp/chargers/wallbox/evse/1/connector/1/"), node


@pytest.mark.timeout(300)
async def test_node_red_reads_and_steers_a_charge(tmp_path: Path, valkey: Valkey, mosquitto: Mosquitto) -> None:
    need_node(NODE_RED_FOLDER)
    async with (
        home(tmp_path / "gateway", valkey, mosquitto, "2.1") as living,
        node_red(tmp_path / "node-red", mosquitto.port) as flow,
    ):
        await flow.until("wallbox", "plugged", False)
        living.wallbox.plug_in(three_phase_car())
        await flow.until("wallbox", "plugged", True)
        await flow.press("wallbox.charge")
        await flow.until("wallbox", "status", "charging")
        await flow.press("wallbox.limit10")
        await living.allows(10 * 690)
        await flow.until("wallbox", "power_w", 6900)
        await flow.press("wallbox.pause")
        await flow.until("wallbox", "paused_by", "command")
        await flow.press("wallbox.resume")
        await living.allows(10 * 690)
        await flow.press("wallbox.nolimit")
        await living.allows(None)
        await _the_sun(living)
        await flow.press("wallbox.stop")
        await flow.until("wallbox", "transaction", None)


async def _the_sun(living: Home) -> None:
    """The surplus becomes a limit, and a pause where it is too little for a car."""
    await living.publish("home/surplus_w", "8300")
    await living.allows(12 * 690)
    await living.publish("home/surplus_w", "3000")
    await living.allows(0)
    await living.publish("home/surplus_w", "20000")
    await living.allows(16 * 690)

"""What a home install takes: the gateway, its embedded Valkey and its embedded broker, all processes of them."""

import asyncio
import sys
import tempfile
from pathlib import Path

import aiomqtt
import psutil
import pytest

from tests.support.gateway_process import GatewayProcess
from tests.support.servers import free_port
from tests.test_cli import environment

MOST = 200e6
"""Bytes. A board with 512 MB has as much to spare."""


def taken(gateway: GatewayProcess) -> tuple[float, str]:
    """Bytes that all processes take, each shared page counted once among those that share it; and a table."""
    parent = psutil.Process(gateway.pid)
    table, total = "", 0.0
    for process in [parent, *parent.children(recursive=True)]:
        memory = process.memory_full_info()
        own = getattr(memory, "pss", memory.rss)
        total += own
        table += f"{own / 1e6:6.1f} MB of {memory.rss / 1e6:6.1f} MB resident  {' '.join(process.cmdline())[:80]!r}\n"
    return total, table


@pytest.mark.parametrize(("seconds", "speed"), [(0, 60), pytest.param(300, 10, marks=pytest.mark.soak)])
@pytest.mark.timeout(600)
async def test_all_of_a_home_stays_below_200_mb(seconds: float, speed: float, tmp_path: Path) -> None:
    broker = free_port()
    with (
        tempfile.TemporaryDirectory() as short,
        GatewayProcess(
            Path(short), redis_url=None, mqtt_url=None, settings={"mqtt": {"embedded_port": broker}}
        ) as home,
    ):
        chargers = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", "simulate", "--quiet", "--url", home.charger_url),
                *("--count", "2", "--version", version, "--id-prefix", f"V{version}-", "--speed", str(speed)),
                *("--connectors", "2"),
                cwd=tmp_path,
                env=environment(),
                stdout=asyncio.subprocess.DEVNULL,
            )
            for version in ("1.6", "2.0.1", "2.1")
        ]
        try:
            await transactions(broker, 3)
            await asyncio.sleep(seconds)
            total, table = taken(home)
        finally:
            for charger in chargers:
                charger.terminate()
            await asyncio.gather(*(charger.wait() for charger in chargers))
        sys.stdout.write(f"{table}{total / 1e6:6.1f} MB in all\n")
        assert total < MOST, table


async def transactions(broker: int, count: int) -> None:
    """Return when so many have ended, and a subscriber has read everything meanwhile."""
    client = aiomqtt.Client("127.0.0.1", broker, protocol=aiomqtt.ProtocolVersion.V5, timeout=60)
    async with asyncio.timeout(240), client:
        await client.subscribe("ocpp/#", qos=1)
        async for message in client.messages:
            count -= message.topic.matches("ocpp/chargers/+/event/transaction/ended")
            if count <= 0:
                return

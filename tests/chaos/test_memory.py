"""Slow consumers and outages cost the gateway a bounded amount of memory: the figures of deploy/README.md."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import redis

from tests.chaos.charger import HandCharger
from tests.chaos.conftest import MakeNode, start
from tests.chaos.waiting import POLL, until
from tests.chargers.harness import handshake, masked, response
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

MIB = 1024**2
FLOODING, ENOUGH = 200, 300 * 1024
STUCK_LIMIT = 100 * MIB
"""What 200 chargers that flood may cost while Redis is stuck; unbounded, each would cost as much as it sends."""
DEAF_LIMIT = 20 * MIB
"""What a broker that acknowledges nothing may cost on a shard."""


def resident(node: GatewayProcess) -> int:
    return int(psutil.Process(node.pid).memory_info().rss)


class Flood:
    """A charger that says the same thing as fast as it can, ENOUGH bytes of it, and reads no answer."""

    def __init__(self, node: GatewayProcess, number: int) -> None:
        self._node, self._number = node, number
        self.sent = 0

    async def run(self, connected: asyncio.Semaphore, begin: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._node.charger_port)
        try:
            writer.write(handshake(f"/ocpp/FLOOD-{self._number}"))
            assert (await response(reader))[0] == 101
            connected.release()
            await begin.wait()
            payload = {"connectorId": 1, "status": "Available", "errorCode": "NoError", "info": "x" * 50}
            burst = masked(json.dumps([2, "i" * 36, "StatusNotification", payload]).encode()) * 100
            while self.sent < ENOUGH:
                writer.write(burst)
                await writer.drain()
                self.sent += len(burst)
            await asyncio.Event().wait()
        finally:
            writer.transport.abort()


async def all_stalled(floods: list[Flood]) -> None:
    """Return when none of them gets rid of anything any more, as it waits in the sockets, or has said enough."""
    before: list[int] = []
    while not before or before != [flood.sent for flood in floods]:
        before = [flood.sent for flood in floods]
        await asyncio.sleep(10 * POLL)


async def test_chargers_that_flood_while_redis_is_stuck_cost_bounded_memory(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker
) -> None:
    node = make_node(valkey.url, embedded_broker.url, settings={"gateway": {"log_level": "warning"}})
    await start(node)
    floods = [Flood(node, number) for number in range(FLOODING)]
    async with HandCharger(node.charger_url, "CALM") as calm, asyncio.TaskGroup() as tasks:
        await calm.boot()
        connected, begin = asyncio.Semaphore(0), asyncio.Event()
        running = [tasks.create_task(flood.run(connected, begin), name="flood") for flood in floods]
        async with asyncio.timeout(60):
            for _ in floods:
                await connected.acquire()
        await calm.status("Available")
        before = resident(node)
        valkey.send(signal.SIGSTOP)
        try:
            begin.set()
            async with asyncio.timeout(60):
                await all_stalled(floods)
            grown = resident(node) - before
        finally:
            valkey.send(signal.SIGCONT)
        assert grown < STUCK_LIMIT, f"{grown / MIB:.0f} MiB for {sum(flood.sent for flood in floods) / MIB:.0f} MiB"
        for task in running:
            task.cancel()
        await calm.status("Available")


@asynccontextmanager
async def broker_that_acknowledges_nothing() -> AsyncIterator[tuple[int, list[int]]]:
    """A broker of MQTT 5 that takes every event and never says so; its port, and the bytes taken."""
    taken = [0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                first, length, shift = (await reader.readexactly(1))[0], 0, 0
                kind = first >> 4
                while True:
                    digit = (await reader.readexactly(1))[0]
                    length |= (digit & 0x7F) << shift
                    shift += 7
                    if digit < 0x80:
                        break
                body = await reader.readexactly(length)
                if kind == 1:
                    writer.write(b"\x20\x03\x00\x00\x00")
                elif kind == 3 and first & 1:
                    # Retained state: without it the gateway would not begin.
                    after_topic = 2 + int.from_bytes(body[:2])
                    writer.write(b"\x40\x02" + body[after_topic : after_topic + 2])
                elif kind == 3:
                    taken[0] += length
                elif kind == 8:
                    filters = body.count(b"/#") or body.count(b"/+/")
                    writer.write(bytes([0x90, 3 + max(1, filters)]) + body[:2] + b"\x00" + b"\x01" * max(1, filters))
                elif kind == 12:
                    writer.write(b"\xd0\x00")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], taken


async def test_a_broker_that_takes_everything_and_acknowledges_nothing_costs_bounded_memory_and_no_charger_time(
    make_node: MakeNode, valkey: Valkey, tmp_path: Path
) -> None:
    chargers, rounds, size = 20, 60, 25_000
    settings: dict[str, dict[str, Any]] = {"redis": {"shards": 1}, "gateway": {"log_level": "warning"}}
    async with broker_that_acknowledges_nothing() as (port, taken), AsyncExitStack() as stack:
        node = make_node(valkey.url, f"mqtt://127.0.0.1:{port}", settings=settings)
        await start(node)
        fleet = [
            await stack.enter_async_context(HandCharger(node.charger_url, f"CP-{number}")) for number in range(chargers)
        ]
        for charger in fleet:
            await charger.boot()
        await until(lambda: taken[0] > 0, "the broker takes events")
        before = resident(node)

        async def talk(charger: HandCharger) -> None:
            for _ in range(rounds):
                await charger.call("DataTransfer", {"vendorId": "V", "data": "x" * size})

        await asyncio.gather(*(talk(charger) for charger in fleet))
        grown = resident(node) - before
        sent = 2 * chargers * rounds * size  # each event tells it twice, as data and raw
        with redis.Redis.from_url(valkey.url) as client:
            logged = client.xlen("ocpp:{s00}:log")
        assert logged >= chargers * rounds, "all that was answered waits in the log"
        assert taken[0] < sent / 4
        assert grown < DEAF_LIMIT, f"{grown / MIB:.0f} MiB for {sent / MIB:.0f} MiB of events"

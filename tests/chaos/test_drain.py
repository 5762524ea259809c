"""A gateway that is asked to stop ends within its deadline, whatever hangs, and fails /readyz before anything else."""

import asyncio
import signal
import time
from typing import Any

import httpx

from gateway.cli.serve import AT_ONCE_SECONDS
from tests.chaos.charger import HandCharger
from tests.chaos.conftest import MakeNode, start
from tests.chaos.waiting import until
from tests.chargers.harness import handshake, response
from tests.support.gateway_process import GatewayProcess
from tests.support.servers import EmbeddedBroker, Valkey

DEADLINE = 6.0
SLACK = 15.0
"""What the end of a process takes on a busy machine, beyond the deadline."""


async def _ended(node: GatewayProcess) -> tuple[int | None, float]:
    """Exit code, and seconds from the signal on."""
    began = time.monotonic()
    code = await asyncio.to_thread(node.stop)
    return code, time.monotonic() - began


async def _deaf(node: GatewayProcess) -> asyncio.StreamWriter:
    """A charger that answers nothing, not even a close frame."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.charger_port)
    writer.write(handshake("/ocpp/DEAF"))
    assert (await response(reader))[0] == 101
    return writer


async def test_with_redis_stuck_the_broker_away_and_a_deaf_charger_it_ends_within_its_deadline(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker
) -> None:
    settings: dict[str, dict[str, Any]] = {"gateway": {"shutdown_deadline": DEADLINE}}
    node = make_node(valkey.url, embedded_broker.url, settings=settings)
    await start(node)
    deaf = await _deaf(node)
    async with HandCharger(node.charger_url, "WAITS") as waiting:
        await waiting.boot()
        valkey.send(signal.SIGSTOP)
        embedded_broker.send(signal.SIGSTOP)
        try:
            await waiting.send("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"})
            code, seconds = await _ended(node)
        finally:
            valkey.send(signal.SIGCONT)
            embedded_broker.send(signal.SIGCONT)
    deaf.close()
    assert code in (0, 1)
    assert seconds < DEADLINE + SLACK
    assert "Traceback" not in node.log


async def test_readiness_fails_while_chargers_are_still_let_in_and_a_second_signal_ends_it_at_once(
    make_node: MakeNode, valkey: Valkey, embedded_broker: EmbeddedBroker
) -> None:
    settings: dict[str, dict[str, Any]] = {"gateway": {"drain_delay": 50, "shutdown_deadline": 100}}
    node = make_node(valkey.url, embedded_broker.url, settings=settings)
    await start(node)
    deaf = await _deaf(node)
    node.send(signal.SIGTERM)

    async def unready() -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"{node.rest_url}/readyz")).status_code == 503

    await until(unready, "it is not ready any more")
    async with HandCharger(node.charger_url, "LATE") as late:
        await late.boot()
        valkey.send(signal.SIGSTOP)
        try:
            code, seconds = await _ended(node)
        finally:
            valkey.send(signal.SIGCONT)
    deaf.close()
    assert (code, seconds < AT_ONCE_SECONDS + SLACK) == (130, True)

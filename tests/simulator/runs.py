"""Simulations against a FakeCsms, and what it heard, read alike for all versions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.simulator import SimulatorOptions, simulate
from tests.simulator.csms import FakeCsms, Received

FAST: dict[str, Any] = {"speed": 100.0, "samples": 3, "ids": ("CP1",), "reconnect_min": 0.05, "call_timeout": 60.0}


def options(csms: FakeCsms, **changes: Any) -> SimulatorOptions:
    return SimulatorOptions(**{"url": csms.url, "version": csms.version, **FAST, **changes})


@asynccontextmanager
async def running(csms: FakeCsms, **changes: Any) -> AsyncIterator[None]:
    """A simulation in the background that is stopped at the end; its failures are the test's."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(simulate(options(csms, **changes), stop=stop), name="simulation")
        try:
            yield
        finally:
            stop.set()


def transaction_messages(csms: FakeCsms) -> list[str]:
    kinds = []
    for received in csms.received:
        if received.action == "TransactionEvent":
            kinds.append(received.payload["eventType"])
        elif received.action in ("StartTransaction", "MeterValues", "StopTransaction"):
            kinds.append(
                {"StartTransaction": "Started", "MeterValues": "Updated", "StopTransaction": "Ended"}[received.action]
            )
    return kinds


def energy(payload: dict[str, Any]) -> list[float]:
    """The register values in a message of any version."""
    if "meterStart" in payload:
        return [payload["meterStart"]]
    if "meterStop" in payload:
        return [payload["meterStop"]]
    samples = [s for value in payload.get("meterValue", []) for s in value["sampledValue"]]
    return [float(s["value"]) for s in samples if s["measurand"] == "Energy.Active.Import.Register"]


def power(payload: dict[str, Any]) -> float:
    samples = payload["meterValue"][0]["sampledValue"]
    return next(float(s["value"]) for s in samples if s["measurand"] == "Power.Active.Import")


def is_sample(received: Received) -> bool:
    return received.action == "MeterValues" or received.payload.get("eventType") == "Updated"

"""Virtual chargers of each version beside the test, connected to its gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.simulator import SimulatorOptions, Version, simulate
from tests.support.gateway_process import GatewayProcess

VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1", "2.1")


@asynccontextmanager
async def virtual_charger(
    gateway: GatewayProcess, version: Version, identity: str, **options: Any
) -> AsyncIterator[None]:
    """A charger that waits for commands, connected and booted; its clock runs fast, so that jobs end soon."""
    connected, stop = asyncio.Event(), asyncio.Event()
    settings = SimulatorOptions(
        url=gateway.charger_url,
        version=version,
        ids=(identity,),
        scenario="idle",
        **{"speed": 50.0, "interval": 50.0, **options},
    )

    def heard(event: Any) -> None:
        if event.kind == "acknowledged" and event.action == "StatusNotification":
            connected.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(simulate(settings, on_event=heard, stop=stop), name=identity)
        try:
            async with asyncio.timeout(60):
                await connected.wait()
            yield
        finally:
            stop.set()

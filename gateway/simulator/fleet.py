"""Many virtual chargers in one process."""

import asyncio

from gateway.simulator.charger import VirtualCharger
from gateway.simulator.dialect import Dialect
from gateway.simulator.obey2x.table import V21, V201
from gateway.simulator.obey16.table import V16
from gateway.simulator.opening import tls_context
from gateway.simulator.options import SimulatorOptions
from gateway.simulator.report import OnEvent, Recorder, SimulatorReport
from gateway.simulator.scenarios import live

DIALECTS: dict[str, Dialect] = {dialect.version: dialect for dialect in (V16, V201, V21)}
CLOSING_SECONDS = 5.0


async def simulate(
    options: SimulatorOptions, *, on_event: OnEvent | None = None, stop: asyncio.Event | None = None
) -> SimulatorReport:
    """Run the fleet until its rounds are done, its duration is over, or `stop` is set; then report.

    At the end, and on cancellation too, running transactions are stopped (`stop_on_exit`) and the sockets closed
    within some seconds. `on_event` is called in the event loop and must not block.
    """
    recorder = Recorder(on_event, record=options.record)
    tls = tls_context(options)
    chargers = [
        VirtualCharger(identity, options, DIALECTS[options.version], recorder, tls=tls)
        for identity in options.identities()
    ]
    recorder.report.chargers = len(chargers)
    async with asyncio.TaskGroup() as tasks:
        fleet = tasks.create_task(_run(chargers, options.ramp), name="simulated chargers")
        end = tasks.create_task((stop or asyncio.Event()).wait(), name="end of simulation")
        try:
            await asyncio.wait({fleet, end}, timeout=options.duration, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for charger in chargers:
                charger.leave()
            await asyncio.wait({fleet}, timeout=options.leave_timeout + CLOSING_SECONDS)
            fleet.cancel()
            end.cancel()
    recorder.report.unsent = sum(len(charger.station.outbox) for charger in chargers)
    return recorder.report


async def _run(chargers: list[VirtualCharger], ramp: float | None) -> None:
    async with asyncio.TaskGroup() as tasks:
        for charger in chargers:
            if charger.leaving:
                return
            tasks.create_task(live(charger), name=charger.identity)
            if ramp is not None:
                await asyncio.sleep(1 / ramp)

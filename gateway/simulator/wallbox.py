"""A virtual wallbox: a charger with one outlet, where cars come and go and whatever charges is started by the CSMS."""

import asyncio

from gateway.simulator.car import Car
from gateway.simulator.charger import VirtualCharger
from gateway.simulator.connector import Connector
from gateway.simulator.fleet import DIALECTS
from gateway.simulator.opening import tls_context
from gateway.simulator.options import SimulatorOptions
from gateway.simulator.report import OnEvent, Recorder
from gateway.simulator.scenarios import live, sample_until_stop


class Wallbox:
    """The first charger of the options. `run` is its life; what people do with it are the other methods."""

    def __init__(self, options: SimulatorOptions, *, on_event: OnEvent | None = None) -> None:
        self.recorder = Recorder(on_event, record=options.record)
        dialect, identity = DIALECTS[options.version], options.identities()[0]
        self._charger = VirtualCharger(identity, options, dialect, self.recorder, tls=tls_context(options))

    @property
    def identity(self) -> str:
        return self._charger.identity

    @property
    def outlet(self) -> Connector:
        """Its state; to be looked at only."""
        return self._charger.station.connectors[0]

    @property
    def unsent(self) -> int:
        """Transaction messages that are not acknowledged yet."""
        return len(self._charger.station.outbox)

    def now(self) -> float:
        """Its clock."""
        return self._charger.station.now()

    async def run(self) -> None:
        """Live until told to leave."""
        await live(self._charger, _attend)

    def leave(self) -> None:
        """End what runs, get rid of what is stored, and go."""
        self._charger.leave()

    def plug_in(self, car: Car) -> None:
        """A car comes, in the place of one that may be there."""
        self.outlet.count()
        self.outlet.car, self.outlet.plugged, self.outlet.finishing = car, True, False
        self.outlet.changed.set()

    def unplug(self) -> None:
        """The car leaves; a transaction ends for it."""
        self.outlet.plugged = self.outlet.finishing = False
        if self.outlet.transaction is not None:
            self.outlet.stop("ev_disconnected")
        self.outlet.changed.set()

    def rest(self, resting: bool) -> None:
        """The car pauses by itself, or goes on."""
        self.outlet.count()
        self.outlet.car.resting = resting
        self.outlet.changed.set()

    async def lose_line(self) -> None:
        """The connection drops without a word; it comes back by itself."""
        await self._charger.disconnect(abruptly=True)


async def _attend(charger: VirtualCharger, connector: Connector) -> None:
    """Tell what people do at the outlet, and charge where the CSMS starts it and a car is there, or comes in time."""
    await charger.ready.wait()
    lapses_at: float | None = None
    loop = asyncio.get_running_loop()
    while not charger.leaving:
        connector.changed.clear()
        await charger.report_status(connector)
        remote = connector.remote_start
        if remote is None:
            lapses_at = None
        elif connector.plugged:
            connector.remote_start, connector.stop_reason = None, None
            transaction = charger.begin(connector, remote.token, remote)
            await charger.report_status(connector)
            await sample_until_stop(charger, transaction, endless=True)
            left = not connector.plugged
            charger.end(transaction, connector.stop_reason or "local")
            connector.finishing = not left
            continue
        else:
            patience = charger.station.variables.seconds("ConnectionTimeOut", 60.0) / charger.options.speed
            lapses_at = lapses_at or loop.time() + patience
            if loop.time() >= lapses_at:
                connector.remote_start = None
                continue
        try:
            async with asyncio.timeout_at(lapses_at):
                await connector.changed.wait()
        except TimeoutError:
            continue

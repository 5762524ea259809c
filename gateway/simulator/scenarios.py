"""What chargers do of their own: the car comes, charges and goes, the line fails, a backlog waits."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

from gateway.simulator.charger import VirtualCharger
from gateway.simulator.connector import Connector, RemoteStart, Transaction
from gateway.simulator.wording2x import stream_element, stream_opening

Serve = Callable[[VirtualCharger, Connector], Coroutine[Any, Any, None]]
"""What happens at a connector; ends when all is done, or when the charger is to leave."""


async def live(charger: VirtualCharger, serve: Serve | None = None) -> None:
    """A charger's whole life: ends when all its rounds are done and acknowledged, or when it is to leave.

    `serve` is what happens at a connector; None: what the scenario has for it.
    """
    serve = serve or drive
    if charger.options.scenario == "backlog":
        store_backlog(charger)
    async with asyncio.TaskGroup() as tasks:
        background = [
            tasks.create_task(charger.stay_connected(), name=f"{charger.identity} connection"),
            tasks.create_task(charger.restart_on_demand(), name=f"{charger.identity} resets"),
            tasks.create_task(charger.errands.run(), name=f"{charger.identity} errands"),
        ]
        if charger.options.scenario == "storm":
            background.append(tasks.create_task(lose_lines(charger), name=f"{charger.identity} storm"))
        drivers = [
            tasks.create_task(serve(charger, connector), name=f"{charger.identity}/{connector.evse_id} driver")
            for connector in charger.station.connectors
        ]
        try:
            await asyncio.wait(drivers)
            await charger.drain()
        finally:
            await charger.go()
            for task in background:
                task.cancel()


async def drive(charger: VirtualCharger, connector: Connector) -> None:
    """Serve one connector: transactions by the scenario, and those that the CSMS starts."""
    options = charger.options
    own = options.scenario in ("charge", "storm")
    if options.scenario == "backlog" and options.rounds is not None:
        return
    await charger.ready.wait()
    pause: float | None = 0.0 if own else None
    done = 0
    while not charger.leaving and (options.rounds is None or done < options.rounds):
        if connector.remote_start is None:
            await _wait(connector, pause)
        remote, connector.remote_start = connector.remote_start, None
        elapsed = not connector.changed.is_set()
        connector.changed.clear()
        if charger.leaving or (remote is None and not (own and elapsed and connector.free_for(options.token))):
            continue
        await charge(charger, connector, remote)
        done += 1
        pause = charger.station.random.uniform(0.5, 1.5) * options.idle_time / options.speed if own else None


async def charge(charger: VirtualCharger, connector: Connector, remote: RemoteStart | None) -> None:
    """One transaction, from plugging in to driving away."""
    token = charger.options.token if remote is None else remote.token
    connector.plugged = True
    await charger.report_status(connector)
    if remote is not None or await charger.authorize(token):
        transaction = charger.begin(connector, token, remote)
        await charger.report_status(connector)
        endless = remote is not None and charger.options.scenario in ("idle", "backlog")
        await sample_until_stop(charger, transaction, endless=endless)
        if charger.leaving and not charger.options.stop_on_exit:
            return
        charger.end(transaction, connector.stop_reason or "local")
        await charger.report_status(connector)
    connector.plugged = connector.finishing = False
    await charger.report_status(connector)


async def sample_until_stop(charger: VirtualCharger, transaction: Transaction, *, endless: bool) -> None:
    """Let a transaction run, and sample it, until something ends it; `endless`: not the number of samples."""
    options, connector, station = charger.options, transaction.connector, charger.station
    loop = asyncio.get_running_loop()
    power = connector.drawn_w(station.now())
    connector.let_flow(power)
    for number in count(1):
        due = loop.time() + station.variables.seconds("MeterValueSampleInterval", options.interval) / options.speed
        while loop.time() < due or connector.changed.is_set():
            connector.changed.clear()
            if charger.leaving or connector.stop_reason is not None:
                return
            if connector.drawn_w(station.now()) != power:
                power = connector.drawn_w(station.now())
                connector.let_flow(power)
                await charger.report_state(transaction)
            await _wait(connector, due - loop.time())
        power = connector.drawn_w(station.now())
        connector.let_flow(power)
        charger.sample(transaction)
        await charger.report_status(connector)
        if options.stream and options.version == "2.1":
            await _stream(charger, transaction)
        if number >= options.samples and not endless:
            return


async def _stream(charger: VirtualCharger, transaction: Transaction) -> None:
    """Send the sample's power on the connector's periodic event stream, opened before the first."""
    connector, station = transaction.connector, charger.station
    if transaction.stream_open is None:
        opening = stream_opening(connector.evse_id, charger.options.interval)
        transaction.stream_open = await charger.open_stream(opening)
        if transaction.stream_open:
            station.memory.streams[connector.evse_id] = opening.payload["constantStreamData"]
    if transaction.stream_open:
        now = station.now()
        await charger.send(stream_element(connector.evse_id, f"{connector.read(now).power_w:g}", now))


def store_backlog(charger: VirtualCharger) -> None:
    """Let each connector have charged while offline, `backlog_age` seconds ago."""
    options, station = charger.options, charger.station
    wording = charger.dialect.wording
    for connector in station.connectors:
        moment = station.now() - options.backlog_age
        transaction = station.begin(connector, options.token, None)
        message = wording.started(transaction, connector.read(moment), offline=True)
        station.store(message.action, message.payload, transaction)
        for _ in range(options.samples):
            moment += options.interval
            connector.charge_for(options.interval, connector.drawn_w(moment))
            message = wording.sampled(transaction, connector.read(moment), offline=True)
            station.store(message.action, message.payload, transaction)
        message = wording.ended(transaction, connector.read(moment), "local", offline=True)
        station.store(message.action, message.payload, transaction)
        station.end(connector)
        connector.plugged = connector.finishing = False


async def lose_lines(charger: VirtualCharger) -> None:
    """Drop the connection now and then, with or without a word."""
    options, dice = charger.options, charger.station.random
    while True:
        await asyncio.sleep(dice.expovariate(1 / options.idle_time) / options.speed)
        await charger.disconnect(abruptly=dice.random() < 0.5)


async def _wait(connector: Connector, seconds: float | None) -> None:
    """Wait until something wants the connector's attention, or so long."""
    try:
        async with asyncio.timeout(seconds):
            await connector.changed.wait()
    except TimeoutError:
        return

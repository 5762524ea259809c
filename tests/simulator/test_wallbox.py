"""A wallbox where cars come and go, against a CSMS that starts and stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from gateway.simulator import Car, Wallbox
from tests.simulator.csms import FakeCsms
from tests.simulator.runs import energy, is_sample, options, power, transaction_messages

BEGIN = datetime.fromisoformat("2024-03-01T06:00:00+00:00").timestamp()


@asynccontextmanager
async def wallbox(csms: FakeCsms) -> AsyncIterator[Wallbox]:
    box = Wallbox(options(csms, begin=BEGIN))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(box.run(), name="wallbox")
        await csms.until_received("StatusNotification")
        try:
            yield box
        finally:
            box.leave()


async def start(csms: FakeCsms) -> None:
    if csms.version == "1.6":
        await csms.call("CP1", "RemoteStartTransaction", id_tag="HOME", connector_id=1)
    else:
        token = {"id_token": "HOME", "type": "ISO14443"}
        await csms.call("CP1", "RequestStartTransaction", id_token=token, remote_start_id=7, evse_id=1)


async def test_a_start_charges_the_car_that_is_there_until_it_leaves(csms: FakeCsms) -> None:
    async with wallbox(csms) as box:
        box.plug_in(Car(7_360, 50, phases=1))
        await start(csms)
        await csms.until(lambda: any(is_sample(r) and power(r.payload) == 7_360 for r in csms.received))
        box.unplug()
        await csms.until(lambda: "Ended" in transaction_messages(csms))
        assert not box.outlet.plugged
    assert transaction_messages(csms)[0] == "Started"


async def test_a_start_waits_for_its_car_and_lapses_where_none_comes(csms: FakeCsms) -> None:
    async with wallbox(csms) as box:
        await start(csms)
        await csms.until(lambda: box.outlet.remote_start is not None)
        await csms.until(lambda: box.outlet.remote_start is None)
        box.plug_in(Car(11_000, 50))
        assert transaction_messages(csms) == []
        await start(csms)
        await csms.until(lambda: "Started" in transaction_messages(csms))


async def test_a_car_that_rests_takes_nothing_and_a_limit_counts_per_phase(csms: FakeCsms) -> None:
    async with wallbox(csms) as box:
        box.plug_in(Car(7_360, 50, phases=1))
        await start(csms)
        await csms.until(lambda: any(is_sample(r) and power(r.payload) == 7_360 for r in csms.received))
        box.rest(True)
        await csms.until(lambda: box.outlet.status(box.now()) == "suspended_ev")
        await csms.until(lambda: any(is_sample(r) and power(r.payload) == 0 for r in csms.received))
        box.rest(False)
        await csms.until(lambda: power([r for r in csms.received if is_sample(r)][-1].payload) == 7_360)


async def test_its_clock_begins_where_it_is_told_and_runs_fast(csms: FakeCsms) -> None:
    async with wallbox(csms) as box:
        box.plug_in(Car(11_000, 50))
        await start(csms)
        await csms.until(lambda: sum(is_sample(r) for r in csms.received) >= 3)
        samples = [r.payload for r in csms.received if is_sample(r)]
    times = [datetime.fromisoformat(payload["meterValue"][0]["timestamp"]).timestamp() for payload in samples]
    assert BEGIN < times[0] < times[-1] < BEGIN + 86_400
    # 11 kW for as long as the charger's clock says, but for roundings and the pauses of a busy machine.
    expected = 11_000 * (times[-1] - times[0]) / 3600
    assert abs(energy(samples[-1])[0] - energy(samples[0])[0] - expected) <= 2 + 0.2 * expected

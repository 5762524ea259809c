"""An OCPP 1.6 charger on the PyPI package `ocpp`: boots, authorizes, charges, stops, obeys remote start and stop."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.e2e.clients.steps import expect, main, step, strict_logger

TAG = "FOREIGN-TAG"


def now() -> str:
    return datetime.now(UTC).isoformat()


class Charger(ChargePoint):
    """The charger; `starts` and `stops` hold what the CSMS asked for."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.starts: asyncio.Queue[str] = asyncio.Queue()
        self.stops: asyncio.Queue[int] = asyncio.Queue()
        self.running: int | None = None
        self.meter = 1000

    @on("RemoteStartTransaction")
    def on_remote_start(self, id_tag: str, **_: Any) -> Any:
        self.starts.put_nowait(id_tag)
        return call_result.RemoteStartTransaction(status="Accepted" if self.running is None else "Rejected")

    @on("RemoteStopTransaction")
    def on_remote_stop(self, transaction_id: int) -> Any:
        if transaction_id != self.running:
            return call_result.RemoteStopTransaction(status="Rejected")
        self.stops.put_nowait(transaction_id)
        return call_result.RemoteStopTransaction(status="Accepted")

    async def ask(self, request: Any) -> Any:
        return await self.call(request, suppress=False)

    async def report(self, status: str) -> None:
        await self.ask(call.StatusNotification(connector_id=1, error_code="NoError", status=status, timestamp=now()))

    async def start_charging(self, tag: str, prefix: str) -> int:
        await self.report("Preparing")
        request = call.StartTransaction(connector_id=1, id_tag=tag, meter_start=self.meter, timestamp=now())
        answer = await self.ask(request)
        expect(answer.id_tag_info["status"] == "Accepted", f"start: {answer}")
        await self.report("Charging")
        self.meter += 250
        sample = {"value": str(self.meter), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        value = {"timestamp": now(), "sampled_value": [sample]}
        await self.ask(call.MeterValues(connector_id=1, transaction_id=answer.transaction_id, meter_value=[value]))
        step(f"{prefix}started", transaction_id=str(answer.transaction_id), token=tag)
        return int(answer.transaction_id)

    async def stop_charging(self, transaction_id: int, reason: str, prefix: str) -> None:
        await self.ask(
            call.StopTransaction(transaction_id=transaction_id, meter_stop=self.meter, timestamp=now(), reason=reason)
        )
        await self.report("Available")
        step(f"{prefix}stopped", transaction_id=str(transaction_id))

    async def day(self, rounds: int) -> None:
        boot = await self.ask(call.BootNotification(charge_point_model="Package", charge_point_vendor="Foreign"))
        expect(boot.status == "Accepted", f"boot: {boot}")
        step("booted", interval=boot.interval)
        await self.ask(call.Heartbeat())
        await self.report("Available")
        answer = await self.ask(call.Authorize(id_tag=TAG))
        expect(answer.id_tag_info["status"] == "Accepted", f"authorize: {answer}")
        step("authorized")
        await self.stop_charging(await self.start_charging(TAG, ""), "Local", "")
        for _ in range(rounds):
            step("waiting")
            tag = await self.starts.get()
            self.running = await self.start_charging(tag, "remote_")
            await self.stops.get()
            await self.stop_charging(self.running, "Remote", "remote_")
            self.running = None


async def live(url: str, identity: str, rounds: int) -> None:
    async with connect(
        f"{url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")], proxy=None, open_timeout=60
    ) as socket:
        step("connected", protocol=socket.subprotocol)
        charger = Charger(identity, socket, response_timeout=60, logger=strict_logger())
        reader = asyncio.create_task(charger.start(), name="reader")
        day = asyncio.create_task(charger.day(rounds), name="day")
        done, _ = await asyncio.wait({reader, day}, return_when=asyncio.FIRST_COMPLETED)
        reader.cancel()
        day.cancel()
        for task in done:
            task.result()


if __name__ == "__main__":
    main(live)

"""An OCPP 2.0.1 charger on the PyPI package `ocpp` that is put into service: pending, it reports itself when asked."""

import asyncio
from typing import Any

from ocpp.routing import after, on
from ocpp.v201 import ChargePoint, call, call_result
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.e2e.clients.ocpp_package_201 import now
from tests.e2e.clients.steps import expect, main, step, strict_logger

PARTS = (("ChargingStation", "Model"), ("OCPPCommCtrlr", "HeartbeatInterval"), ("SecurityCtrlr", "SecurityProfile"))
"""One variable in each part of the report."""


class Charger(ChargePoint):
    """Answers GetBaseReport in three parts, and boots when it is told to."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.boot_wanted = asyncio.Event()

    @on("GetBaseReport")
    def on_base_report(self, **_: Any) -> Any:
        return call_result.GetBaseReport(status="Accepted")

    @after("GetBaseReport")
    async def report(self, request_id: int, report_base: str, **_: Any) -> None:
        step("asked", report_base=report_base)
        for number, (component, variable) in enumerate(PARTS):
            item = {
                "component": {"name": component},
                "variable": {"name": variable},
                "variable_attribute": [{"value": str(number), "mutability": "ReadOnly"}],
            }
            part = call.NotifyReport(
                request_id=request_id,
                generated_at=now(),
                seq_no=number,
                tbc=number + 1 < len(PARTS),
                report_data=[item],
            )
            await self.call(part, suppress=False)
        step("reported")

    @on("TriggerMessage")
    def on_trigger(self, requested_message: str, **_: Any) -> Any:
        status = "Accepted" if requested_message == "BootNotification" else "NotImplemented"
        return call_result.TriggerMessage(status=status)

    @after("TriggerMessage")
    def after_trigger(self, requested_message: str, **_: Any) -> None:
        self.boot_wanted.set()

    async def boot(self, reason: str, status: str) -> None:
        station = {"model": "Package", "vendor_name": "Foreign"}
        boot = await self.call(call.BootNotification(charging_station=station, reason=reason), suppress=False)
        expect(boot.status == status, f"boot: {boot}")
        step(status.lower(), interval=boot.interval)

    async def day(self) -> None:
        await self.boot("PowerUp", "Pending")
        await self.boot_wanted.wait()
        await self.boot("Triggered", "Accepted")
        where = {"evse_id": 1, "connector_id": 1}
        await self.call(call.StatusNotification(timestamp=now(), connector_status="Available", **where), suppress=False)


async def live(url: str, identity: str, rounds: int) -> None:
    async with connect(
        f"{url}/{identity}", subprotocols=[Subprotocol("ocpp2.0.1")], proxy=None, open_timeout=60
    ) as socket:
        charger = Charger(identity, socket, response_timeout=60, logger=strict_logger())
        reader = asyncio.create_task(charger.start(), name="reader")
        day = asyncio.create_task(charger.day(), name="day")
        done, _ = await asyncio.wait({reader, day}, return_when=asyncio.FIRST_COMPLETED)
        reader.cancel()
        day.cancel()
        for task in done:
            task.result()


if __name__ == "__main__":
    main(live)

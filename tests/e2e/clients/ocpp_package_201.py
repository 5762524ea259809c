"""An OCPP 2.0.1 charger on the PyPI package `ocpp`: boots, authorizes, charges, stops, obeys remote start and stop."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.e2e.clients.steps import expect, main, step, strict_logger

TOKEN = {"id_token": "FOREIGN-TAG", "type": "ISO14443"}


def now() -> str:
    return datetime.now(UTC).isoformat()


class Charger(ChargePoint):
    """The charger; `starts` and `stops` hold what the CSMS asked for."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.starts: asyncio.Queue[tuple[dict[str, Any], int]] = asyncio.Queue()
        self.stops: asyncio.Queue[str] = asyncio.Queue()
        self.running: str | None = None
        self.seq_no = 0
        self.meter = 1000

    @on("RequestStartTransaction")
    def on_request_start(self, id_token: dict[str, Any], remote_start_id: int, **_: Any) -> Any:
        self.starts.put_nowait((id_token, remote_start_id))
        return call_result.RequestStartTransaction(status="Accepted" if self.running is None else "Rejected")

    @on("RequestStopTransaction")
    def on_request_stop(self, transaction_id: str, **_: Any) -> Any:
        if transaction_id != self.running:
            return call_result.RequestStopTransaction(status="Rejected")
        self.stops.put_nowait(transaction_id)
        return call_result.RequestStopTransaction(status="Accepted")

    async def ask(self, request: Any) -> Any:
        return await self.call(request, suppress=False)

    async def report(self, status: str) -> None:
        await self.ask(call.StatusNotification(timestamp=now(), connector_status=status, evse_id=1, connector_id=1))

    async def tell(self, kind: str, trigger: str, info: dict[str, Any], **more: Any) -> Any:
        sample = {
            "value": float(self.meter),
            "measurand": "Energy.Active.Import.Register",
            "unit_of_measure": {"unit": "Wh"},
        }
        request = call.TransactionEvent(
            event_type=kind,
            timestamp=now(),
            trigger_reason=trigger,
            seq_no=self.seq_no,
            transaction_info=info,
            meter_value=[{"timestamp": now(), "sampled_value": [sample]}],
            **more,
        )
        self.seq_no += 1
        return await self.ask(request)

    async def start_charging(self, token: dict[str, Any], remote_start_id: int | None, prefix: str) -> str:
        await self.report("Occupied")
        transaction_id, self.seq_no = str(uuid4()), 0
        info: dict[str, Any] = {"transaction_id": transaction_id, "charging_state": "Charging"}
        if remote_start_id is not None:
            info["remote_start_id"] = remote_start_id
        trigger = "Authorized" if remote_start_id is None else "RemoteStart"
        where = {"id": 1, "connector_id": 1}
        answer = await self.tell("Started", trigger, info, id_token=token, evse=where)
        expect(answer.id_token_info is not None, f"start: {answer}")
        expect(answer.id_token_info["status"] == "Accepted", f"start: {answer}")
        self.meter += 250
        info = {"transaction_id": transaction_id, "charging_state": "Charging"}
        await self.tell("Updated", "MeterValuePeriodic", info)
        step(f"{prefix}started", transaction_id=transaction_id, token=token["id_token"])
        return transaction_id

    async def stop_charging(self, transaction_id: str, trigger: str, reason: str, prefix: str) -> None:
        info = {"transaction_id": transaction_id, "charging_state": "EVConnected", "stopped_reason": reason}
        await self.tell("Ended", trigger, info)
        await self.report("Available")
        step(f"{prefix}stopped", transaction_id=transaction_id)

    async def day(self, rounds: int) -> None:
        station = {"model": "Package", "vendor_name": "Foreign"}
        boot = await self.ask(call.BootNotification(charging_station=station, reason="PowerUp"))
        expect(boot.status == "Accepted", f"boot: {boot}")
        step("booted", interval=boot.interval)
        await self.ask(call.Heartbeat())
        await self.report("Available")
        answer = await self.ask(call.Authorize(id_token=TOKEN))
        expect(answer.id_token_info["status"] == "Accepted", f"authorize: {answer}")
        step("authorized")
        await self.stop_charging(await self.start_charging(TOKEN, None, ""), "StopAuthorized", "Local", "")
        for _ in range(rounds):
            step("waiting")
            token, remote_start_id = await self.starts.get()
            self.running = await self.start_charging(token, remote_start_id, "remote_")
            await self.stops.get()
            await self.stop_charging(self.running, "RemoteStop", "Remote", "remote_")
            self.running = None


async def live(url: str, identity: str, rounds: int) -> None:
    async with connect(
        f"{url}/{identity}", subprotocols=[Subprotocol("ocpp2.0.1")], proxy=None, open_timeout=60
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

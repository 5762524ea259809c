"""A charger driven by hand: each message is sent, or sent again, exactly when the test says so."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

ANSWER_SECONDS = 60.0


class HandCharger:
    """One connection of one charger; obeys every CALL, unless told otherwise, and writes it down."""

    def __init__(self, url: str, identity: str, *, version: str = "1.6") -> None:
        self.identity = identity
        self.version = version
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.mute = False
        """Whether it leaves the gateway's calls unanswered."""
        self.answers: dict[str, dict[str, Any]] = {}
        """What it answers to some actions in place of that it accepts."""
        self.closed: tuple[int, str] | None = None
        self._url = f"{url}/{identity}"
        self._answers: dict[str, asyncio.Future[list[Any]]] = {}
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._url,
            subprotocols=[Subprotocol(f"ocpp{self.version}")],
            ping_interval=None,
            proxy=None,
            open_timeout=60,
            close_timeout=2,
        )
        self._reader = asyncio.create_task(self._read(self._socket), name=f"{self.identity} reader")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()
        if self._reader is not None:
            await asyncio.wait([self._reader])

    @property
    def socket(self) -> ClientConnection:
        assert self._socket is not None
        return self._socket

    # ------------------------------------------------------------ speaking

    async def send(self, action: str, payload: dict[str, Any], *, message_id: str | None = None) -> str:
        """Send a CALL and do not wait; returns its message id."""
        message_id = message_id or uuid4().hex
        self._answers[message_id] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, message_id, action, payload]))
        return message_id

    async def answer(self, message_id: str, *, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The answer to what was sent; fails for a CALLERROR, raises ConnectionError where the socket closed."""
        async with asyncio.timeout(seconds):
            frame = await self._answers[message_id]
        assert frame[0] == 3, frame
        found: dict[str, Any] = frame[2]
        return found

    def is_answered(self, message_id: str) -> bool:
        answer = self._answers[message_id]
        return answer.done() and answer.exception() is None

    async def call(self, action: str, payload: dict[str, Any], *, message_id: str | None = None) -> dict[str, Any]:
        return await self.answer(await self.send(action, payload, message_id=message_id))

    async def until_closed(self, *, seconds: float = ANSWER_SECONDS) -> tuple[int, str]:
        """How the other side closed the socket."""
        assert self._reader is not None
        async with asyncio.timeout(seconds):
            await asyncio.wait([self._reader])
        assert self.closed is not None
        return self.closed

    # ------------------------------------------------------------ what chargers say

    async def boot(self) -> None:
        if self.version == "1.6":
            answer = await self.call("BootNotification", {"chargePointVendor": "Hand", "chargePointModel": "One"})
        else:
            station = {"vendorName": "Hand", "model": "One"}
            answer = await self.call("BootNotification", {"reason": "PowerUp", "chargingStation": station})
        assert answer["status"] == "Accepted"

    async def status(self, status: str, *, message_id: str | None = None) -> None:
        await self.call("StatusNotification", status_payload(status), message_id=message_id)

    async def start(self, start: dict[str, Any] | None = None) -> int:
        """OCPP 1.6: start a transaction; returns its number."""
        return int((await self.call("StartTransaction", start or start_payload()))["transactionId"])

    async def sample(self, transaction: int, wh: int) -> None:
        await self.call("MeterValues", sample_payload(transaction, wh))

    async def stop(self, transaction: int, wh: int) -> None:
        stop = {"transactionId": transaction, "meterStop": wh, "timestamp": "2026-05-01T09:00:00Z", "reason": "Local"}
        await self.call("StopTransaction", stop)

    # ------------------------------------------------------------ listening

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    self.commands.append((frame[2], frame[3]))
                    if not self.mute:
                        answer = self.answers.get(frame[2], {"status": "Accepted"})
                        await socket.send(json.dumps([3, frame[1], answer]))
                elif (waiting := self._answers.get(frame[1])) is not None and not waiting.done():
                    waiting.set_result(frame)
        except ConnectionClosed:
            pass
        self.closed = socket.close_code or 1006, socket.close_reason or ""
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError(f"closed: {self.closed}"))
                waiting.exception()


def status_payload(status: str) -> dict[str, Any]:
    return {"connectorId": 1, "status": status, "errorCode": "NoError"}


def start_payload(meter: int = 1000, minute: int = 0) -> dict[str, Any]:
    """A StartTransaction; another meter or minute makes it another one."""
    timestamp = f"2026-05-01T08:{minute:02d}:00Z"
    return {"connectorId": 1, "idTag": "CHAOS", "meterStart": meter, "timestamp": timestamp}


def sample_payload(transaction: int, wh: int) -> dict[str, Any]:
    sampled = {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    value = {"timestamp": "2026-05-01T08:30:00Z", "sampledValue": [sampled]}
    return {"connectorId": 1, "transactionId": transaction, "meterValue": [value]}

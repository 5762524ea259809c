"""A charge point of OCPP 1.6 played by hand: it says and answers what a test tells it to, and nothing of its own.

It shares no code with the gateway: whatever passes either way is held against the schemas of the `ocpp` package.
"""

import asyncio
import json
import time
from functools import lru_cache
from importlib.resources import files
from typing import Any
from uuid import uuid4

import jsonschema_rs
from websockets.asyncio.client import ClientConnection

PATIENCE = 60.0
"""Seconds within which whatever is waited for must come."""

CALL, CALLRESULT, CALLERROR = 2, 3, 4

Payload = dict[str, Any]

VENDOR, MODEL = "OCA Lab", "By hand"
BOOT: Payload = {
    "chargePointVendor": VENDOR,
    "chargePointModel": MODEL,
    "chargePointSerialNumber": "SN-1",
    "firmwareVersion": "1.0",
}
ACCEPTED = {"status": "Accepted"}
CONNECTORS = (1, 2)


@lru_cache
def schema(name: str) -> jsonschema_rs.Validator:
    text = files("ocpp").joinpath("v16", "schemas", f"{name}.json").read_text("utf-8-sig")
    return jsonschema_rs.validator_for(json.loads(text), validate_formats=True)


def check(name: str, payload: Payload) -> None:
    """The payload keeps to its schema: `Action` for a request, `ActionResponse` for an answer."""
    told = [f"{name} {error.instance_path}: {error.message}" for error in schema(name).iter_errors(payload)]
    assert not told, told


def at(minutes: float = 0) -> str:
    """A time so many minutes from now, as a charge point writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60 * minutes))


class ChargePoint:
    """One charge point's end of a WebSocket; every wait has an end."""

    def __init__(self, socket: ClientConnection, identity: str) -> None:
        self.socket = socket
        self.identity = identity
        self._unread: list[list[Any]] = []

    # ------------------------------------------------------------ speaking

    async def send(self, frame: list[Any] | str) -> None:
        await self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def call(self, action: str, payload: Payload) -> Payload:
        """Send a valid request; the payload of its answer, which is valid, too."""
        check(action, payload)
        message_id = uuid4().hex
        await self.send([CALL, message_id, action, payload])
        kind, answered, *rest = await self.answer()
        assert (kind, answered) == (CALLRESULT, message_id), (action, kind, rest)
        assert len(rest) == 1
        check(f"{action}Response", rest[0])
        return dict(rest[0])

    async def refused(self, action: str, payload: Any) -> str:
        """Send a request that is answered with CALLERROR; its code."""
        message_id = uuid4().hex
        await self.send([CALL, message_id, action, payload])
        return self.error_code(await self.answer(), message_id)

    @staticmethod
    def error_code(frame: list[Any], message_id: str) -> str:
        """The code of a CALLERROR that has the form which OCPP-J 1.6, section 4.2.3, demands."""
        kind, answered, code, description, details = frame
        assert (kind, answered) == (CALLERROR, message_id), frame
        assert isinstance(description, str)
        assert isinstance(details, dict)
        return str(code)

    # ------------------------------------------------------------ listening

    async def answer(self) -> list[Any]:
        """The gateway's next CALLRESULT or CALLERROR."""
        return await self._next(CALLRESULT, CALLERROR)

    async def asked(self, action: str) -> tuple[str, Payload]:
        """The gateway's next request, which is a valid one of this action: its message id and payload."""
        message_id, called, payload = await self.any_call()
        assert called == action, (called, payload)
        return message_id, payload

    async def any_call(self) -> tuple[str, str, Payload]:
        """The gateway's next request, which is a valid one: its message id, action and payload."""
        _, message_id, called, payload = await self._next(CALL)
        assert isinstance(message_id, str)
        assert 1 <= len(message_id) <= 36
        check(called, payload)
        return message_id, called, payload

    async def obey(self, action: str, answer: Payload) -> Payload:
        """Answer the gateway's next request; its payload."""
        check(f"{action}Response", answer)
        message_id, payload = await self.asked(action)
        await self.send([CALLRESULT, message_id, answer])
        return payload

    async def obey_with_error(self, action: str, code: str) -> None:
        message_id, _ = await self.asked(action)
        await self.send([CALLERROR, message_id, code, "", {}])

    async def is_told_nothing(self) -> bool:
        """Nothing came before the answer to a heartbeat, which the gateway sends in order."""
        await self.call("Heartbeat", {})
        return not self._unread

    async def until_closed(self) -> int:
        """The code by which the gateway closed the connection."""
        async with asyncio.timeout(PATIENCE):
            await self.socket.wait_closed()
        return int(self.socket.close_code or 1006)

    async def _next(self, *kinds: int) -> list[Any]:
        async with asyncio.timeout(PATIENCE):
            while True:
                for frame in self._unread:
                    if frame[0] in kinds:
                        self._unread.remove(frame)
                        return frame
                self._unread.append(json.loads(await self.socket.recv()))

    # ------------------------------------------------------------ reusable states of the certification

    async def boot(self) -> Payload:
        """Cold boot: BootNotification, then a StatusNotification of the charge point and of each connector."""
        booted = await self.call("BootNotification", BOOT)
        assert booted["status"] == "Accepted"
        for connector in (0, *CONNECTORS):
            await self.status("Available", connector)
        return booted

    async def status(self, status: str, connector: int = 1, error: str = "NoError") -> None:
        payload = {"connectorId": connector, "status": status, "errorCode": error, "timestamp": at()}
        assert await self.call("StatusNotification", payload) == {}

    async def authorize(self, token: str) -> Payload:
        info: Payload = (await self.call("Authorize", {"idTag": token}))["idTagInfo"]
        return info

    async def start(self, token: str, connector: int = 1, **more: Any) -> tuple[int, Payload]:
        """StartTransaction: the number of the transaction, and what is said of the token."""
        start = {"connectorId": connector, "idTag": token, "meterStart": 1000, "timestamp": at(), **more}
        answer = await self.call("StartTransaction", start)
        return answer["transactionId"], answer["idTagInfo"]

    async def charging(self, token: str, connector: int = 1, **more: Any) -> int:
        """State Charging: authorized, plugged in, started and charging; the number of the transaction."""
        assert (await self.authorize(token))["status"] == "Accepted"
        await self.status("Preparing", connector)
        number, info = await self.start(token, connector, **more)
        assert info["status"] == "Accepted"
        assert number > 0
        await self.status("Charging", connector)
        return number

    async def sample(self, number: int, wh: int, **more: Any) -> None:
        sampled = [{"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
        payload = {
            "connectorId": 1,
            "transactionId": number,
            "meterValue": [{"timestamp": at(), "sampledValue": sampled}],
        }
        assert await self.call("MeterValues", payload | more) == {}

    async def stop(self, number: int, token: str | None = None, **more: Any) -> Payload | None:
        """StopTransaction: what is said of the token, None where none was shown."""
        stop = {"transactionId": number, "meterStop": 3000, "timestamp": at(), **more}
        answer = await self.call("StopTransaction", stop if token is None else {**stop, "idTag": token})
        found: Payload | None = answer.get("idTagInfo")
        return found

    async def stopped(self, number: int, token: str | None = None, *, reason: str, connector: int = 1) -> None:
        """Stop, with the end of the session told as charge points tell it."""
        info = await self.stop(number, token, reason=reason)
        assert info is None if token is None else (info is not None and info["status"] == "Accepted")
        await self.status("Finishing", connector)
        await self.status("Available", connector)

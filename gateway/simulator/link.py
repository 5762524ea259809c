"""One OCPP-J connection as a charger has it: own calls one at a time, the CSMS's calls as they come."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from gateway.core.errors import GatewayError
from gateway.simulator.report import Acknowledged, Recorder

CALL, CALL_RESULT, CALL_ERROR, SEND = 2, 3, 4, 6
SEND_TIMEOUT = 10.0


class LinkLost(GatewayError):
    """The connection is gone; what was called has no answer."""


class CallTimeout(GatewayError):
    """The CSMS gave no answer in time."""


class CallError(GatewayError):
    """The CSMS answered with CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        self.code = code
        super().__init__(f"{code}: {description}" if description else code)


class Link:
    """Calls and answers over one open socket."""

    def __init__(self, identity: str, socket: ClientConnection, recorder: Recorder, *, call_timeout: float) -> None:
        self.identity = identity
        self._socket = socket
        self._recorder = recorder
        self._call_timeout = call_timeout
        self._turn = asyncio.Lock()
        self._waiting: tuple[str, asyncio.Future[dict[str, Any]]] | None = None
        self._closed = False

    async def call(self, action: str, payload: dict[str, Any], *, tries: list[str] | None = None) -> dict[str, Any]:
        """Send a CALL when its turn has come and return the answer's payload.

        `tries` collects the message ids of this and earlier sendings. Raises CallError, CallTimeout, LinkLost.
        """
        async with self._turn:
            message_id = str(uuid4())
            future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
            self._waiting = message_id, future
            if tries is None:
                tries = []
            tries.append(message_id)
            try:
                await self._write([CALL, message_id, action, payload])
                self._recorder.sent(self.identity, action, message_id, payload)
                async with asyncio.timeout(self._call_timeout):
                    answer = await future
            except TimeoutError:
                self._recorder.timeout(self.identity, action, message_id)
                raise CallTimeout(f"{action}: no answer within {self._call_timeout:g} s") from None
            except CallError as error:
                self._recorder.error(self.identity, action, message_id, str(error))
                raise
            finally:
                self._waiting = None
        self._recorder.acknowledged(
            Acknowledged(self.identity, action, message_id, payload, answer, tuple(tries)),
        )
        return answer

    async def send(self, action: str, payload: dict[str, Any]) -> None:
        """Send an unanswered SEND frame (OCPP 2.1). Raises LinkLost."""
        message_id = str(uuid4())
        await self._write([SEND, message_id, action, payload])
        self._recorder.sent(self.identity, action, message_id, payload)

    async def answer(self, message_id: str, payload: dict[str, Any]) -> None:
        """Answer a call of the CSMS. Raises LinkLost."""
        await self._write([CALL_RESULT, message_id, payload])

    async def refuse(self, message_id: str, code: str, description: str = "") -> None:
        """Answer a call of the CSMS with CALLERROR. Raises LinkLost."""
        await self._write([CALL_ERROR, message_id, code, description, {}])

    async def next_call(self) -> tuple[str, str, dict[str, Any]]:
        """The CSMS's next call as (message id, action, payload); answers find their calls meanwhile.

        Has no deadline of its own: the socket's pings end it where the peer is gone. Raises LinkLost.
        """
        while True:
            try:
                frame = _decode(await self._socket.recv())
            except ConnectionClosed as error:
                self._lose()
                raise LinkLost(str(error)) from error
            match frame:
                case [2, str(message_id), str(action), dict(payload)]:
                    return message_id, action, payload
                case [3, str(message_id), dict(payload)]:
                    self._resolve(message_id, payload)
                case [4, str(message_id), code, *rest]:
                    self._resolve(message_id, CallError(str(code), str(rest[0]) if rest else ""))
                case _:
                    self._recorder.error(self.identity, "", "", "frame not understood")

    async def close(self) -> None:
        """Close as a charger does that means to go."""
        self._closed = True
        await self._socket.close()

    def abort(self) -> None:
        """Drop the connection without a word, as a lost radio link does."""
        self._socket.transport.abort()

    def _resolve(self, message_id: str, answer: dict[str, Any] | CallError) -> None:
        if self._waiting is None or self._waiting[0] != message_id or self._waiting[1].done():
            return
        if isinstance(answer, CallError):
            self._waiting[1].set_exception(answer)
        else:
            self._waiting[1].set_result(answer)

    def _lose(self) -> None:
        self._closed = True
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].set_exception(LinkLost("the connection closed before the answer came"))
            # Who waits for it may be cancelled before it looks.
            self._waiting[1].exception()

    async def _write(self, frame: list[Any]) -> None:
        if self._closed:
            raise LinkLost("the connection is closed")
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self._socket.send(orjson.dumps(frame).decode())
        except ConnectionClosed as error:
            raise LinkLost(str(error)) from error
        except TimeoutError:
            self.abort()
            raise LinkLost(f"the socket took nothing for {SEND_TIMEOUT:g} s") from None


def _decode(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None

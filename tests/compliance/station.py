"""A charging station as a certification lab plays it: it says what the case has it say, and looks at every answer.

Whatever the gateway sends is checked against OCPP's schema; `verdict` tells what broke one.
"""

import asyncio
import base64
import json
import ssl
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import jsonschema_rs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.ocpp.schema_folder import request_schema, response_schema

PATIENCE = 60.0
"""Seconds within which whatever is waited for must come."""

Payload = dict[str, Any]
Reply = Payload | Callable[[Payload], Payload] | Exception


class CallError(Exception):
    """A CALLERROR: from the gateway where it is raised, from the station where it is a reply."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(code, description)
        self.code, self.description = code, description


@cache
def _validator(version: str, action: str, *, request: bool) -> jsonschema_rs.Validator:
    schema = request_schema(version, action) if request else response_schema(version, action)
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def at(seconds: float = 0) -> str:
    """A moment so many seconds from now, as OCPP writes it."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Station:
    """One connection of one station. `replies` (action → reply) answer the calls of the gateway, else Accepted."""

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        version: str,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.identity, self.version = identity, version
        self.replies: dict[str, Reply] = {}
        self.broken: list[str] = []
        self.begun = asyncio.Event()
        """Set once the gateway has called."""
        self.gate: asyncio.Event | None = None
        """Where there is one, calls are answered only once it is set."""
        self.count = 0
        self.headers = {} if password is None else {"Authorization": basic(identity, password)}
        self._url, self._tls = f"{url}/{identity}", tls
        self._answers: dict[str, asyncio.Future[list[Any]]] = {}
        self._others: asyncio.Queue[list[Any]] = asyncio.Queue()
        self._calls: deque[tuple[str, Payload]] = deque()
        self._called = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._url,
            subprotocols=[Subprotocol(f"ocpp{self.version}")],
            additional_headers=self.headers,
            ssl=self._tls,
            compression=None,
            ping_interval=None,
            proxy=None,
            open_timeout=PATIENCE,
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
        assert kind is not None or not self.broken, self.broken

    @property
    def socket(self) -> ClientConnection:
        assert self._socket is not None
        return self._socket

    # ------------------------------------------------------------ speaking

    async def call(self, action: str, payload: Payload, *, message_id: str | None = None) -> Payload:
        """Send a CALL; the payload of its CALLRESULT, a valid one. Raises CallError."""
        frame = await self._sent(action, payload, message_id or uuid4().hex)
        if frame[0] == 4:
            raise CallError(frame[2], frame[3])
        assert frame[0] == 3, frame
        found: Payload = frame[2]
        _validator(self.version, action, request=False).validate(found)
        return found

    async def refusal(self, action: str, payload: Payload) -> str:
        """Send a CALL that must not be accepted; the code of its CALLERROR."""
        frame = await self._sent(action, payload, uuid4().hex)
        assert frame[0] == 4, f"{action} was answered with {frame}"
        assert len(frame) == 5, frame
        return str(frame[2])

    async def frame(self, text: str) -> list[Any]:
        """Send a text as it stands; the gateway's next frame that answers nothing sent by `call`."""
        await self.socket.send(text)
        return await self.other_frame()

    async def other_frame(self) -> list[Any]:
        """The gateway's next frame that is no CALL and answers nothing sent by `call`."""
        async with asyncio.timeout(PATIENCE):
            return await self._others.get()

    async def send(self, action: str, payload: Payload) -> None:
        """Send a SEND (OCPP 2.1), which is never answered."""
        await self.socket.send(json.dumps([6, uuid4().hex, action, payload]))

    async def expect(self, action: str) -> Payload:
        """The payload of the gateway's next CALL of this action; others before it are passed over."""
        async with asyncio.timeout(PATIENCE):
            while True:
                while self._calls:
                    found, payload = self._calls.popleft()
                    if found == action:
                        return payload
                self._called.clear()
                await self._called.wait()

    @property
    def unread(self) -> list[tuple[str, Payload]]:
        """The gateway's calls that no `expect` has taken."""
        return list(self._calls)

    async def _sent(self, action: str, payload: Payload, message_id: str) -> list[Any]:
        self._answers[message_id] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, message_id, action, payload]))
        async with asyncio.timeout(PATIENCE):
            return await self._answers[message_id]

    # ------------------------------------------------------------ listening

    async def _read(self, socket: ClientConnection) -> None:
        async with asyncio.TaskGroup() as obeying:
            await self._read_all(socket, obeying)

    async def _read_all(self, socket: ClientConnection, obeying: asyncio.TaskGroup) -> None:
        try:
            async for text in socket:
                frame = json.loads(text)
                if frame[0] == 2 and self.gate is not None:
                    obeying.create_task(self._obey(socket, *frame[1:4]), name=f"{self.identity} obeys")
                elif frame[0] == 2:
                    await self._obey(socket, *frame[1:4])
                elif (waiting := self._answers.pop(frame[1], None)) is not None:
                    waiting.set_result(frame)
                else:
                    self._others.put_nowait(frame)
        except ConnectionClosed:
            pass
        for waiting in self._answers.values():
            waiting.set_exception(ConnectionError(f"closed: {socket.close_code} {socket.close_reason}"))
            waiting.exception()

    async def _obey(self, socket: ClientConnection, message_id: str, action: str, payload: Payload) -> None:
        try:
            _validator(self.version, action, request=True).validate(payload)
        except Exception as error:  # whatever is wrong with it, the case fails
            self.broken.append(f"{action} {payload}: {error}")
        self.count += 1
        self.begun.set()
        if self.gate is not None:
            await self.gate.wait()
        reply = self.replies.get(action, {"status": "Accepted"})
        if callable(reply):
            reply = reply(payload)
        if isinstance(reply, CallError):
            await socket.send(json.dumps([4, message_id, reply.code, reply.description, {}]))
        else:
            await socket.send(json.dumps([3, message_id, reply]))
        self._calls.append((action, payload))
        self._called.set()


def basic(user: str, password: str) -> str:
    """The Authorization header of HTTP Basic authentication."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def holds(found: Any, wanted: Any) -> bool:
    """Whether `found` has all that is `wanted`: of an object these fields, of a list as many items."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            holds(found.get(name), value) if value is not None else found.get(name) is None
            for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(holds, found, wanted))
    return bool(found == wanted)

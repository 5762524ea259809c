"""A CSMS built on the `ocpp` package's ChargePoint: both sides' schemas are checked, and it can misbehave on order."""

import asyncio
import http
import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self

from ocpp.charge_point import ChargePoint
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v21 import ChargePoint as ChargePoint21
from ocpp.v21 import call as call21
from ocpp.v21 import call_result as result21
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tests.support.servers import free_port

NOW = "2026-01-01T00:00:00.000Z"
CALLS = {"1.6": call16, "2.0.1": call201, "2.1": call21}


@dataclass(frozen=True, slots=True)
class Received:
    """A CALL or SEND of a charger."""

    identity: str
    action: str
    message_id: str
    payload: dict[str, Any]
    answered: bool


@dataclass(slots=True)
class Manners:
    """How the CSMS behaves: what it leaves unanswered (and how often), and what it says."""

    swallow: Counter[str] = field(default_factory=Counter)
    boots: deque[tuple[str, int]] = field(default_factory=deque)
    tokens: dict[str, str] = field(default_factory=dict)
    transaction_ids: dict[str, int] = field(default_factory=lambda: defaultdict(count(1000).__next__))

    def boot(self) -> dict[str, Any]:
        status, interval = self.boots.popleft() if self.boots else ("Accepted", 300)
        return {"current_time": NOW, "interval": interval, "status": status}

    def token(self, token: str) -> dict[str, str]:
        return {"status": self.tokens.get(token, "Accepted")}


class Handlers16(ChargePoint16):
    """A 1.6 central system."""

    manners: Manners

    @on("BootNotification")
    def on_boot(self, **_: Any) -> Any:
        return result16.BootNotification(**self.manners.boot())

    @on("Heartbeat")
    def on_heartbeat(self) -> Any:
        return result16.Heartbeat(current_time=NOW)

    @on("StatusNotification")
    def on_status(self, **_: Any) -> Any:
        return result16.StatusNotification()

    @on("Authorize")
    def on_authorize(self, id_tag: str) -> Any:
        return result16.Authorize(id_tag_info=self.manners.token(id_tag))

    @on("StartTransaction")
    def on_start(self, id_tag: str, timestamp: str, connector_id: int, **_: Any) -> Any:
        number = self.manners.transaction_ids[f"{self.id}/{connector_id}/{timestamp}"]
        return result16.StartTransaction(transaction_id=number, id_tag_info=self.manners.token(id_tag))

    @on("MeterValues")
    def on_meter(self, **_: Any) -> Any:
        return result16.MeterValues()

    @on("StopTransaction")
    def on_stop(self, **_: Any) -> Any:
        return result16.StopTransaction()


def _handlers_2x(base: Any, result: Any) -> Any:
    class Handlers(base):  # type: ignore[misc]
        manners: Manners

        @on("BootNotification")
        def on_boot(self, **_: Any) -> Any:
            return result.BootNotification(**self.manners.boot())

        @on("Heartbeat")
        def on_heartbeat(self, **_: Any) -> Any:
            return result.Heartbeat(current_time=NOW)

        @on("StatusNotification")
        def on_status(self, **_: Any) -> Any:
            return result.StatusNotification()

        @on("Authorize")
        def on_authorize(self, id_token: dict[str, Any], **_: Any) -> Any:
            return result.Authorize(id_token_info=self.manners.token(id_token["id_token"]))

        @on("TransactionEvent")
        def on_event(self, id_token: dict[str, Any] | None = None, **_: Any) -> Any:
            if id_token is None:
                return result.TransactionEvent()
            return result.TransactionEvent(id_token_info=self.manners.token(id_token["id_token"]))

        @on("MeterValues")
        def on_meter(self, **_: Any) -> Any:
            return result.MeterValues()

        if hasattr(result, "OpenPeriodicEventStream"):

            @on("OpenPeriodicEventStream")
            def on_open(self, **_: Any) -> Any:
                return result.OpenPeriodicEventStream(status="Accepted")

    return Handlers


ACKNOWLEDGED = (
    "BatterySwap",
    "ClosePeriodicEventStream",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "NotifyCustomerInformation",
    "NotifyDERStartStop",
    "NotifyDisplayMessages",
    "NotifyEvent",
    "NotifyMonitoringReport",
    "NotifyPriorityCharging",
    "NotifyReport",
    "PublishFirmwareStatusNotification",
    "ReportChargingProfiles",
    "ReportDERControl",
    "ReservationStatusUpdate",
    "SecurityEventNotification",
    "SignedFirmwareStatusNotification",
)
"""Actions whose answer is empty."""


def _with_acknowledgements(base: Any, result: Any) -> Any:
    """The handlers, and those of all actions that are only acknowledged or accepted."""
    answers: dict[str, dict[str, Any]] = {action: {} for action in ACKNOWLEDGED if hasattr(result, action)}
    answers["SignCertificate"] = {"status": "Accepted"}

    def handler(action: str, fields: dict[str, Any]) -> Any:
        def answer(self: Any, **_: Any) -> Any:
            return getattr(result, action)(**fields)

        # The package finds handlers by their names.
        answer.__name__ = f"on_{action}"
        return on(action)(answer)

    return type(base.__name__, (base,), {f"on_{action}": handler(action, fields) for action, fields in answers.items()})


HANDLERS: dict[str, Any] = {
    "1.6": _with_acknowledgements(Handlers16, result16),
    "2.0.1": _with_acknowledgements(_handlers_2x(ChargePoint201, result201), result201),
    "2.1": _with_acknowledgements(_handlers_2x(ChargePoint21, result21), result21),
}


class FakeCsms:
    """Serves one version on a port of its own; `async with` starts and stops it."""

    def __init__(self, version: str, *, port: int = 0, tls: Any = None, speaks_nothing: bool = False) -> None:
        self.version = version
        self.manners = Manners()
        self.received: list[Received] = []
        self.problems: list[str] = []
        self.chargers: dict[str, ChargePoint] = {}
        self.connections = 0
        self.headers: list[dict[str, str]] = []
        self.refuse_with: http.HTTPStatus | None = None
        # Its own, so that one that was away can come back: no outgoing connection is given it meanwhile.
        self._port = port or free_port()
        self._tls = tls
        self._speaks_nothing = speaks_nothing
        self._server: Server | None = None
        self._changed = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'wss' if self._tls else 'ws'}://localhost:{self.port}/ocpp/"

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve,
            "localhost",
            self._port,
            subprotocols=[Subprotocol(f"ocpp{self.version}")],
            select_subprotocol=(lambda *_: None) if self._speaks_nothing else None,
            process_request=self._admit,
            ssl=self._tls,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.headers.append(dict(request.headers))
        self._changed.set()
        return None if self.refuse_with is None else connection.respond(self.refuse_with, "no")

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        identity = connection.request.path.rpartition("/")[2]
        charger = self._charger(identity, connection)
        self.chargers[identity] = charger
        self.connections += 1
        self._changed.set()
        try:
            await charger.start()
        except ConnectionClosed:
            if self.chargers.get(identity) is charger:
                del self.chargers[identity]
            self._changed.set()

    def _charger(self, identity: str, connection: ServerConnection) -> ChargePoint:
        csms = self

        class Charger(HANDLERS[self.version]):  # type: ignore[misc]
            manners = csms.manners

            async def route_message(self, raw_msg: str) -> None:
                frame = json.loads(raw_msg)
                if frame[0] in (2, 6):
                    action = frame[2]
                    answered = frame[0] == 2 and csms.manners.swallow[action] <= 0
                    csms.manners.swallow[action] -= 1
                    csms._note(Received(identity, action, frame[1], frame[3], answered))
                    if not answered:
                        return
                await super().route_message(raw_msg)

            async def _send(self, message: str) -> None:
                if json.loads(message)[0] == 4:
                    csms.problems.append(message)
                await super()._send(message)

        charger = Charger(identity, connection, response_timeout=60)
        assert isinstance(charger, ChargePoint)
        return charger

    def _note(self, received: Received) -> None:
        self.received.append(received)
        self._changed.set()

    def of(self, action: str, identity: str | None = None) -> list[Received]:
        return [r for r in self.received if r.action == action and identity in (None, r.identity)]

    def actions(self) -> list[str]:
        return [received.action for received in self.received]

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until the condition holds; it is looked at after each message and connection."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_received(self, action: str, times: int = 1) -> Received:
        await self.until(lambda: len(self.of(action)) >= times)
        return self.of(action)[times - 1]

    async def call(self, identity: str, action: str, **arguments: Any) -> Any:
        """Call a charger; both payloads are checked, a CALLERROR raises."""
        payload = getattr(CALLS[self.version], action)(**arguments)
        return await self.chargers[identity].call(payload, suppress=False)

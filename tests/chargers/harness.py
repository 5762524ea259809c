"""A charger server on a port of its own over a store in memory, and chargers that talk to it over real sockets."""

import asyncio
import base64
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gateway.chargers.config import ChargersConfig
from gateway.chargers.connection import Connection
from gateway.chargers.server import ChargerServer
from gateway.chargers.surroundings import Surroundings
from gateway.core.clock import Clock, SystemClock
from gateway.core.commands import Command, CommandResult
from gateway.core.identity import ChargerId
from gateway.core.refusals import Refusals
from gateway.core.responder import LocalResponder, Responder
from gateway.core.router import Router
from gateway.metrics import PrometheusObserver
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.quirks.catalog import Catalog, built_in
from gateway.ocpp.schemas import SchemaSet
from tests.support.memory import MemoryStore

SCHEMAS = {name: SchemaSet.load(profile.schema_package) for name, profile in PROFILES.items()}
PATIENCE = 60.0
"""Seconds that a test waits for what must happen."""

BOOT = {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
BOOT_2X = {"reason": "PowerUp", "chargingStation": {"vendorName": "Vendor", "model": "Model"}}
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 100, "timestamp": "2026-11-21T08:00:00Z"}
METER = {
    "connectorId": 1,
    "meterValue": [{"timestamp": "2026-11-21T08:00:00Z", "sampledValue": [{"value": "1"}]}],
}


async def until(condition: Callable[[], object], told: str = "the condition") -> None:
    """Wait for something to become true, looking every few milliseconds; the test fails where it never does."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (what is waited for is in the server, which tells nobody)
            await asyncio.sleep(0.005)


@dataclass
class Node:
    """A running charger server and what it stands on."""

    store: MemoryStore
    server: ChargerServer
    router: Router
    observer: PrometheusObserver
    clock: Clock
    refusals: Refusals
    tls: bool = False
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self.server.port}/ocpp"

    @asynccontextmanager
    async def charger(
        self,
        identity: str = "CP1",
        *,
        subprotocol: str | None = "ocpp1.6",
        boot: bool = True,
        headers: dict[str, str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        **options: Any,
    ) -> AsyncIterator["Charger"]:
        """A charger on a real WebSocket, booted unless told otherwise."""
        offered = None if subprotocol is None else [Subprotocol(subprotocol)]
        async with connect(
            f"{self.url}/{identity}",
            subprotocols=offered,
            additional_headers=headers,
            ssl=ssl_context,
            max_size=None,
            open_timeout=PATIENCE,
            close_timeout=1,
            proxy=None,
            **{"compression": None, "ping_interval": None, **options},
        ) as socket:
            charger = Charger(socket, ChargerId(identity))
            if boot:
                payload = BOOT if subprotocol in (None, "ocpp1.6") else BOOT_2X
                assert (await charger.call("BootNotification", payload))["status"] == "Accepted"
            yield charger

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare TCP connection."""
        return await asyncio.open_connection("127.0.0.1", self.server.port)

    def connection(self, identity: str = "CP1") -> Connection:
        found = self.router.local(ChargerId(identity))
        assert isinstance(found, Connection)
        return found

    def command(self, name: str, arguments: dict[str, Any], *, seconds: float = PATIENCE) -> Command:
        deadline = self.clock.now() + seconds
        return Command(os.urandom(4).hex(), ChargerId("CP1"), name, arguments, deadline)

    async def execute(self, name: str, arguments: dict[str, Any], *, seconds: float = PATIENCE) -> CommandResult:
        return await self.connection().execute(self.command(name, arguments, seconds=seconds))

    def state(self, identity: str = "CP1") -> dict[str, Any]:
        """The charger's snapshot as it is stored."""
        found = json.loads(self.store.fields[ChargerId(identity)]["charger"])
        assert isinstance(found, dict)
        return found

    def connector(self, evse_id: int = 1, connector_id: int = 1, identity: str = "CP1") -> dict[str, Any]:
        """A connector's snapshot as it is stored."""
        found = json.loads(self.store.fields[ChargerId(identity)][f"connector/{evse_id}/{connector_id}"])
        assert isinstance(found, dict)
        return found

    def types(self, identity: str = "CP1") -> list[str]:
        """The types of a charger's events, without the leading `ocpp.`."""
        return [str(kind).removeprefix("ocpp.") for kind in self.store.types(ChargerId(identity))]

    def data(self, event_type: str, identity: str = "CP1") -> list[dict[str, Any]]:
        return [
            event["data"]  # type: ignore[misc]
            for owner, event in self.store.events
            if owner == ChargerId(identity) and event["type"] == f"ocpp.{event_type}"
        ]


@dataclass
class Charger:
    """A charger's end of a WebSocket; every wait has an end."""

    socket: ClientConnection
    id: ChargerId
    sent: int = 0

    async def send(self, text: str | bytes) -> None:
        await self.socket.send(text)

    async def post(self, action: str, payload: Any, message_id: str | None = None) -> str:
        """Send a CALL and wait for nothing."""
        self.sent += 1
        message_id = f"m{self.sent}" if message_id is None else message_id
        await self.send(json.dumps([2, message_id, action, payload]))
        return message_id

    async def call(self, action: str, payload: Any, message_id: str | None = None) -> dict[str, Any]:
        """Send a CALL; the payload of its CALLRESULT."""
        message_id = await self.post(action, payload, message_id)
        kind, answered, *rest = await self.receive()
        assert (kind, answered) == (3, message_id), (kind, answered, rest)
        found = rest[0]
        assert isinstance(found, dict)
        return found

    async def receive(self) -> list[Any]:
        """The next frame of the gateway."""
        async with asyncio.timeout(PATIENCE):
            text = await self.socket.recv()
        found = json.loads(text)
        assert isinstance(found, list)
        return found

    async def called(self) -> tuple[str, str, dict[str, Any]]:
        """The gateway's next CALL: id, action, payload."""
        kind, message_id, action, payload = await self.receive()
        assert kind == 2
        return message_id, action, payload

    async def answer(self, message_id: str, payload: Any) -> None:
        await self.send(json.dumps([3, message_id, payload]))

    async def silent(self, seconds: float = 0.2) -> bool:
        """Whether nothing arrives for a while."""
        try:
            async with asyncio.timeout(seconds):
                await self.socket.recv()
        except TimeoutError:
            return True
        return False

    async def closed(self) -> int:
        """Wait until the gateway has closed the WebSocket; its code."""
        async with asyncio.timeout(PATIENCE):
            await self.socket.wait_closed()
        return int(self.socket.close_code or 1006)


@asynccontextmanager
async def running(
    store: MemoryStore | None = None,
    catalog: Catalog | None = None,
    responder: Responder | None = None,
    drain_seconds: float = 10.0,
    clock: Clock | None = None,
    **options: Any,
) -> AsyncIterator[Node]:
    """A server with these options of [chargers]; stopped and drained at the end."""
    store = store or MemoryStore()
    config = ChargersConfig(**{"host": "127.0.0.1", "port": 0, "heartbeat_interval": 300, **options})
    clock, observer, refusals = clock or SystemClock(), PrometheusObserver(), Refusals()
    # There is no other node to carry commands out.
    nobody: Any = None
    known: Any = store
    router = Router(
        node="node", clock=clock, state=known, commands=known, queue=known, mailboxes=nobody, observer=observer
    )
    server = ChargerServer(
        Surroundings(
            node="node",
            config=config,
            clock=clock,
            log=store,
            ownership=store,
            later=store,
            router=router,
            responder=responder or LocalResponder(heartbeat_interval=config.heartbeat_interval),
            observer=observer,
            schemas=SCHEMAS,
            quirks=catalog or Catalog.of(built_in()),
            refusals=refusals,
        )
    )
    node = Node(store, server, router, observer, clock, refusals, tls=bool(config.tls_certificate))
    started = asyncio.Event()
    work = server.run(started.set, node.stopping, drain_seconds=drain_seconds)
    serving = asyncio.create_task(work, name="server under test")
    serving.add_done_callback(lambda _: started.set())
    await started.wait()
    try:
        yield node
    finally:
        store.available.set()
        store.prompt.set()
        node.stopping.set()
        async with asyncio.timeout(PATIENCE):
            await serving


def handshake(
    path: str = "/ocpp/CP1", *, protocol: str | None = "ocpp1.6", connection: str | None = "Upgrade"
) -> bytes:
    """A handshake request by hand."""
    lines = [f"GET {path} HTTP/1.1", "Host: gateway", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    lines.append(f"Sec-WebSocket-Key: {base64.b64encode(bytes(range(16))).decode()}")
    if connection is not None:
        lines.append(f"Connection: {connection}")
    if protocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {protocol}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def masked(payload: bytes, opcode: int = 1, *, fin: bool = True) -> bytes:
    """A WebSocket frame of a client; its mask is zero."""
    first = (0x80 if fin else 0) | opcode
    if len(payload) < 126:
        head = bytes([first, 0x80 | len(payload)])
    elif len(payload) < 65536:
        head = bytes([first, 0xFE]) + len(payload).to_bytes(2, "big")
    else:
        head = bytes([first, 0xFF]) + len(payload).to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


async def response(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """The status and headers of an HTTP response."""
    async with asyncio.timeout(PATIENCE):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    return int(status.split()[1]), headers

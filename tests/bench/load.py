"""Chargers that cost next to nothing: raw frames on raw sockets, so that the server under test is the bottleneck.

Each charger boots, starts a transaction and then sends MeterValues, one at a time, each as soon as the last was
answered. Prints one JSON line: messages, seconds, rate, and latency percentiles in milliseconds.
"""

import argparse
import asyncio
import base64
import json
import os
import struct
import time
from dataclasses import dataclass, field
from typing import cast

import uvloop

TIME = "2026-01-01T00:00:00.000Z"
PHASES = (
    ("Current.Import", "L1", "10.7", "A"),
    ("Current.Import", "L2", "10.6", "A"),
    ("Current.Import", "L3", "10.7", "A"),
    ("Voltage", "L1-N", "230.1", "V"),
    ("Voltage", "L2-N", "229.7", "V"),
    ("Voltage", "L3-N", "230.4", "V"),
)


@dataclass(frozen=True)
class Kind:
    """What the chargers of a run say. `update` has places for message id, count, transaction and energy register."""

    subprotocol: str
    boot: str
    start: str
    update: str


def _kind_16(*, phases: bool) -> Kind:
    sample = '{{"value":"{}","context":"Sample.Periodic","measurand":"{}"{},"location":"Outlet","unit":"{}"}}'
    samples = [
        sample.format("%(register)010d", "Energy.Active.Import.Register", "", "Wh"),
        sample.format("7360", "Power.Active.Import", "", "W"),
    ]
    if phases:
        samples += [sample.format(value, name, f',"phase":"{phase}"', unit) for name, phase, value, unit in PHASES]
    return Kind(
        "ocpp1.6",
        '[2,"b","BootNotification",{"chargePointVendor":"Bench","chargePointModel":"Load"}]',
        '[2,"s","StartTransaction",{"connectorId":1,"idTag":"BENCH","meterStart":1000,"timestamp":"' + TIME + '"}]',
        '[2,"%(count)010d","MeterValues",{"connectorId":1,"transactionId":%(transaction)s,"meterValue":[{"timestamp":"'
        + f'{TIME}","sampledValue":[{",".join(samples)}]}}]}}]',
    )


def _kind_201() -> Kind:
    unit = '"unitOfMeasure":{{"unit":"{}"}}'
    sample = '{{"value":{},"context":"Sample.Periodic","measurand":"{}"{},"location":"Outlet",' + unit + "}}"
    samples = [
        sample.format("%(register)d", "Energy.Active.Import.Register", "", "Wh"),
        sample.format("7360", "Power.Active.Import", "", "W"),
        *(sample.format(value, name, f',"phase":"{phase}"', unit) for name, phase, value, unit in PHASES),
    ]
    event = (
        '[2,"%s","TransactionEvent",{"eventType":"%s","timestamp":"' + TIME + '","triggerReason":"%s","seqNo":%s,'
        '"transactionInfo":{"transactionId":"%s","chargingState":"Charging"},"evse":{"id":1,"connectorId":1}%s}]'
    )
    meter = f',"meterValue":[{{"timestamp":"{TIME}","sampledValue":[{",".join(samples)}]}}]'
    return Kind(
        "ocpp2.0.1",
        '[2,"b","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"Load","vendorName":"Bench"}}]',
        event % ("s", "Started", "CablePluggedIn", "0", "%(transaction)s", ""),
        event % ("%(count)010d", "Updated", "MeterValuePeriodic", "%(count)d", "%(transaction)s", meter),
    )


KINDS = {
    "1.6 MeterValues, 2 samples": _kind_16(phases=False),
    "1.6 MeterValues, 8 samples": _kind_16(phases=True),
    "2.0.1 TransactionEvent, 8 samples": _kind_201(),
}
"""What a charger sends while it charges: energy and power, or currents and voltages of three phases, too."""


@dataclass
class Tally:
    """What all chargers of a run counted together."""

    answered: int = 0
    latencies: list[float] = field(default_factory=list)
    kind: Kind = KINDS["1.6 MeterValues, 2 samples"]
    counting: bool = False
    stopping: bool = False


def frame(text: str) -> bytes:
    """A masked text frame; the mask is zero, which costs nothing to apply."""
    data = text.encode()
    head = struct.pack("!BB", 0x81, 0x80 | len(data)) if len(data) < 126 else struct.pack("!BBH", 0x81, 0xFE, len(data))
    return head + b"\0\0\0\0" + data


class Charger(asyncio.Protocol):
    """One charger on one socket."""

    def __init__(self, identity: str, tally: Tally, ready: asyncio.Future[None], *, idle: bool) -> None:
        self.identity, self.tally, self.ready, self.idle = identity, tally, ready, idle
        self.buffer = bytearray()
        self.step = "handshake"
        self.transaction = f"T-{identity}"
        self.count = 0
        self.sent_at = 0.0
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /ocpp/{self.identity} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {self.tally.kind.subprotocol}\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"{self.identity} was turned away: {bytes(self.buffer[:200])!r}"))
        self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer
        buffer += data
        if self.step == "handshake":
            end = buffer.find(b"\r\n\r\n")
            if end < 0 or b" 101 " not in buffer[:end]:
                return
            del buffer[: end + 4]
            self.step = "boot"
            self.transport.write(frame(self.tally.kind.boot))
        while len(buffer) >= 2:
            length, offset = buffer[1] & 0x7F, 2
            if length == 126:
                length, offset = int.from_bytes(buffer[2:4], "big"), 4
            if len(buffer) < offset + length:
                return
            opcode, payload = buffer[0] & 0x0F, bytes(buffer[offset : offset + length])
            del buffer[: offset + length]
            if opcode == 1:
                self.answered(payload)

    def answered(self, payload: bytes) -> None:
        match self.step:
            case "boot":
                if self.idle:
                    self.step = "idle"
                    self.ready.set_result(None)
                else:
                    self.step = "start"
                    self.transport.write(frame(self.tally.kind.start % {"transaction": self.transaction}))
            case "start":
                self.transaction = str(json.loads(payload)[2].get("transactionId", self.transaction))
                self.step = "meter"
                self.ready.set_result(None)
            case "meter":
                assert payload.startswith(b"[3,"), payload
                if self.tally.counting:
                    self.tally.answered += 1
                    self.tally.latencies.append(time.perf_counter() - self.sent_at)
                if not self.tally.stopping:
                    self.send_meter()

    def send_meter(self) -> None:
        self.count += 1
        self.sent_at = time.perf_counter()
        said = {"count": self.count, "transaction": self.transaction, "register": 1000 + self.count}
        self.transport.write(frame(self.tally.kind.update % said))


async def connect(port: int, count: int, tally: Tally, *, idle: bool = False, prefix: str = "BENCH") -> list[Charger]:
    """So many chargers, booted (and, unless idle, in a transaction)."""
    loop = asyncio.get_running_loop()
    chargers = []
    for number in range(count):
        ready: asyncio.Future[None] = loop.create_future()

        def make(number: int = number, ready: asyncio.Future[None] = ready) -> Charger:
            return Charger(f"{prefix}-{number:05d}", tally, ready, idle=idle)

        _, charger = await loop.create_connection(make, "127.0.0.1", port)
        await asyncio.wait_for(ready, 30)
        chargers.append(charger)
    return chargers


async def run(port: int, count: int, warm_up: float, seconds: float, kind: str) -> None:
    tally = Tally(kind=KINDS[kind])
    chargers = await connect(port, count, tally)
    for charger in chargers:
        charger.send_meter()
    await asyncio.sleep(warm_up)
    print("counting", flush=True)
    tally.counting = True
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    tally.counting, elapsed = False, time.perf_counter() - began
    print("counted", flush=True)
    tally.stopping = True
    latencies = sorted(tally.latencies)
    print(
        json.dumps(
            {
                "messages": tally.answered,
                "seconds": elapsed,
                "rate": tally.answered / elapsed,
                "p50_ms": 1000 * latencies[len(latencies) // 2],
                "p99_ms": 1000 * latencies[len(latencies) * 99 // 100],
            }
        ),
        flush=True,
    )
    for charger in chargers:
        charger.transport.close()


async def hold_idle(port: int, count: int) -> None:
    """Hold so many booted, silent connections until stdin ends."""
    chargers = await connect(port, count, Tally(), idle=True, prefix="IDLE")
    print("holding", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, input)
    for charger in chargers:
        charger.transport.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--chargers", type=int, default=200)
    parser.add_argument("--warm-up", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--kind", choices=KINDS, default=next(iter(KINDS)))
    parser.add_argument("--idle", action="store_true")
    options = parser.parse_args()
    if options.idle:
        uvloop.run(hold_idle(options.port, options.chargers))
    else:
        uvloop.run(run(options.port, options.chargers, options.warm_up, options.seconds, options.kind))

"""What a message costs the gateway itself, from the frame's text to the bytes for Redis and the answer, in CPU time.

No socket, no Redis, no broker: it tells two versions of the code apart on a machine that has other work, too. Run it
for both in turn (PYTHONPATH chooses) and compare the lowest figures.
"""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from typing import Any, cast

import structlog

from gateway import memory
from gateway.chargers.config import ChargersConfig
from gateway.chargers.connection import Connection
from gateway.chargers.surroundings import Surroundings
from gateway.chargers.websocket import WebSocket
from gateway.cluster.config import ClusterConfig
from gateway.cluster.keys import ChargerKeys, Keys
from gateway.cluster.shard_writer import ShardWriter
from gateway.cluster.wire import pack
from gateway.core.clock import SystemClock
from gateway.core.identity import ChargerId
from gateway.core.ports import Claim, Commit, Receipt
from gateway.core.responder import LocalResponder
from gateway.core.router import Router
from gateway.metrics import PrometheusObserver
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.schemas import SchemaSet
from tests.bench.load import KINDS, Kind

CHARGERS = 64
"""So many send a message each before the batch is packed, about as many as there are in one under full load."""

WARM_UP = 100
ROUNDS = 200

MOST_TURNS = 1000
"""Turns of the event loop in which every charger must be answered."""

NOTHING: Any = None
"""In place of what a run does not touch."""


class PackedLog:
    """An event log that packs a batch as it would go to Redis, and confirms it."""

    def __init__(self) -> None:
        self._keys = Keys()
        self._keys.settle(1)
        self._writer = ShardWriter(
            NOTHING,
            self._keys,
            ClusterConfig(),
            clock=SystemClock(),
            health=NOTHING,
            observer=NOTHING,
            on_full=lambda: None,
            server=None,
            leave=lambda _: False,
        )
        self._waiting: list[tuple[Commit, Receipt, int, ChargerKeys]] = []
        self._serial = 0
        self.packed = 0

    def submit(self, commit: Commit, receipt: Receipt) -> None:
        self._serial += 1
        self._waiting.append((commit, receipt, self._serial, self._keys.charger(commit.charger)))

    async def commit(self, commit: Commit) -> bytes | None:
        stored: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self.submit(commit, stored)
        return await stored

    def flush(self) -> None:
        batch, self._waiting = self._waiting, []
        if batch:
            self.packed += len(pack(self._writer._call(0, batch)))
        for _, receipt, _, _ in batch:
            receipt.set_result(None)


class Socket:
    """A charger's end of the wire: keeps the gateway's latest answer."""

    remote_address, security, was_sent_too_much = "127.0.0.1", None, False
    answer = ""

    def send(self, text: str) -> None:
        self.answer = text

    def resume(self) -> None: ...
    def pause(self) -> None: ...
    def close(self, code: int, reason: str) -> None: ...


class NothingStored:
    """No transaction is found that was forgotten."""

    async def recall(self, charger: ChargerId, names: Sequence[str]) -> bytes | None:
        return None


class NoLaterWork:
    async def schedule(self, *arguments: object, **options: object) -> None: ...
    async def cancel(self, *arguments: object, **options: object) -> None: ...


def surroundings(kind: Kind, log: PackedLog) -> Surroundings:
    clock, observer = SystemClock(), PrometheusObserver()
    return Surroundings(
        node="bench",
        config=ChargersConfig(),
        clock=clock,
        log=log,
        ownership=cast(Any, NothingStored()),
        later=cast(Any, NoLaterWork()),
        router=Router(
            node="bench",
            clock=clock,
            state=NOTHING,
            commands=NOTHING,
            mailboxes=NOTHING,
            queue=NOTHING,
            observer=observer,
        ),
        responder=LocalResponder(heartbeat_interval=300),
        observer=observer,
        schemas={kind.subprotocol: SchemaSet.load(PROFILES[kind.subprotocol].schema_package)},
    )


class Fleet:
    """Connected chargers that speak all at once."""

    def __init__(self, kind: Kind) -> None:
        self.log = PackedLog()
        self._sockets = [Socket() for _ in range(CHARGERS)]
        around, profile = surroundings(kind, self.log), PROFILES[kind.subprotocol]
        self._connections = [
            Connection(
                ChargerId(f"BENCH-{number:05d}"),
                profile,
                cast(WebSocket, socket),
                Claim(1, {}, {}, time.time()),
                around,
                spawn=lambda work: work.close(),
            )
            for number, socket in enumerate(self._sockets)
        ]
        self._tasks = [asyncio.create_task(connection.run(), name="bench") for connection in self._connections]

    async def say(self, texts: list[str]) -> list[str]:
        """What each charger is answered to its text."""
        for socket, connection, text in zip(self._sockets, self._connections, texts, strict=True):
            socket.answer = ""
            connection.text_received(text)
        for _ in range(MOST_TURNS):
            if all(socket.answer for socket in self._sockets):
                return [socket.answer for socket in self._sockets]
            self.log.flush()
            await asyncio.sleep(0)
        raise SystemExit(f"a charger got no answer to {texts[0][:80]}")

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def cost(kind: Kind) -> tuple[float, float]:
    """CPU microseconds and packed bytes of one message."""
    fleet = Fleet(kind)
    names = [f"T-{number}" for number in range(CHARGERS)]
    await asyncio.sleep(0)
    await fleet.say([kind.boot] * CHARGERS)
    answers = await fleet.say([kind.start % {"transaction": name} for name in names])
    begun = [json.loads(answer)[2].get("transactionId", name) for answer, name in zip(answers, names, strict=True)]
    memory.settle()
    spent = 0.0
    for count in range(1, WARM_UP + ROUNDS + 1):
        texts = [kind.update % {"count": count, "transaction": one, "register": 1000 + count} for one in begun]
        if count == WARM_UP + 1:
            spent, fleet.log.packed = 0.0, 0
        began = time.process_time()
        await fleet.say(texts)
        spent += time.process_time() - began
    await fleet.leave()
    messages = ROUNDS * CHARGERS
    return 1e6 * spent / messages, fleet.log.packed / messages


def measure() -> None:
    """Print what one message of each kind costs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for name, kind in KINDS.items():
        microseconds, size = asyncio.run(cost(kind))
        print(f"{name:34} {microseconds:6.1f} us of CPU, {size:5.0f} bytes to Redis", flush=True)

"""Chargers: each acts its plays out, keeps what was not acknowledged in order, and writes down what it saw."""

import asyncio
import itertools
import json
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Subprotocol

from tests.chaos.run import words16, words201
from tests.chaos.run.plays import Again, Offline, Online, Pause, Say, Step, scenes
from tests.chaos.run.plays16 import Charging16
from tests.chaos.run.plays201 import Charging201
from tests.chaos.run.traits import Traits
from tests.chaos.run.truth import Complaint, Message, Transaction, Version

OFFLINE_SECONDS = (0.3, 3.0)
LEAP_AFTER = (2.0, 15.0)
MEMORY = 60
"""Messages that wait at the most before no further ones are made."""
MUTE_SHARE, REFUSE_SHARE = 0.02, 0.05
"""How many calls are not answered, and how many are refused."""


@dataclass
class Tally:
    """What a fleet has seen so far."""

    acknowledged: int = 0
    copies: int = 0
    connections: int = 0
    refused_connections: int = 0
    seconds: list[float] = field(default_factory=list)
    """From the first sending of a message to its acknowledgement."""


@dataclass(eq=False)
class Sending:
    """A message in the queue."""

    message: Message
    old_id: bool = False
    """Say again, under its old id, what was said before."""
    ids: list[str] = field(default_factory=list)
    since: float = 0.0
    answered: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Called:
    """A call that arrived: when, its action and payload, and whether it was answered (`refused`: with a no)."""

    at: float
    action: str
    payload: dict[str, Any]
    reply: str


class Charger:
    """One charger and its connectors. `ports` are where it may connect, all the same to it."""

    def __init__(
        self,
        identity: str,
        version: Version,
        traits: Traits,
        *,
        seed: str,
        ports: Sequence[int],
        pause: float,
        patience: float,
        tally: Tally,
    ) -> None:
        self.identity, self.version, self.traits = identity, version, traits
        self.called: list[Called] = []
        self.complaints: list[Complaint] = []
        self.messages: list[Message] = []
        """All that were ever sent, in the order of their first sending."""
        self._ports, self._patience, self._tally, self._pause = ports, patience, tally, pause
        self._draw = random.Random(f"{seed}/{identity}/line")
        self._seed = seed
        kind = Charging16 if version == "1.6" else Charging201
        self._connectors = [
            kind(identity, evse, traits, random.Random(f"{seed}/{identity}/{evse}"), pause=pause)
            for evse in range(1, traits.evses + 1)
        ]
        self._queue: deque[Sending] = deque()
        self._live: deque[Sending] = deque()
        self._by_id: dict[str, Sending] = {}
        self._places = itertools.count()
        self._ending = self._leaving = self._played = False
        self._offline = 0
        self._stir = asyncio.Event()
        self._booted = False
        self._abandoned: set[asyncio.Task[None]] = set()
        self.connected = False
        self.acknowledged = 0
        """Sendings that were acknowledged."""

    @property
    def transactions(self) -> list[Transaction]:
        return [transaction for connector in self._connectors for transaction in connector.transactions]

    @property
    def waiting(self) -> int:
        """Messages that were not acknowledged yet."""
        return len(self._queue)

    @property
    def is_done(self) -> bool:
        """All that it will ever say was acknowledged."""
        return self._played and not self._queue

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Charge until `finish`, then say all that is left and stay connected until `leave`."""
        line = asyncio.create_task(self._keep_connected(), name=f"{self.identity} line")
        try:
            async with asyncio.TaskGroup() as acting:
                for number, connector in enumerate(self._connectors):
                    draw = random.Random(f"{self._seed}/{self.identity}/{number} scenes")
                    steps = scenes(connector, draw, pause=self._pause, ending=lambda: self._ending)
                    acting.create_task(self._act(steps), name=f"{self.identity} connector {number + 1}")
            self._played = True
            await line
        finally:
            line.cancel()
            for task in (line, *self._abandoned):
                task.cancel()
            await asyncio.gather(line, *self._abandoned, return_exceptions=True)

    def finish(self) -> None:
        """Begin no more transactions."""
        self._ending = True
        self._stir.set()

    def leave(self) -> None:
        """Disconnect."""
        self._leaving = True
        self._stir.set()

    async def _act(self, steps: Iterator[Step]) -> None:
        for step in steps:
            match step:
                case Say(message):
                    (self._queue if message.once else self._live).append(Sending(message))
                case Again(message, new_id):
                    self._queue.append(Sending(message, old_id=not new_id))
                case Pause(seconds):
                    await asyncio.sleep(seconds)
                case Offline():
                    self._offline += 1
                    await asyncio.sleep(self._draw.uniform(*OFFLINE_SECONDS) * self._pause)
                case Online():
                    self._offline -= 1
            self._stir.set()
            # A real one keeps its memory bounded, too; and plays must not run ahead of an outage without end.
            while len(self._queue) > MEMORY and not self._offline:  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    # ------------------------------------------------------------ the connection

    async def _keep_connected(self) -> None:
        wait = 0.2
        while not self._leaving:
            if self._offline:
                await asyncio.sleep(0.05)
                continue
            try:
                socket = await self._dial()
            except (OSError, TimeoutError, InvalidHandshake, WebSocketException):
                self._tally.refused_connections += 1
                await asyncio.sleep(self._draw.uniform(0.5, 1.0) * wait)
                wait = min(wait * 2, 2.0)
                continue
            wait = 0.2
            self._tally.connections += 1
            reader = asyncio.create_task(self._read(socket), name=f"{self.identity} reader")
            self.connected = True
            try:
                leap = await self._use(socket, reader)
            finally:
                self.connected = False
                self._live.clear()
            ending = asyncio.create_task(self._let_go(socket, reader, leap=leap), name=f"{self.identity} old socket")
            self._abandoned.add(ending)
            ending.add_done_callback(self._abandoned.discard)
        await asyncio.gather(*self._abandoned, return_exceptions=True)

    async def _dial(self) -> ClientConnection:
        return await connect(
            f"ws://127.0.0.1:{self._draw.choice(self._ports)}/ocpp/{self.identity}",
            subprotocols=[Subprotocol(f"ocpp{self.version}")],
            ping_interval=None,
            compression=None,
            proxy=None,
            open_timeout=6,
            close_timeout=1,
        )

    async def _let_go(self, socket: ClientConnection, reader: asyncio.Task[None], *, leap: bool) -> None:
        """Close a connection; one that was leapt from stays open for a while, as a half-open one does."""
        if leap and not self._leaving:
            await asyncio.wait([reader], timeout=self._draw.uniform(2, 8))
        if self._draw.random() < 0.5:
            socket.transport.abort()
        with suppress(OSError, WebSocketException):
            await socket.close()
        await asyncio.wait([reader])

    async def _use(self, socket: ClientConnection, reader: asyncio.Task[None]) -> bool:
        """Send what there is; returns when the connection is of no use any more, and whether it is only left alone."""
        loop = asyncio.get_running_loop()
        leap_at = loop.time() + self._draw.uniform(*LEAP_AFTER) if self.traits.leaps else float("inf")
        if not self._booted or self._draw.random() < 0.3:
            action, payload = (words16 if self.version == "1.6" else words201).boot(self.identity)
            self._live.appendleft(Sending(Message(self.identity, action, payload, once=False)))
        while not (reader.done() or self._leaving or self._offline):
            if loop.time() > leap_at and not self._ending:
                return True
            waiting = self._live or self._queue
            if not waiting:
                self._stir.clear()
                stirred = asyncio.ensure_future(self._stir.wait())
                await asyncio.wait([stirred, reader], timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
                stirred.cancel()
                continue
            sending = waiting[0]
            if not await self._said(socket, reader, sending):
                return False
            if waiting and waiting[0] is sending:
                waiting.popleft()
        return False

    # ------------------------------------------------------------ a message

    async def _said(self, socket: ClientConnection, reader: asyncio.Task[None], sending: Sending) -> bool:
        """Send a message until it is acknowledged; False where the connection was given up before."""
        message = sending.message
        while not sending.answered.is_set():
            try:
                await self._send(socket, sending)
                if message.once and self._draw.random() < self.traits.echoes:
                    await self._send(socket, sending)
            except (OSError, WebSocketException):
                return False
            answered = asyncio.ensure_future(sending.answered.wait())
            await asyncio.wait([answered, reader], timeout=self._patience, return_when=asyncio.FIRST_COMPLETED)
            answered.cancel()
            if sending.answered.is_set():
                break
            if reader.done() or not message.once or self._draw.random() < 0.3:
                return False
        if message.action == "BootNotification":
            self._booted = True
        return True

    async def _send(self, socket: ClientConnection, sending: Sending) -> None:
        message, now = sending.message, time.monotonic()
        if sending.old_id and not sending.ids:
            sending.ids.append(message.ids[-1])
        reuse = sending.ids and (sending.old_id or self.traits.same_ids or self._draw.random() < 0.3)
        message_id = sending.ids[-1] if reuse else uuid4().hex
        if not message.ids:
            message.place = next(self._places)
            self.messages.append(message)
        if message_id not in message.ids:
            message.ids.append(message_id)
        if message_id not in sending.ids:
            sending.ids.append(message_id)
        sending.since = sending.since or now
        message.copies += 1
        self._tally.copies += 1
        self._by_id[message_id] = sending
        await socket.send(json.dumps([2, message_id, message.action, message.text()]))

    def _acknowledged(self, message_id: str, answer: dict[str, Any]) -> None:
        sending = self._by_id.get(message_id)
        if sending is None:
            self.complaints.append(Complaint(self.identity, f"an answer to {message_id!r}, which was never sent"))
            return
        message = sending.message
        if message.starts and message.transaction is not None:
            self._note_number(message, answer)
        message.answered = True
        if not sending.answered.is_set():
            sending.answered.set()
            self._tally.acknowledged += 1
            self.acknowledged += 1
            self._tally.seconds.append(time.monotonic() - sending.since)

    def _note_number(self, message: Message, answer: dict[str, Any]) -> None:
        transaction, number = message.transaction, answer.get("transactionId")
        if transaction is None:
            return
        if not isinstance(number, int) or not 0 < number < 2**31:
            self.complaints.append(Complaint(self.identity, f"a start was answered with {answer}", message))
            return
        transaction.numbers.add(number)
        if transaction.number is None:
            transaction.number = number

    def _refused(self, message_id: str, frame: list[Any]) -> None:
        sending = self._by_id.get(message_id)
        message = None if sending is None else sending.message
        self.complaints.append(Complaint(self.identity, f"a message was answered with CALLERROR {frame}", message))

    # ------------------------------------------------------------ what arrives

    async def _read(self, socket: ClientConnection) -> None:
        with suppress(OSError, WebSocketException):
            async for text in socket:
                frame = json.loads(text)
                match frame[0]:
                    case 2:
                        await self._obey(socket, frame)
                    case 3:
                        self._acknowledged(frame[1], frame[2])
                    case _:
                        self._refused(frame[1], frame)

    async def _obey(self, socket: ClientConnection, frame: list[Any]) -> None:
        _, message_id, action, payload = frame
        lot = self._draw.random()
        reply = "mute" if lot < MUTE_SHARE else "refused" if lot < MUTE_SHARE + REFUSE_SHARE else "accepted"
        self.called.append(Called(time.monotonic(), action, payload, reply))
        if reply == "mute":
            return
        if reply == "refused":
            said: list[Any] = [4, message_id, "InternalError", "not today", {}]
        else:
            said = [3, message_id, (words16 if self.version == "1.6" else words201).answer(action, payload)]
        await socket.send(json.dumps(said))

"""A light charger: charges without an end, obeys calls, goes to another node where one is gone, and notes it all."""

import asyncio
import itertools
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.nodes.facts import Connection, Facts, Obeyed, Said
from tests.chaos.nodes.line import Line, connect
from tests.chaos.nodes.words import NUMBERED, Saying, Speech

OPEN_SECONDS = 8.0
REBOOTS = 0.3
"""How often a charger boots where it connects again."""
HASTE = 1.0
"""Seconds between two messages, about, of one that was told to finish."""
MOST_STALE = 3
"""Sockets that a charger leaves standing behind it, at most."""

Manner = str
ANSWERS: dict[Manner, Any] = {"accepted": {"status": "Accepted"}, "rejected": {"status": "Rejected"}}


@dataclass(frozen=True)
class Habits:
    """How chargers are. `pause`: seconds between two messages, about; `patience`: for an answer, before it goes to
    another node; `leaves`: how often it stays away for `away` seconds where it lost its connection."""

    pause: float
    patience: float
    leaves: float
    away: tuple[float, float]


class Charger:
    """One charger; `run` ends after `leave`. Behind `ports` stand the nodes."""

    def __init__(self, identity: str, version: str, habits: Habits, ports: Sequence[int], seed: str) -> None:
        self.facts = Facts(identity)
        self.is_at_rest = False
        """It was told to finish, and has nothing left to say."""
        self._identity, self._version, self._habits, self._ports = identity, version, habits, ports
        self._draw = random.Random(f"{seed}/{identity}")
        self._speech = Speech(version, self._draw)
        self._sayings = self._speech.transactions()
        self._pending: list[tuple[Saying, Said]] = []
        self._between = True
        self._finishing = False
        self._numbers = itertools.count(1)
        self._line: Line | None = None
        self._left_behind: list[Line] = []
        self._answer: tuple[str, asyncio.Future[list[Any]]] | None = None
        self._leaving: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_open(self) -> bool:
        return self._line is not None and self._line.is_open

    @property
    def is_waiting(self) -> bool:
        """Something that it said is not answered yet."""
        return bool(self._pending)

    def finish(self) -> None:
        """Bring the present transaction to its end, and then stay, silent."""
        self._finishing = True

    def leave(self) -> None:
        """End `run`, and leave what sockets there are to the end of the process."""
        if not self._leaving.done():
            self._leaving.set_result(None)

    async def run(self, *, after: float = 0.0) -> None:
        await self._rest(after)
        self._pending.append(self._new(self._speech.boot()))
        while not self._leaving.done():
            node = self._draw.randrange(len(self._ports))
            line = Line(self._identity, f"ocpp{self._version}", self._on_frame)
            status = await connect(line, self._ports[node], source=None, seconds=OPEN_SECONDS)
            if status != 101:
                self.facts.refused += status == 503
                wait = self._draw.uniform(0.2, 1.5)
                await self._rest(wait if line.retry_after is None else min(line.retry_after, 5.0) + wait)
                continue
            await self._connected(line, Connection(node, line.port, time.time()))

    async def _connected(self, line: Line, connection: Connection) -> None:
        """One connection, from its opening to its loss, and what follows from that."""
        for old in self._left_behind:
            old.is_stale = True
        self.facts.connections.append(connection)
        self._line = line
        if len(self.facts.connections) > 1 and self._draw.random() < REBOOTS:
            self._pending.insert(0, self._new(self._speech.boot()))
        await self._talk(line)
        if self._leaving.done():
            return
        connection.closed, connection.left = time.time(), not line.gone.done()
        if line.gone.done():
            connection.code = line.gone.result()
        else:
            self._leave_behind(line)
        if self._draw.random() < self._habits.leaves and not self._finishing:
            connection.away = self._draw.uniform(*self._habits.away)
        await self._rest(connection.away or self._draw.uniform(0.1, 1.0))

    def _leave_behind(self, line: Line) -> None:
        """Give a socket up on which nothing comes: some chargers close it, some break it off, some forget it."""
        manner = self._draw.randrange(4)
        if manner == 0:
            line.close()
        elif manner == 1 or len(self._left_behind) >= MOST_STALE:
            line.abort()
        else:
            self._left_behind.append(line)

    # ------------------------------------------------------------ speaking

    async def _talk(self, line: Line) -> None:
        """Speak until the socket is gone, or given up, or the charger leaves."""
        while line.is_open and not self._leaving.done():
            item = self._next()
            if item is None:
                await _any_of(line.gone, self._leaving)
                return
            if not await self._say(line, *item):
                return
            pause = min(self._habits.pause, HASTE if self._finishing else math.inf) * self._draw.uniform(0.5, 1.5)
            await _any_of(line.gone, self._leaving, seconds=pause)

    def _next(self) -> tuple[Saying, Said] | None:
        if not self._pending:
            if self._finishing and self._between:
                self.is_at_rest = True
                return None
            self._pending.append(self._new(next(self._sayings)))
        return self._pending[0]

    def _new(self, saying: Saying) -> tuple[Saying, Said]:
        said = Said(saying.action, saying.once)
        self.facts.messages.append(said)
        return saying, said

    async def _say(self, line: Line, saying: Saying, said: Said) -> bool:
        """Send a message and wait for its answer; False where none came."""
        if not said.ids:
            said.sent = time.time()
        if not said.ids or self._draw.random() < 0.5:
            said.ids.append(f"{self._identity}-{next(self._numbers)}")
        payload = {**saying.payload, NUMBERED: self._speech.number} if saying.numbered else saying.payload
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._answer = said.ids[-1], answer
        began = time.monotonic()
        line.send([2, said.ids[-1], saying.action, payload])
        await _any_of(answer, line.gone, self._leaving, seconds=self._habits.patience)
        if not answer.done():
            return False
        said.answered, said.took = time.time(), time.monotonic() - began
        self._pending.pop(0)
        if saying.action != "BootNotification":
            self._between = saying.ends
        self._understand(saying, said, answer.result())
        return True

    def _understand(self, saying: Saying, said: Said, frame: list[Any]) -> None:
        if frame[0] != 3:
            self.facts.complaints.append(f"{saying.action} {said.ids[-1]} was answered with {frame}")
        elif saying.action == "StartTransaction":
            said.number = self._speech.number = int(frame[2]["transactionId"])
        elif saying.action == "BootNotification" and frame[2]["status"] != "Accepted":
            self.facts.complaints.append(f"its boot was answered with {frame[2]}")

    async def _rest(self, seconds: float) -> None:
        await _any_of(self._leaving, seconds=seconds)

    # ------------------------------------------------------------ listening

    def _on_frame(self, line: Line, frame: list[Any]) -> None:
        if frame[0] == 2:
            self._obey(line, frame)
        elif line is not self._line or line.is_stale:
            if line.is_stale:
                self.facts.stale_answers.append(frame[1])
        elif self._answer is not None and self._answer[0] == frame[1] and not self._answer[1].done():
            self._answer[1].set_result(frame)

    def _obey(self, line: Line, frame: list[Any]) -> None:
        trace = str(frame[3].get("messageId", ""))
        manner = manner_of(trace)
        self.facts.calls.append(Obeyed(time.time(), frame[2], trace, manner, line.is_stale))
        if manner == "silent":
            return
        told = [4, frame[1], "InternalError", "", {}] if manner == "error" else [3, frame[1], ANSWERS[manner]]
        asyncio.get_running_loop().call_later(self._draw.uniform(0.0, 0.3), line.send, told)


async def _any_of(*futures: asyncio.Future[Any], seconds: float | None = None) -> None:
    """Wait until one of them is done, or so long."""
    await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


def manner_of(trace: str) -> Manner:
    """How a charger answers the call of an order; most accept."""
    draw = random.Random(f"manner of {trace}").random()
    if draw < 0.03:
        return "silent"
    return "error" if draw < 0.07 else "rejected" if draw < 0.12 else "accepted"

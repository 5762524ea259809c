"""The parent of workers: starts them, starts again those that die, collects their metrics, and ends them all."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from gateway.workers.channel import Channel, Message
from gateway.workers.pages import LABEL, merged

_log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a worker that died is started again: more each time that it dies soon after."""

GOOD_LIFE = 60.0
"""Seconds of service after which a death counts as the first."""

PAGE_SECONDS = 2.0
KILL_AFTER = 3.0
"""Seconds beyond its own deadline that a worker gets to end by itself."""

BAD_CONFIGURATION = 2
"""The exit code of a worker that its configuration keeps from starting."""


@dataclass(frozen=True)
class WorkerCommand:
    """How a worker is started."""

    command: Sequence[str]
    environment: dict[str, str]


class Worker:
    """One worker process, started again and again until `stop`."""

    def __init__(self, number: int, how: WorkerCommand, collect: "Callable[[Worker, int], None]") -> None:
        self.number, self._how, self._collect = number, how, collect
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel | None = None
        self._stopping = asyncio.Event()
        self._pages: list[asyncio.Future[bytes]] = []
        self._ready_at: float | None = None
        self.was_ready = False
        self.restarts = 0

    @property
    def is_up(self) -> bool:
        """Whether chargers may connect to it."""
        return self._ready_at is not None

    async def run(self) -> int:
        """Keep it running until it is stopped; its exit code. Returns, too, where its configuration is wrong."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while True:
            code, good_life = await self._live()
            if self._stopping.is_set():
                # By the signal itself ends one that does not listen for it yet, and so has nothing to drain.
                return 0 if code == -signal.SIGTERM else code
            if code == BAD_CONFIGURATION and not self.was_ready:
                return code
            pause = FIRST_PAUSE if good_life else pause
            _log.error("a worker died; it is started again", worker=self.number, status=code, seconds=pause)
            self.restarts += 1
            again_at, pause = loop.time() + pause, min(2 * pause, LONGEST_PAUSE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(again_at):
                    await self._stopping.wait()
                    return 0

    async def _live(self) -> tuple[int, bool]:
        """One life: the exit code, and whether it was a good one."""
        loop = asyncio.get_running_loop()
        self._pages.clear()
        ours, theirs = socket.socketpair()
        try:
            # In a session of its own, so that Ctrl-C reaches the parent alone.
            process = await asyncio.create_subprocess_exec(
                *self._how.command, env=self._how.environment, stdin=theirs.fileno(), start_new_session=True
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._process = process
        if self._stopping.is_set():
            self.signal(signal.SIGTERM)
        self._channel = channel = await Channel.over(ours)
        talking = asyncio.create_task(self._talk(channel), name=f"worker {self.number}: channel")
        try:
            code = await process.wait()
        finally:
            self._process, self._channel = None, None
            talking.cancel()
            await asyncio.wait([talking])
            channel.close()
        good_life = self._ready_at is not None and loop.time() - self._ready_at > GOOD_LIFE
        self._ready_at = None
        return code, good_life

    async def _talk(self, channel: Channel) -> None:
        while (message := await channel.receive()) is not None:
            if message.kind == "ready":
                self._ready_at, self.was_ready = asyncio.get_running_loop().time(), True
                _log.info("worker is ready", worker=self.number)
            elif message.kind == "collect":
                self._collect(self, message.number)
            elif message.kind == "page" and self._pages:
                waiting = self._pages.pop(0)
                if not waiting.done():
                    waiting.set_result(message.body)

    def send(self, message: Message) -> None:
        if self._channel is not None:
            self._channel.send(message)

    async def page(self) -> bytes | None:
        """Its metrics; None where it shows none in time."""
        if not self.is_up:
            return None
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._pages.append(waiting)
        self.send(Message("page"))
        try:
            async with asyncio.timeout(PAGE_SECONDS):
                return await waiting
        except TimeoutError:
            return None

    def stop(self) -> None:
        """Ask it to drain; asked again, to end at once."""
        self._stopping.set()
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


class Supervisor:
    """All workers. `deadline`: the seconds that a worker takes to drain at the most."""

    def __init__(self, workers: Sequence[WorkerCommand], *, deadline: float) -> None:
        self._workers = [Worker(number, how, self._collect) for number, how in enumerate(workers, start=1)]
        self._deadline = deadline
        self._tasks: asyncio.TaskGroup | None = None
        self._stopping = False

    async def run(self) -> int:
        """Run them until `stop`; 0 where all ended well. Where one's configuration is wrong all end, with its code."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            running = [tasks.create_task(worker.run(), name=f"worker {worker.number}") for worker in self._workers]
            try:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                if not self._stopping:
                    self.stop()
                await asyncio.wait(running)
            finally:
                self._kill()
        codes = {task.result() for task in running} - {0}
        if BAD_CONFIGURATION in codes:
            return BAD_CONFIGURATION
        return max(1, *codes) if codes else 0

    def stop(self) -> None:
        """Have all drain; called again, have those end at once that have not ended."""
        self._stopping = True
        for worker in self._workers:
            worker.stop()
        asyncio.get_running_loop().call_later(self._deadline + KILL_AFTER, self._kill)

    def _kill(self) -> None:
        for worker in self._workers:
            worker.signal(signal.SIGKILL)

    def _collect(self, asker: Worker, number: int) -> None:
        if self._tasks is not None:
            self._tasks.create_task(self._answer(asker, number), name=f"metrics for worker {asker.number}")

    async def _answer(self, asker: Worker, number: int) -> None:
        found = await asyncio.gather(*(worker.page() for worker in self._workers))
        pages = {worker.number: page for worker, page in zip(self._workers, found, strict=True) if page is not None}
        asker.send(Message("pages", number, merged(pages) + self._own_page()))

    def _own_page(self) -> bytes:
        """What only the parent knows."""
        up, restarts = "ocpp_gateway_worker_up", "ocpp_gateway_worker_restarts_total"
        lines = [f"# HELP {up} Whether chargers may connect to the worker", f"# TYPE {up} gauge"]
        lines += [f'{up}{{{LABEL}="{worker.number}"}} {float(worker.is_up)}' for worker in self._workers]
        lines += [f"# HELP {restarts} How often the worker was started again", f"# TYPE {restarts} counter"]
        lines += [f'{restarts}{{{LABEL}="{worker.number}"}} {float(worker.restarts)}' for worker in self._workers]
        return "".join(f"{line}\n" for line in lines).encode()

"""The parent of workers, with small programs in their place."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from gateway.workers import supervisor
from gateway.workers.supervisor import Supervisor, WorkerCommand
from tests.chaos.waiting import until

READY = "import os, signal, sys, time\nsys.stdin.buffer\nos.write(0, b'ready 0 0\\n')\n"
PATIENCE = 60.0


def worker(folder: Path, name: str, program: str) -> WorkerCommand:
    """A worker that notes its process id each time that it starts."""
    note = f"open({str(folder / name)!r}, 'a').write(str(__import__('os').getpid()) + '\\n')\n"
    return WorkerCommand([sys.executable, "-I", "-S", "-c", note + program], dict(os.environ))


def lives(folder: Path, name: str) -> list[int]:
    path = folder / name
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


WAITS = READY + "signal.signal(15, lambda *_: sys.exit(0))\nwhile True: time.sleep(60)\n"


async def test_a_worker_that_dies_is_started_again_and_a_stop_ends_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.05)
    family = Supervisor([worker(tmp_path, name, WAITS) for name in "ab"], deadline=PATIENCE)
    running = asyncio.create_task(family.run())
    await until(lambda: all(one.is_up for one in family._workers), "both are ready")
    os.kill(lives(tmp_path, "a")[0], signal.SIGKILL)
    await until(lambda: len(lives(tmp_path, "a")) == 2 and family._workers[0].is_up, "the dead one is back")
    assert len(lives(tmp_path, "b")) == 1, "the other one lives on"
    assert b'ocpp_gateway_worker_restarts_total{worker="1"} 1.0' in family._own_page()
    family.stop()
    async with asyncio.timeout(PATIENCE):
        assert await running == 0


async def test_one_that_dies_again_and_again_waits_longer_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", 0.05)
    pauses: list[float] = []
    monkeypatch.setattr(supervisor._log, "error", lambda *_, **told: pauses.append(told["seconds"]), raising=False)
    family = Supervisor([worker(tmp_path, "a", "raise SystemExit(1)")], deadline=PATIENCE)
    running = asyncio.create_task(family.run())
    await until(lambda: len(pauses) >= 4, "it has died four times")
    family.stop()
    async with asyncio.timeout(PATIENCE):
        assert await running in (0, 1)
    assert pauses[:4] == [0.02, 0.04, 0.05, 0.05]


async def test_a_configuration_that_keeps_one_from_starting_ends_all_with_its_code(tmp_path: Path) -> None:
    family = Supervisor(
        [worker(tmp_path, "good", WAITS), worker(tmp_path, "bad", "raise SystemExit(2)")], deadline=PATIENCE
    )
    async with asyncio.timeout(PATIENCE):
        assert await family.run() == 2
    assert len(lives(tmp_path, "bad")) == 1


async def test_one_that_does_not_end_is_killed_after_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "KILL_AFTER", 0.1)
    deaf = READY.replace("os.write", "signal.signal(15, signal.SIG_IGN)\nos.write") + "while True: time.sleep(60)\n"
    family = Supervisor([worker(tmp_path, "deaf", deaf)], deadline=0.1)
    running = asyncio.create_task(family.run())
    await until(lambda: family._workers[0].is_up, "it is ready")
    family.stop()
    async with asyncio.timeout(PATIENCE):
        assert await running == 1


async def test_one_that_is_stopped_before_it_listens_for_signals_has_ended_well(tmp_path: Path) -> None:
    family = Supervisor([worker(tmp_path, "early", "import time\ntime.sleep(60)\n")], deadline=PATIENCE)
    running = asyncio.create_task(family.run())
    await until(lambda: lives(tmp_path, "early"), "it has begun")
    family.stop()
    async with asyncio.timeout(PATIENCE):
        assert await running == 0

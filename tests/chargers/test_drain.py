"""A node that stops lets nobody in, finishes what is under way, and sends its chargers away one after the other."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.chargers import drain, tls
from gateway.chargers.drain import moments
from gateway.core.commands import Outcome
from tests.chargers.conftest import Entries
from tests.chargers.harness import PATIENCE, Charger, Node, handshake, response, running, until
from tests.support.leaping import LeapingClock


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> float:
    """Chargers and handshakes get a minute to finish, however busy the machine is; the seconds of such a drain."""
    monkeypatch.setattr(drain, "FINISH_SECONDS", 60.0)
    monkeypatch.setattr(tls, "CLOSE_SECONDS", 60.0)
    return 240.0


@asynccontextmanager
async def fleet(node: Node, count: int) -> AsyncIterator[list[Charger]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(node.charger(f"CP{number}")) for number in range(count)]


def test_chargers_are_sent_away_at_random_moments_at_the_rate() -> None:
    told = moments(1000, 100.0)
    assert told == sorted(told)
    assert 9 < told[-1] <= 10
    for second in range(10):
        assert 50 < sum(second <= moment < second + 1 for moment in told) < 160
    assert moments(1000, 100.0) != told
    assert moments(3, float("inf")) == [0.0] * 3


async def test_chargers_are_sent_away_at_the_configured_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, drawn, due = LeapingClock(), asyncio.Event(), list[float]()

    def noted(count: int, pace: float) -> list[float]:
        due.extend(moments(count, pace))
        drawn.set()
        return due

    monkeypatch.setattr(drain, "moments", noted)
    patient = {"drain_seconds": 20_000, "drain_rate": 0.01, "idle_timeout": 0}
    async with running(clock=clock, **patient) as node, fleet(node, 20) as chargers:
        node.stopping.set()
        await drawn.wait()
        # That 20 moments drawn from so many seconds all fall into one half of them has a chance of one in a million.
        assert 1000 < due[-1] <= 2000
        # As far as can be from what is due before, and what is due next.
        gap, before = max((later - earlier, earlier) for earlier, later in pairwise(due))
        clock.leap(before + gap / 2)
        left = 20 - due.index(before) - 1
        await until(lambda: node.server.connection_count() == left)
        clock.leap(2000)
        assert [await charger.closed() for charger in chargers] == [1012] * 20


async def test_where_time_is_short_chargers_are_sent_away_faster_and_that_is_told(log: Entries) -> None:
    async with running(drain_seconds=1, drain_rate=0.1) as node, fleet(node, 5) as chargers:
        node.stopping.set()
        assert [await charger.closed() for charger in chargers] == [1012] * 5
        (told,) = [entry for entry in log if "faster" in entry["event"]]
        assert "shutdown_deadline" in told["advice"]


async def test_what_a_charger_said_before_it_is_sent_away_is_stored_and_answered(patient: float) -> None:
    async with running(drain_seconds=patient) as node, node.charger() as charger:
        node.store.available.clear()
        await charger.post("Authorize", {"idTag": "T"}, "under way")
        await charger.post("Authorize", {"idTag": "T"}, "waiting")
        await until(lambda: node.connection()._is_busy)
        node.stopping.set()
        await until(lambda: node.server._door.is_closed)
        assert node.connection().socket.is_open
        node.store.available.set()
        assert [(await charger.receive())[:2] for _ in range(2)] == [[3, "under way"], [3, "waiting"]]
        assert await charger.closed() == 1012


async def test_a_command_that_is_under_way_gets_its_charger_s_answer(patient: float) -> None:
    async with running(drain_seconds=patient) as node, node.charger() as charger:
        command = asyncio.create_task(node.execute("clear_cache", {}))
        message_id, _, _ = await charger.called()
        node.stopping.set()
        await until(lambda: node.server._door.is_closed)
        await charger.answer(message_id, {"status": "Accepted"})
        assert (await command).outcome is Outcome.ACCEPTED
        assert await charger.closed() == 1012


async def test_a_charger_that_does_not_answer_is_sent_away_all_the_same() -> None:
    async with running() as node, node.charger() as charger:
        command = asyncio.create_task(node.execute("clear_cache", {}))
        await charger.called()
        node.stopping.set()
        assert await charger.closed() == 1012
        assert (await command).outcome is Outcome.TIMEOUT


async def test_a_charger_in_mid_handshake_is_told_to_come_again() -> None:
    async with running() as node:
        node.store.prompt.clear()
        reader, writer = await node.raw()
        writer.write(handshake())
        await until(lambda: node.store.asked == 1)
        node.stopping.set()
        await until(lambda: node.server._door.is_closed)
        node.store.prompt.set()
        status, headers = await response(reader)
        assert (status, int(headers["retry-after"]) >= 5) == (503, True)
        assert node.store.owned == set()
        writer.close()


async def test_a_request_that_was_half_read_when_the_drain_began_is_told_to_come_again() -> None:
    async with running(drain_rate=5) as node, fleet(node, 5) as chargers:
        reader, writer = await node.raw()
        writer.write(handshake()[:20])
        await until(lambda: len(node.server._connections) == 5)
        await chargers[0].call("Heartbeat", {})
        node.stopping.set()
        await until(lambda: node.server._door.is_closed)
        writer.write(handshake()[20:])
        status, headers = await response(reader)
        assert (status, int(headers["retry-after"]) >= 5) == (503, True)
        writer.close()


async def test_a_charger_in_its_tls_handshake_is_told_to_come_again(
    certificate: tuple[Path, Path], patient: float
) -> None:
    chain, key = certificate
    context = ssl.create_default_context(cafile=str(chain))
    async with running(drain_seconds=patient, tls_certificate=chain, tls_key=key) as node:
        raw_reader, raw = await node.raw()
        await until(lambda: any(task.get_name() == "TLS handshake" for task in asyncio.all_tasks()))
        node.stopping.set()
        await until(lambda: node.server._door.is_closed)
        async with asyncio.timeout(PATIENCE):
            await raw.start_tls(context, server_hostname="127.0.0.1")
        raw.write(handshake())
        assert (await response(raw_reader))[0] == 503
        raw.close()

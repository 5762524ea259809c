"""One charger that floods, stalls or never reads costs the others nothing, and little memory."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from gateway.chargers import answering
from gateway.chargers.interpretation import Prepared, prepared
from gateway.chargers.websocket import WebSocket
from gateway.core.twin import Twin
from tests.chargers.conftest import Entries
from tests.chargers.harness import METER, PATIENCE, handshake, masked, response, running, until

FLOOD = 10_000


async def test_a_flood_is_answered_whole_and_waits_in_the_chargers_own_socket() -> None:
    patient = {"max_inbound_queue": 16, "money_grace": 3600}
    async with running(**patient) as node, node.charger("FLOOD") as flood, node.charger("CALM") as calm:
        longest, overtaken = 0, []
        connection = node.connection("FLOOD")
        node.store.available.clear()

        async def pour() -> None:
            for number in range(FLOOD):
                await flood.post("MeterValues", METER, f"{number:05d}")

        pouring = asyncio.create_task(pour())
        # While nothing is stored, the charger's messages pile up in its socket, not in the gateway.
        await until(lambda: not connection.socket.is_reading)
        size = len(connection._inbox)
        await until(lambda: pouring.done() or flood.socket.transport.get_write_buffer_size() > 0)
        assert not connection.socket.is_reading
        assert len(connection._inbox) == size < FLOOD / 2
        node.store.available.set()
        for number in range(FLOOD):
            frame = await flood.receive()
            assert (frame[0], frame[1]) == (3, f"{number:05d}")
            longest = max(longest, len(connection._inbox))
            if number % 1000 == 0:
                before = node.store.commits
                await calm.call("Authorize", {"idTag": "T"}, f"calm{number}")
                overtaken.append(node.store.commits - before)
        await pouring
        assert longest < FLOOD / 2
        assert max(overtaken) < 300, "thirty in fact: what one look at the flood's socket brings"


async def test_a_charger_that_never_reads_its_answers_is_cut_off(monkeypatch: pytest.MonkeyPatch, log: Entries) -> None:
    monkeypatch.setattr(WebSocket.__init__, "__kwdefaults__", {"max_buffered": 50_000})
    async with running() as node, node.charger("CALM") as calm:
        reader, writer = await node.raw()
        writer.write(handshake())
        assert (await response(reader))[0] == 101
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        call = masked(json.dumps([2, "i" * 36, "Heartbeat", {}]).encode()) * 1000
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while not writer.transport.is_closing():
                    writer.write(call)
                    await writer.drain()
        writer.transport.abort()
        await until(lambda: any(entry["event"] == "charger does not read" for entry in log))
        assert "currentTime" in await calm.call("Heartbeat", {})
        await until(lambda: node.types()[-1:] == ["charger.disconnected"])


async def test_a_stalled_store_stalls_only_what_needs_it() -> None:
    async with running() as node, node.charger("A") as a, node.charger("B") as b:
        node.store.available.clear()
        for _ in range(20):
            await a.post("Authorize", {"idTag": "T"})
        assert "currentTime" in await b.call("Heartbeat", {})
        node.store.available.set()
        for _ in range(20):
            await a.receive()


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Heartbeat", {}),  # answered as it arrives
        ("Authorize", {"idTag": "T"}),  # worked off by the connection's task
    ],
)
async def test_a_bug_in_one_connection_ends_that_one_alone(
    action: str, payload: dict[str, str], monkeypatch: pytest.MonkeyPatch, log: Entries
) -> None:
    async with running() as node, node.charger("BAD") as bad, node.charger("GOOD") as good:
        connection = node.connection("BAD")

        def explode(*_: object) -> None:
            raise RuntimeError("a bug of ours")

        def explode_for_it(*arguments: Any, twin: Twin, **more: Any) -> Prepared:
            if twin is connection._recorder.twin:
                explode()
            return prepared(*arguments, twin=twin, **more)

        with monkeypatch.context() as broken:
            broken.setattr(connection, "upkeep", explode)
            await until(lambda: any(entry["event"] == "upkeep failed" for entry in log))
            assert "currentTime" in await bad.call("Heartbeat", {})
        monkeypatch.setattr(answering, "prepared", explode_for_it)
        await bad.post(action, payload)
        assert await bad.closed() == 1006
        assert "currentTime" in await good.call("Heartbeat", {})
        await until(lambda: node.server.connection_count() == 1)
        failed = [entry for entry in log if entry["event"] in ("upkeep failed", "connection failed")]
        assert {entry["charger"] for entry in failed} == {"BAD"}
        for entry in failed:
            log.remove(entry)


async def test_a_bug_in_one_handshake_ends_that_one_alone(log: Entries) -> None:
    async with running() as node, node.charger("GOOD") as good:

        async def explode(_: object) -> None:
            raise RuntimeError("a bug of ours")

        settings, node.store.settings = node.store.settings, explode  # type: ignore[method-assign,assignment]
        reader, writer = await node.raw()
        writer.write(handshake())
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await response(reader)
        writer.close()
        node.store.settings = settings  # type: ignore[method-assign]
        assert "currentTime" in await good.call("Heartbeat", {})
        async with node.charger():
            pass
        (entry,) = [entry for entry in log if entry["event"] == "handshake failed"]
        log.remove(entry)


async def test_long_messages_wait_in_the_chargers_own_socket_however_few_they_are() -> None:
    async with running(max_inbound_bytes=100_000) as node, node.charger() as charger:
        connection = node.connection()
        node.store.available.clear()
        posting = asyncio.gather(
            *(charger.post("DataTransfer", {"vendorId": "V", "data": "x" * 30_000}, f"{n}") for n in range(30))
        )
        await until(lambda: not connection.socket.is_reading)
        assert connection._inbox.size >= 100_000
        assert len(connection._inbox) <= 5
        node.store.available.set()
        assert [(await charger.receive())[:2] for _ in range(30)] == [[3, f"{number}"] for number in range(30)]
        await posting
        assert connection._inbox.size == 0


async def test_with_room_for_one_message_a_charger_is_served_all_the_same() -> None:
    async with running(max_inbound_queue=1, max_inbound_bytes=1024) as node, node.charger() as charger:
        for number in range(20):
            await charger.post("Authorize", {"idTag": "T"}, f"{number}")
        assert [(await charger.receive())[1] for _ in range(20)] == [f"{number}" for number in range(20)]


async def test_what_a_charger_sends_before_its_handshake_is_answered_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sockets: list[WebSocket] = []
    made = WebSocket.connection_made

    def connection_made(self: WebSocket, transport: asyncio.BaseTransport) -> None:
        sockets.append(self)
        made(self, transport)

    monkeypatch.setattr(WebSocket, "connection_made", connection_made)
    async with running() as node:
        node.store.prompt.clear()
        _, writer = await node.raw()
        writer.write(handshake() + masked(json.dumps([2, "1", "Heartbeat", {}]).encode()) * 100_000)
        await until(lambda: sockets and not sockets[0].is_reading)
        assert len(sockets[0]._early or b"") < 1_000_000, "what one read of the socket brings, and no more"
        writer.transport.abort()

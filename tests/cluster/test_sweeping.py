"""What a dead node held is said to be offline, though the survivor loses its own way to Redis at that very moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio as redis_client

from gateway.cluster.scripts import script
from gateway.core.identity import ChargerId
from gateway.core.ports import Commit
from tests.cluster.support import FakeReader, Node, eventually, reading, running
from tests.support.servers import Valkey


class ReplyLoser:
    """Stands between a node and Redis. The reply to the first flight in which `marker` stands does not arrive: Redis
    has done what it was asked, and the connection breaks."""

    def __init__(self, target: int, marker: bytes) -> None:
        self.port, self.lost = 0, 0
        self._target, self._marker = target, marker
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        replies, requests = await asyncio.open_connection("127.0.0.1", self._target)
        back = asyncio.create_task(self._pass(replies, writer))
        try:
            while data := await reader.read(1 << 20):
                loses = self._marker in data and not self.lost
                if loses:
                    self.lost += 1
                    back.cancel()
                    await asyncio.wait([back])
                requests.write(data)
                await requests.drain()
                if loses:
                    await replies.read(1)
                    break
        except OSError:
            pass
        finally:
            back.cancel()
            requests.close()
            writer.close()
            self._tasks.discard(task)

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 20):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def losing_replies(valkey: Valkey, marker: bytes) -> AsyncIterator[ReplyLoser]:
    loser = ReplyLoser(valkey.port, marker)
    server = await asyncio.start_server(loser.serve, "127.0.0.1", 0)
    loser.port = server.sockets[0].getsockname()[1]
    try:
        yield loser
    finally:
        server.close()
        await loser.end()


async def test_a_sweep_whose_answer_is_lost_goes_on_at_once_and_marks_every_charger_once(valkey: Valkey) -> None:
    gone = [ChargerId(f"gone-{number}") for number in range(250)]
    marking = script("node_lost")
    async with redis_client.Redis.from_url(valkey.url) as client:
        # So that the first call carries the script out.
        await client.script_load(marking.source)
    async with losing_replies(valkey, marking.sha.encode()) as loser:
        url = f"redis://127.0.0.1:{loser.port}/0"
        async with running(url, "a") as survivor, running(valkey.url, "c", node_term=30.0) as reads:
            dead = Node(valkey.url, "b")
            await dead.start()
            for charger in gone:
                epoch = (await dead.cluster.ownership.claim(charger)).epoch
                await dead.cluster.log.commit(Commit(charger, epoch, [], fields={"availability": b"online"}))
            await dead.die()
            reader = FakeReader()
            async with reading(reads, reader):
                await eventually(lambda: len(reader.entries) >= len(gone))
            assert loser.lost == 1
            assert sorted(str(entry.charger) for entry in reader.entries) == sorted(map(str, gone))
            for charger in gone:
                snapshot = await survivor.cluster.state.charger(charger)
                assert snapshot is not None
                assert snapshot.fields["availability"] == b"offline"
                assert await survivor.cluster.state.owner(charger) is None
            await dead.cluster.stop()

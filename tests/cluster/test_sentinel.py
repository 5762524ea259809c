"""A primary that Sentinels name is lost under load: the next one takes over, and nothing acknowledged is lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs

from gateway.core.identity import ChargerId
from tests.cluster.support import CP1, FakeReader, Node, eventually, message, reading, running
from tests.cluster.test_commit import logged
from tests.cluster.test_outage import stream
from tests.support.acl import FOLDER, PASSWORD, refusals, users
from tests.support.servers import Valkey, free_port
from tests.support.topologies import SERVICE, Watched, wait_until


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    servers = Watched(tmp_path)
    try:
        yield servers.start()
    finally:
        servers.stop()


class Load:
    """Chargers that commit as fast as they are answered, and a reader of the log."""

    def __init__(self, node: Node) -> None:
        self.node, self.reader = node, FakeReader()
        self.chargers = [ChargerId(f"CP{number}") for number in range(20)]
        self.acknowledged: list[str] = []
        self._stop = asyncio.Event()

    async def run(self, faults: Callable[[], Awaitable[None]]) -> None:
        """Commit while `faults` happen, and then until all is well."""
        owning = self.node.cluster.ownership
        epochs = [(await owning.claim(charger)).epoch for charger in self.chargers]
        async with reading(self.node, self.reader), asyncio.TaskGroup() as tasks:
            for charger, epoch in zip(self.chargers, epochs, strict=True):
                tasks.create_task(stream(self.node, charger, epoch, self.acknowledged, self._stop))
            await self.some_more()
            await faults()
            await self.some_more()
            self._stop.set()
            await eventually(lambda: set(self.acknowledged) <= set(self.reader.ids), seconds=60)
            await eventually(lambda: self.node.health.level() == "ok", seconds=60)
            again = [(await owning.claim(charger)).epoch for charger in self.chargers]
            assert all(later > earlier for earlier, later in zip(epochs, again, strict=True))

    async def some_more(self) -> None:
        so_far = len(self.acknowledged)
        await eventually(lambda: len(self.acknowledged) > so_far + 400, seconds=60)

    def check_books(self, primary: Valkey) -> None:
        """What was acknowledged is stored once, in order for each charger, and was read in that order."""
        stored = logged(primary)
        assert Counter(stored) == Counter(self.acknowledged)
        for charger in self.chargers:
            own = [name for name in stored if name.startswith(f"event-{charger}/")]
            assert own == [f"event-{charger}/{number}" for number in range(1, len(own) + 1)]
            told = [name for name in dict.fromkeys(self.reader.ids) if name.startswith(f"event-{charger}/")]
            assert told == own


async def switch(watched: Watched, *how: str) -> None:
    """A planned failover."""
    with redis.Redis.from_url(watched.sentinels[0].url) as client:
        begin = partial(client.execute_command, "SENTINEL", "FAILOVER", SERVICE, *how)
        # Refused while the Sentinel has not heard of late how the replicas are.
        await asyncio.to_thread(wait_until, begin, "it is begun")
    await asyncio.to_thread(wait_until, lambda: watched.current() is not watched.primary, "it has switched")


async def test_a_primary_killed_under_load_loses_no_acknowledged_commit(watched: Watched) -> None:
    async with running(watched.url, wait_for_replicas=1) as node:
        load = Load(node)

        async def kill() -> None:
            so_far = len(node.counts.redis)
            await asyncio.to_thread(watched.primary.kill)
            # It may be over before it is looked for.
            await eventually(lambda: False in node.counts.redis[so_far:])

        await load.run(kill)
    assert watched.current() in watched.replicas
    load.check_books(watched.current())


async def test_a_coordinated_failover_loses_no_acknowledged_commit(watched: Watched) -> None:
    async with running(watched.url, wait_for_replicas=1) as node:
        load = Load(node)
        await load.run(lambda: switch(watched, "COORDINATED"))
    load.check_books(watched.current())


async def test_an_old_primary_that_does_not_know_yet_is_left(watched: Watched) -> None:
    """Sentinel tells it ten seconds after the failover; what it takes until then is lost."""
    reader = FakeReader()
    async with running(watched.url) as node, reading(node, reader):
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        assert await node.cluster.log.commit(message(CP1, epoch, 1)) is None
        await eventually(lambda: reader.ids == ["event-1"])
        with capture_logs() as lines:
            await switch(watched)
            await eventually(lambda: any("another primary" in line["event"] for line in lines), seconds=60)
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        assert await node.cluster.log.commit(message(CP1, epoch, 2)) is None
        # The cursor lags a moment behind: what was read may be read again.
        await eventually(lambda: list(dict.fromkeys(reader.ids)) == ["event-1", "event-2"])
    assert logged(watched.current()) == ["event-1", "event-2"]


async def test_a_sentinel_that_is_away_or_wrong_is_passed_over(watched: Watched) -> None:
    """One names a replica, as one does that was cut off during a failover."""
    with redis.Redis.from_url(watched.sentinels[0].url) as client:
        client.execute_command("SENTINEL", "REMOVE", SERVICE)
        client.execute_command("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", watched.replicas[0].port, 3)
    url = watched.url.replace("//", f"//127.0.0.1:{free_port()},")
    async with running(url) as node:
        epoch = (await node.cluster.ownership.claim(CP1)).epoch
        assert await node.cluster.log.commit(message(CP1, epoch, 1)) is None
        assert node.cluster._link.address == url.partition("//")[2].removesuffix("/0")
    assert logged(watched.primary) == ["event-1"]


async def test_sentinels_have_users_of_their_own_with_few_rights(tmp_path: Path) -> None:
    rights = (FOLDER / "sentinel-users.acl").read_text().replace(">change-me-too", ">hush").strip()
    rules = ("user default on >admin ~* &* +@all", rights, f"sentinel auth-pass {SERVICE} admin")
    watched = Watched(tmp_path, replicas=0, lines=rules)
    watched.primary.options = ("--aclfile", str(users(tmp_path)))
    sentinel = watched.sentinels[0]
    try:
        watched.primary.start()
        sentinel.start()
        url = f"redis+sentinel://gateway:{PASSWORD}@127.0.0.1:{sentinel.port}/{SERVICE}"
        async with running(url, sentinel_username="gateway", sentinel_password="hush") as node:
            assert (await node.cluster.ownership.claim(CP1)).epoch > 0
        assert refusals(watched.primary) == refusals(sentinel) == []
        wrong = Node(url, sentinel_username="gateway", sentinel_password="guess")
        starting = asyncio.create_task(wrong.start())
        check = await eventually(lambda: wrong.health.checks().get("redis"))
        assert f"127.0.0.1:{sentinel.port}: invalid username-password pair" in check.detail
        assert "guess" not in check.detail
        starting.cancel()
        lost = Node(url.replace(f"/{SERVICE}", "/other"), sentinel_username="gateway", sentinel_password="hush")
        also_starting = asyncio.create_task(lost.start())
        check = await eventually(lambda: lost.health.checks().get("redis"))
        assert "it watches no service other" in check.detail
        also_starting.cancel()
        await asyncio.wait([starting, also_starting])
    finally:
        sentinel.stop()
        watched.primary.stop()

"""Commands of many callers on few connections: what is asked while a flight is under way goes out together as the next.

A `Lane` has one `ServerLane` to each primary: one where Redis is one server, several in a Cluster.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.exceptions import AskError, ClusterDownError, MovedError, NoScriptError, RedisError

from gateway.cluster.address import Address, told
from gateway.cluster.backoff import Backoff
from gateway.cluster.link import Link
from gateway.cluster.scripts import Script
from gateway.cluster.slots import ClusterServers
from gateway.cluster.wire import REDIRECTED, REPLY_SECONDS, Argument, Call, Wire, explained, pack, script_call
from gateway.core.errors import LogUnavailable

_FLIGHT = 500
_MOST = 10_000
_RETRY_SECONDS = 0.05

_Waiting = tuple[bytes, "asyncio.Future[Any]"]
_ASKING = pack(("ASKING",))
_KEYLESS = frozenset({"INFO", "TIME", "SCRIPT"})


class ServerLane:
    """One connection to one server, shared by many callers. `run` must be running, or what is asked waits."""

    def __init__(self, link: Link, server: Address | None) -> None:
        self._link, self._server = link, server
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Carry commands until cancelled."""
        wire, backoff = Wire(self._link, server=self._server), Backoff()
        try:
            while True:
                await self._wake.wait()
                flight, self._waiting = self._waiting[:_FLIGHT], self._waiting[_FLIGHT:]
                if not self._waiting:
                    self._wake.clear()
                flight = [item for item in flight if not item[1].done()]
                if not flight:
                    continue
                if await self._carry(wire, flight):
                    backoff.reset()
                else:
                    await backoff.wait()
        finally:
            self._fail(self._waiting, "the link to this server was closed")
            await wire.close()

    async def _carry(self, wire: Wire, flight: list[_Waiting]) -> bool:
        try:
            replies = await wire.exchange([call for call, _ in flight])
        except LogUnavailable as error:
            self._fail(flight, str(error))
            return False
        except BaseException:
            self._fail(flight, "the link to this server was closed")
            raise
        for (_, future), reply in zip(flight, replies, strict=True):
            if not future.done():
                future.set_result(reply)
        return True

    @staticmethod
    def _fail(flight: list[_Waiting], reason: str) -> None:
        for _, future in flight:
            if not future.done():
                future.set_exception(LogUnavailable(reason))

    def ask(self, packed: Sequence[bytes]) -> "list[asyncio.Future[Any]]":
        """Have commands carried out, one behind the other; their replies come with the futures."""
        if len(self._waiting) > _MOST:
            raise LogUnavailable("too many wait for Redis")
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Any]] = [loop.create_future() for _ in packed]
        self._waiting.extend(zip(packed, futures, strict=True))
        self._wake.set()
        return futures


class Lane:
    """Commands of many callers. `run` must be running, or every call fails."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lanes: dict[Address | None, tuple[ServerLane, asyncio.Task[None]]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        link.on_change(self._leave_the_gone)

    async def run(self) -> None:
        """Carry commands until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._link.run(), name="redis primaries")
                await asyncio.Event().wait()
        finally:
            self._tasks = None
            self._lanes.clear()

    def to(self, server: Address | None) -> ServerLane:
        """The lane to a server, made where there is none. Raises LogUnavailable."""
        found = self._lanes.get(server)
        if found is None or found[1].done():
            if self._tasks is None:
                raise LogUnavailable("the link to Redis is closed")
            lane = ServerLane(self._link, server)
            name = "redis lane" if server is None else f"redis lane {told(server)}"
            self._lanes[server] = found = (lane, self._tasks.create_task(lane.run(), name=name))
        return found[0]

    def _leave_the_gone(self) -> None:
        """End the lanes to servers that are no primaries any more."""
        cluster = self._link.cluster
        for server in list(self._lanes):
            if cluster is not None and server not in cluster.primaries:
                self._lanes.pop(server)[1].cancel()

    # ------------------------------------------------------------ asking

    async def calls(self, calls: Sequence[Call], *, at: Sequence[str] | None = None) -> list[Any]:
        """Carry out several commands in one flight; raises LogUnavailable, also where Redis refuses one.

        In a Cluster each goes to the primary of its key (of the key in `at`), in one flight to each.
        """
        if not calls:
            return []
        replies = await self._carry(calls, at)
        for reply in replies:
            if isinstance(reply, NoScriptError):
                continue
            if isinstance(reply, RedisError):
                raise LogUnavailable(explained(reply)) from reply
        return replies

    async def tries(self, calls: Sequence[Call], *, at: str) -> list[Any]:
        """Like `calls`, all to the primary of one key, with what Redis refuses as an error in its place."""
        return await self._carry(calls, [at] * len(calls))

    async def _carry(self, calls: Sequence[Call], at: Sequence[str] | None) -> list[Any]:
        packed = [pack(call) for call in calls]
        cluster = self._link.cluster
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                if cluster is None:
                    return await asyncio.gather(*self.to(None).ask(packed))
                keys: Sequence[str | bytes] = at or [_key(call) for call in calls]
                return await _Spread(self, cluster, packed, keys).replies()
        except TimeoutError as error:
            raise LogUnavailable("Redis gave no answer in time") from error

    async def call(self, *call: Argument) -> Any:
        """Carry out one command. Raises LogUnavailable."""
        return (await self.calls([call]))[0]

    async def script(self, script: Script, keys: Sequence[Argument], arguments: Sequence[Argument] = ()) -> Any:
        """Run a script as one step. Raises LogUnavailable."""
        return (await self.scripts([(script, keys, arguments)]))[0]

    async def scripts(self, runs: Sequence[tuple[Script, Sequence[Argument], Sequence[Argument]]]) -> list[Any]:
        """Run several scripts in one flight. Raises LogUnavailable."""
        replies = await self.calls([script_call(*run) for run in runs])
        unknown = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            # EVAL teaches Redis the script as it runs it.
            again = [("EVAL", runs[i][0].source, len(runs[i][1]), *runs[i][1], *runs[i][2]) for i in unknown]
            for index, reply in zip(unknown, await self.calls(again), strict=True):
                replies[index] = reply
        return replies

    async def times(self, keys: Sequence[str]) -> list[int]:
        """The clocks (Unix ms) of the primaries that hold these keys. Raises LogUnavailable."""
        asked = keys if self._link.cluster is not None else keys[:1]
        times = await self.calls([("TIME",)] * len(asked), at=asked)
        found = [int(seconds) * 1000 + int(microseconds) // 1000 for seconds, microseconds in times]
        return found if len(found) == len(keys) else found * len(keys)

    async def each(self, *call: Argument) -> dict[str, Any]:
        """One command's reply, or its error, from every primary, by its address. Raises LogUnavailable."""
        cluster, packed = self._link.cluster, [pack(call)]
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                if cluster is not None:
                    await cluster.known()
                servers = [None] if cluster is None else list(cluster.primaries)
                replies = await asyncio.gather(*(self.to(server).ask(packed)[0] for server in servers))
        except TimeoutError as error:
            raise LogUnavailable("Redis gave no answer in time") from error
        names = [self._link.address if server is None else told(server) for server in servers]
        return dict(zip(names, replies, strict=True))


class _Spread:
    """Commands to the primaries of their keys, sent again where a node says that another one holds them: a node that
    says so has done nothing."""

    def __init__(self, lane: Lane, cluster: ClusterServers, packed: list[bytes], keys: Sequence[str | bytes]) -> None:
        self._lane, self._cluster, self._packed, self._keys = lane, cluster, packed, keys
        self._replies: list[Any] = [None] * len(packed)

    async def replies(self) -> list[Any]:
        """All replies; comes back when no command is redirected any more. Raises LogUnavailable."""
        await self._cluster.known()
        left = list(range(len(self._packed)))
        while left:
            await self._ask([(index, self._cluster.server_of(self._keys[index])) for index in left])
            left = [index for index in left if isinstance(self._replies[index], REDIRECTED)]
            await self._follow(left)
            left = [index for index in left if isinstance(self._replies[index], REDIRECTED)]
        return self._replies

    async def _ask(self, where: list[tuple[int, Address | None]], *before: bytes) -> None:
        """Ask commands of servers, each right behind what must stand before it."""
        if any(server is None for _, server in where):
            self._cluster.stale()
            raise LogUnavailable("no node of the Cluster holds this key's slot")
        futures = [self._lane.to(server).ask([*before, self._packed[index]])[-1] for index, server in where]
        for (index, _), reply in zip(where, await asyncio.gather(*futures), strict=True):
            self._replies[index] = reply

    async def _follow(self, left: list[int]) -> None:
        """Go after what the nodes said, before the commands that are left are sent again."""
        asks: list[tuple[int, Address | None]] = []
        for index in left:
            match self._replies[index]:
                case MovedError() as moved:
                    self._cluster.moved(moved)
                case AskError() as ask if ask.host:
                    asks.append((index, (ask.host, ask.port)))
                case ClusterDownError():
                    self._cluster.stale()
        if asks:
            await self._ask(asks, _ASKING)
        if left:
            await asyncio.sleep(_RETRY_SECONDS)


def _key(call: Call) -> str | bytes:
    """The key by which a command is routed: all keys of one command lie in one slot."""
    name = call[0]
    if name in _KEYLESS:
        raise ValueError(f"{name!r} has no key to be routed by")
    key = call[3] if name in ("EVALSHA", "EVAL") else call[1]
    return key if isinstance(key, bytes) else str(key)

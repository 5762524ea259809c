"""The cluster as the rest of the gateway sees it: one object over one Redis or Valkey."""

import asyncio

import structlog

from gateway.cluster.api_keys import StoredApiKeys
from gateway.cluster.commands import Commands
from gateway.cluster.config import ClusterConfig
from gateway.cluster.feed import EventFeed
from gateway.cluster.hooks import NodeHooks
from gateway.cluster.keys import Keys
from gateway.cluster.lane import Lane
from gateway.cluster.later import LaterWork
from gateway.cluster.leases import LogReading
from gateway.cluster.link import Link
from gateway.cluster.liveness import Liveness
from gateway.cluster.log import Committer
from gateway.cluster.mailboxes import NodeMailboxes
from gateway.cluster.ownership import Owners
from gateway.cluster.passwords import Settings
from gateway.cluster.queue import Queue
from gateway.cluster.rights import check_rights
from gateway.cluster.standing import Standing
from gateway.cluster.startup import check_servers, settle_shards, wait_for_redis
from gateway.cluster.state import State
from gateway.cluster.sweeper import Sweeper
from gateway.cluster.tokens import StoredTokens
from gateway.cluster.trimmer import Trimmer
from gateway.core.clock import Clock
from gateway.core.errors import LogUnavailable
from gateway.core.health import HealthBoard
from gateway.core.ports import Observer, OutwardReader

log = structlog.get_logger(__name__)

_LEAVE_SECONDS = 2.0


class Cluster:
    """Everything over Redis. The constructor assigns; `start` connects; `run` works until cancelled; `stop` ends.

    Between start and stop every attribute may be used; commits end only while `run` runs.
    """

    def __init__(
        self,
        config: ClusterConfig,
        *,
        node: str,
        version: str,
        clock: Clock,
        health: HealthBoard,
        observer: Observer,
    ) -> None:
        self._config, self._node, self._clock = config, node, clock
        self._health, self._observer = health, observer
        self._keys = Keys()
        self._link = Link(config, node=node, health=health, observer=observer)
        self._lane = lane = Lane(self._link)
        self._lane_task: asyncio.Task[None] | None = None
        self._liveness = Liveness(lane, self._keys, node=node, version=version, term=config.node_term, clock=clock)
        self._committer = Committer(
            self._link, self._keys, config, clock=clock, health=health, observer=observer, on_full=self._on_full
        )
        self._mailboxes = NodeMailboxes(self._link, lane, node=node, clock=clock)
        self.log = self._committer
        self.settings = Settings(lane, self._keys)
        self.ownership = Owners(
            lane, self._keys, self.settings, node=node, tell_previous=self._mailboxes.tell_superseded
        )
        self.mailboxes = self._mailboxes
        self.state = State(lane, self._keys, self._liveness, clock=clock)
        self.feed = EventFeed(lane, self._keys)
        self.commands = Commands(lane, clock=clock, retention=config.command_retention)
        self.queue = Queue(lane, self._keys)
        self.api_keys = StoredApiKeys(lane, clock=clock)
        self.tokens = StoredTokens(lane)
        self.later = LaterWork(lane, self._keys, node=node)
        self._trimmer = Trimmer(lane, self._keys, config, clock=clock)
        self._standing = Standing(lane, self._keys, config, clock=clock, observer=observer)
        self._sweeper = Sweeper(
            lane,
            self._keys,
            self._liveness,
            settle_mailbox=self._mailboxes.settle,
            node=node,
            term=config.node_term,
            clock=clock,
        )

    async def start(self) -> None:
        """Connect, waiting for Redis while it is away, and check it. Raises ConfigurationError."""
        self._link.open()
        self._lane_task = asyncio.create_task(self._lane.run(), name="redis lane")
        await asyncio.sleep(0)
        try:
            await self._begin()
        except BaseException:
            await self._disconnect()
            raise

    async def _begin(self) -> None:
        while True:
            check_servers(await wait_for_redis(self._lane, self._link), self._link)
            try:
                await check_rights(self._lane, self._link, node=self._node, waits=self._config.wait_for_replicas > 0)
                self._keys.settle(await settle_shards(self._lane, self._link, self._config.shards))
                await self._liveness.begin()
                return
            except LogUnavailable as error:
                log.info("redis went away while the gateway started", problem=str(error))

    async def run(self, hooks: NodeHooks) -> None:
        """Commit, keep this node alive, read its mailbox, and look after the dead, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._committer.run(), name="committer")
            tasks.create_task(self._liveness.run(hooks), name="liveness")
            tasks.create_task(self._mailboxes.run(hooks), name="mailbox")
            tasks.create_task(self._sweeper.run(), name="sweeper")
            tasks.create_task(self._trimmer.run(), name="trimmer")
            tasks.create_task(self._standing.run(), name="standing of the log")
            tasks.create_task(self.later.run(hooks), name="later work")

    async def read_log(self, reader: OutwardReader) -> None:
        """Read the log for an outward reader, in the shards whose lease this node gets, until cancelled."""
        await LogReading(
            reader,
            link=self._link,
            lane=self._lane,
            keys=self._keys,
            config=self._config,
            node=self._node,
            clock=self._clock,
            health=self._health,
            observer=self._observer,
        ).run()

    async def stop(self) -> None:
        """Take leave of the other nodes and disconnect."""
        if self._lane_task is None:
            return
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._liveness.leave()
        except (LogUnavailable, TimeoutError) as error:
            log.info("could not take leave of the other nodes", problem=str(error))
        await self._disconnect()

    async def _disconnect(self) -> None:
        task, self._lane_task = self._lane_task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _on_full(self) -> None:
        """A commit found the log at its hard limit."""
        self._trimmer.wake()

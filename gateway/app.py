"""The composition root: wires the house, and owns the order in which it starts and drains.

Start: embedded servers, Redis, adapters, and the chargers' listener last, so that no charger speaks to half a house.
Drain: the listener closes and every charger is sent away first, their farewells are published, then the rest stops.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import structlog

from adapters import load_adapter
from gateway import __version__, memory
from gateway.chargers.server import ChargerServer
from gateway.chargers.surroundings import Surroundings
from gateway.cluster.cluster import Cluster
from gateway.cluster.queue import KIND as WAITING_COMMAND
from gateway.config import Settings
from gateway.core.adapter import Adapter, GatewayContext
from gateway.core.asking import AskerBook
from gateway.core.chain import ChainResponder
from gateway.core.clock import SystemClock
from gateway.core.commands import Command, CommandResult
from gateway.core.errors import LogUnavailable
from gateway.core.health import HealthBoard
from gateway.core.identity import ChargerId
from gateway.core.refusals import Refusals
from gateway.core.router import Router
from gateway.embedding import with_embedded_servers
from gateway.metrics import PrometheusObserver
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.schemas import SchemaSet
from gateway.quirk_files import quirk_catalog
from gateway.welcome import tell_if_nobody_comes, tell_where
from gateway.workers.membership import Membership

_log = structlog.get_logger(__name__)

FAREWELL_SECONDS = 1.5
"""How long the readers may go on publishing what the chargers' farewells put into the log."""
LEAVING_SECONDS = 8.0
"""What of the deadline is kept for that, and for all that ends after it, with Redis or the broker stuck."""


class Gateway:
    """One node. `run` works until `stop` is called, then drains; cancelling it ends everything at once.

    `make_cluster` makes what the node has over Redis; `membership` is its place among workers.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        dev: bool = False,
        make_cluster: Callable[..., Cluster] = Cluster,
        membership: Membership | None = None,
    ) -> None:
        self._settings = settings
        self._dev = dev
        self._make_cluster = make_cluster
        self._membership = membership
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Begin to drain."""
        self._stopping.set()

    async def run(self, ready: Callable[[], None] | None = None) -> None:
        """Serve; `ready` is called once chargers may connect.

        Raises ConfigurationError or EmbeddedServerError where it cannot start.
        """
        async with AsyncExitStack() as embedded:
            settings = await with_embedded_servers(self._settings, embedded)
            house = _House(settings, dev=self._dev, make_cluster=self._make_cluster, membership=self._membership)
            await house.run(self._stopping, ready or (lambda: None))


class _House:
    """All rooms of one node, wired. Constructed inside the running loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        dev: bool,
        make_cluster: Callable[..., Cluster],
        membership: Membership | None,
    ) -> None:
        self._settings = settings
        node = settings.gateway.node
        clock = SystemClock()
        self._health = HealthBoard()
        self._askers = AskerBook()
        self._refusals = Refusals()
        self._health.set("node", "failed", "starting")
        self._observer = PrometheusObserver()
        self._membership = membership
        if membership is not None:
            membership.show(self._observer.page)
        self._cluster = make_cluster(
            settings.redis, node=node, version=__version__, clock=clock, health=self._health, observer=self._observer
        )
        self._router = Router(
            node=node,
            clock=clock,
            state=self._cluster.state,
            commands=self._cluster.commands,
            queue=self._cluster.queue,
            mailboxes=self._cluster.mailboxes,
            observer=self._observer,
        )
        self._responder = ChainResponder(
            settings.answers,
            heartbeat_interval=settings.chargers.heartbeat_interval,
            spread=settings.chargers.heartbeat_spread,
            tokens=self._cluster.tokens,
            settings=self._cluster.settings,
            askers=self._askers,
            clock=clock,
        )
        self._chargers = ChargerServer(
            Surroundings(
                node=node,
                config=settings.chargers,
                clock=clock,
                log=self._cluster.log,
                ownership=self._cluster.ownership,
                later=self._cluster.later,
                router=self._router,
                responder=self._responder,
                observer=self._observer,
                schemas={name: SchemaSet.load(profile.schema_package) for name, profile in PROFILES.items()},
                quirks=quirk_catalog(settings.chargers.quirks),
                refusals=self._refusals,
            )
        )
        self._context = GatewayContext(
            node=node,
            version=__version__,
            clock=clock,
            router=self._router,
            state=self._cluster.state,
            commands=self._cluster.commands,
            settings=self._cluster.settings,
            api_keys=self._cluster.api_keys,
            tokens=self._cluster.tokens,
            askers=self._askers,
            feed=self._cluster.feed,
            health=self._health,
            observer=self._observer,
            metrics=self._metrics,
            read_log=self._cluster.read_log,
            known_chargers=self._cluster.state.known_chargers,
            refusals=self._refusals,
            dev=dev,
        )

    async def run(self, stopping: asyncio.Event, ready: Callable[[], None]) -> None:
        await self._cluster.start()
        try:
            async with asyncio.TaskGroup() as services:
                running = [services.create_task(self._cluster.run(_Hooks(self)), name="cluster")]
                running += [services.create_task(self._router.run(), name="router")]
                running += [await self._started(services, adapter) for adapter in self._adapters()]
                running += [services.create_task(self._first_charger(), name="the first charger")]
                answering = await self._answering()
                closing = asyncio.Event()
                serving = self._chargers.run(
                    lambda: self._opened(ready, answering), closing, drain_seconds=self._seconds_for_chargers
                )
                chargers = services.create_task(serving, name="chargers")
                await stopping.wait()
                await self._drained(chargers, closing)
                for task in running:
                    task.cancel()
        finally:
            await self._cluster.stop()

    def _adapters(self) -> list[Adapter]:
        settings = self._settings
        sections = {
            "mqtt": settings.mqtt,
            "rest": settings.rest,
            "webhooks": settings.webhooks,
            "homeassistant": settings.homeassistant,
        }
        return [load_adapter(name)(sections[name], self._context) for name in settings.gateway.adapters]

    @staticmethod
    async def _started(services: asyncio.TaskGroup, adapter: Adapter) -> "asyncio.Task[None]":
        """Run an adapter, and come back when the outside can use it."""
        started = asyncio.Event()
        work: Coroutine[Any, Any, None] = adapter.run(started.set)
        task = services.create_task(work, name=f"adapter {adapter.name}")
        task.add_done_callback(lambda _: started.set())
        await started.wait()
        return task

    async def _first_charger(self) -> None:
        await self._context.opened.wait()
        if self._speaks_for_all:
            await tell_if_nobody_comes(self._cluster.state, self._chargers.connection_count, self._refusals)

    @property
    def _speaks_for_all(self) -> bool:
        """Whether this is the one of several workers that says what holds for all."""
        return self._membership is None or self._membership.number == 1

    async def _answering(self) -> list[str]:
        """Who answers the chargers' questions, to be told at start."""
        try:
            return await self._responder.told()
        except LogUnavailable as error:
            return [f"whether there is a list of tokens is not known yet: {error}"]

    def _opened(self, ready: Callable[[], None], answering: list[str]) -> None:
        memory.settle()
        self._health.set("node", "ok")
        self._context.opened.set()
        if self._speaks_for_all:
            tell_where(self._settings.chargers, self._chargers.port)
        for line in answering:
            _log.info(line)
        ready()

    @property
    def _seconds_for_chargers(self) -> float:
        """What of the deadline chargers get to be sent away and said to be offline."""
        deadline, delay = self._settings.gateway.shutdown_deadline, self._settings.gateway.drain_delay
        return max(deadline - delay - LEAVING_SECONDS, (deadline - delay) / 2)

    async def _drained(self, chargers: "asyncio.Task[None]", closing: asyncio.Event) -> None:
        """Wait for every charger's farewell, and a moment for the readers to publish them, within the deadline."""
        began, options = time.monotonic(), self._settings.gateway
        _log.info("draining", chargers=self._chargers.connection_count())
        self._health.set("node", "failed", "draining")
        # Whoever listens to /readyz sends nobody here any more before the door is closed.
        await asyncio.sleep(options.drain_delay)
        self._router.drain()
        closing.set()
        done, _ = await asyncio.wait([chargers], timeout=self._seconds_for_chargers)
        if not done:
            _log.warning("some chargers did not say farewell in time", left=self._chargers.connection_count())
            chargers.cancel()
        if options.adapters:
            left = options.shutdown_deadline - (time.monotonic() - began)
            await asyncio.sleep(min(FAREWELL_SECONDS, max(0.0, left / 2)))
        _log.info("drained", seconds=round(time.monotonic() - began, 1))

    async def _metrics(self) -> bytes:
        return self._observer.page() if self._membership is None else await self._membership.page()

    # ------------------------------------------------------------ what the cluster calls

    async def execute_here(self, command: Command) -> CommandResult:
        return await self._router.execute_here(command)

    @property
    def chargers(self) -> ChargerServer:
        return self._chargers

    @property
    def router(self) -> Router:
        return self._router


class _Hooks:
    """What the cluster asks of the node; implements `NodeHooks`."""

    def __init__(self, house: _House) -> None:
        self._house = house

    async def execute_here(self, command: Command) -> CommandResult:
        return await self._house.execute_here(command)

    def superseded(self, charger: ChargerId, epoch: int, by: str) -> None:
        self._house.chargers.superseded(charger, epoch)
        self._house.router.taken(charger, epoch, by)

    def handed_over(self, charger: ChargerId, epoch: int) -> None:
        self._house.router.handed_over(charger, epoch)

    def deliver(self, charger: ChargerId) -> None:
        self._house.router.deliver(charger)

    def heard_of_end(self, command_id: str) -> None:
        self._house.router.heard_of_end(command_id)

    def forgotten(self) -> None:
        self._house.chargers.forgotten()

    def connection_count(self) -> int:
        return self._house.chargers.connection_count()

    async def later(self, kind: str, charger: ChargerId, payload: bytes) -> None:
        if kind == WAITING_COMMAND:
            await self._house.router.time_is_up(charger, payload.decode())
        else:
            await self._house.chargers.later(kind, charger, payload)

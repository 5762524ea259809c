"""What an adapter is, and all that it gets of the gateway."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.core.clock import Clock
from gateway.core.health import HealthBoard
from gateway.core.identity import ChargerId
from gateway.core.ports import (
    ApiKeys,
    Askers,
    CommandStore,
    Feed,
    Observer,
    OutwardReader,
    SettingsStore,
    StateStore,
    TokenStore,
)
from gateway.core.projecting import ListenerBook, ProjectionBook
from gateway.core.refusals import Refusals
from gateway.core.router import Router


@dataclass(frozen=True)
class GatewayContext:
    """All that an adapter gets of the gateway."""

    node: str
    version: str
    clock: Clock
    router: Router
    state: StateStore
    commands: CommandStore
    settings: SettingsStore
    api_keys: ApiKeys
    tokens: TokenStore
    askers: Askers
    feed: Feed
    health: HealthBoard
    observer: Observer
    metrics: Callable[[], Awaitable[bytes]]
    """The metrics page in Prometheus's text format; of all workers, where there are several."""
    read_log: Callable[[OutwardReader], Coroutine[Any, Any, None]]
    """Read the log for an outward reader under leases, all shards, until cancelled."""
    known_chargers: Callable[[], AsyncIterator[ChargerId]]
    projections: ProjectionBook = field(default_factory=ProjectionBook)
    """Retained topics that adapters add to chargers'; `register` is for constructors."""
    listeners: ListenerBook = field(default_factory=ListenerBook)
    """Topics that adapters listen to on the broker; `register` is for constructors."""
    refusals: Refusals = field(default_factory=Refusals)
    """The handshakes of chargers that this node refused lately."""
    dev: bool = False
    """True under `serve --dev`: no API key is asked for."""
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once all has started, the chargers' listener, too."""


class Adapter(Protocol):
    """One kind of business system. The constructor assigns; `run` works until it is cancelled, then cleans up."""

    name: str

    async def run(self, started: Callable[[], None]) -> None:
        """Serve; call `started` once, when the outside can use the adapter. Raises ConfigurationError for a setting
        that cannot work (a port in use, a certificate that does not load)."""
        ...

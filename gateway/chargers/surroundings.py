"""What a connection needs of the house, in one value."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.chargers.config import ChargersConfig
from gateway.core.clock import Clock
from gateway.core.ports import EventLog, LaterWork, Observer, Ownership
from gateway.core.refusals import Refusals
from gateway.core.responder import Responder
from gateway.core.router import Router
from gateway.ocpp.quirks.catalog import Catalog
from gateway.ocpp.schemas import SchemaSet

Spawn = Callable[[Coroutine[Any, Any, None]], None]
"""Has work done beside the connection, which outlives it if need be; it must not raise."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts that every connection of a node shares. `schemas` are by subprotocol."""

    node: str
    config: ChargersConfig
    clock: Clock
    log: EventLog
    ownership: Ownership
    later: LaterWork
    router: Router
    responder: Responder
    observer: Observer
    schemas: Mapping[str, SchemaSet]
    quirks: Catalog = field(default_factory=Catalog)
    refusals: Refusals = field(default_factory=Refusals)

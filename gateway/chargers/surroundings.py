"""What a connection needs of the house, in one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.chargers.config import ChargersConfig
from gateway.core.clock import Clock
from gateway.core.ports import EventLog, LaterWork, Observer, Ownership
from gateway.core.responder import Responder
from gateway.core.router import Router
from gateway.ocpp.quirks.catalog import Catalog
from gateway.ocpp.schemas import SchemaSet


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

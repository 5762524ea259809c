"""All that is known at the end of a run, and what looking at it needs: who was connected where, who was in trouble."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.chaos.nodes.facts import Connection, Facts
from tests.chaos.nodes.faults import Trouble
from tests.chaos.nodes.orders import Order
from tests.chaos.run.recordings import Record

Event = dict[str, Any]
SETTLING = 5.0
"""Seconds after a trouble's end in which a node may still be sorting out what it missed."""


@dataclass(frozen=True)
class Breach:
    """Something that must never be. `kind` is one word for it."""

    kind: str
    told: str
    shown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n      ".join([f"{self.kind}: {self.told}", *(line[:600] for line in self.shown[:8])])


@dataclass
class Evidence:
    """`log` is what REST tells of the event log, `heard` what the broker handed over, both in order. `shown` and
    `retained` are each charger's availability in REST and in its retained topic, at `looked`. `emptied`: when Redis
    lost everything. `running`: orders without an outcome when nothing more was waited for; `settled`: that was long
    enough for each to have one.
    """

    facts: Sequence[Facts]
    troubles: Sequence[Trouble]
    orders: Sequence[Order]
    log: Record
    heard: Record
    shown: dict[str, str | None]
    retained: dict[str, str | None]
    looked: float
    term: float
    emptied: Sequence[float] = ()
    starved: Sequence[float] = ()
    """When the machine itself was so busy that nodes may have seemed dead."""
    running: Sequence[Order] = field(default_factory=list)
    settled: bool = True
    node_logs: Sequence[list[dict[str, Any]]] = field(default_factory=list)
    """What each node said, line by line."""

    def in_trouble(self, node: int, since: float, until: float) -> bool:
        """Whether anything was wrong with a node, or with what it knows, at some time between these."""
        return (
            self.was_starved(since, until)
            or any(
                trouble.node == node
                and trouble.began - 1.0 <= until
                and (trouble.ended is None or trouble.ended + SETTLING >= since)
                for trouble in self.troubles
            )
            or any(since - SETTLING - self.term <= moment <= until for moment in self.emptied)
        )

    def was_starved(self, since: float, until: float) -> bool:
        return any(since - self.term - SETTLING <= moment <= until for moment in self.starved)

    def forgot(self, moment: float) -> bool:
        """Whether what was known of a command then was lost with all else, or that it had run."""
        return any(moment <= emptied + SETTLING for emptied in self.emptied)

    def others_in_trouble(self, trouble: Trouble, until: float) -> bool:
        """Whether another node was in trouble at some time from its beginning on."""
        return any(
            self.in_trouble(other.node, trouble.began, until)
            for other in self.troubles
            if other is not trouble and other.node != trouble.node
        ) or any(
            other is not trouble and other.node == trouble.node and trouble.began < other.began < until
            for other in self.troubles
        )


def connection_at(facts: Facts, moment: float) -> Connection | None:
    """The connection that a charger had last opened by then."""
    place = bisect_right(facts.connections, moment, key=lambda connection: connection.opened)
    return facts.connections[place - 1] if place else None


def stands(connection: Connection, moment: float) -> bool:
    """Whether it was open then, as the charger saw it."""
    return connection.opened <= moment and (connection.closed is None or connection.closed > moment)


def came_back(facts: Facts, since: float, until: float) -> bool:
    """Whether a charger opened a connection between these."""
    return any(since < connection.opened < until for connection in facts.connections)


def recorded(event: Event) -> float:
    """When a node made an event (Unix seconds)."""
    return datetime.fromisoformat(event["recordedtime"]).timestamp()


def said_at(line: dict[str, Any]) -> float:
    """When a node said something (Unix seconds)."""
    return datetime.fromisoformat(line["timestamp"]).timestamp()

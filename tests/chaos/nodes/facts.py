"""What a charger saw, as it is written down: times are Unix seconds of this machine's one clock."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Connection:
    """One open socket, from the handshake's answer on. `port` is the charger's own end.

    `closed` is None while it stands; `left`: the charger gave it up, for nothing came any more; `away`: seconds that
    the charger then stayed away on purpose.
    """

    node: int
    port: int
    opened: float
    closed: float | None = None
    code: int = 0
    left: bool = False
    away: float = 0.0


@dataclass
class Said:
    """A message, however often it was sent: `ids` of all its sendings, `once` where it must make one event alone."""

    action: str
    once: bool
    ids: list[str] = field(default_factory=list)
    sent: float = 0.0
    answered: float | None = None
    took: float = 0.0
    """Seconds from the sending that was answered to its answer."""
    number: int | None = None
    """OCPP 1.6: the number that the answer to a start gave."""


@dataclass
class Obeyed:
    """A call that reached the charger. `trace` names the order that it came from; `answer` is what the charger said
    to it, empty where it said nothing; `stale`: it came by a socket that another one had followed."""

    at: float
    action: str
    trace: str
    answer: str
    stale: bool


@dataclass
class Facts:
    """All that one charger saw."""

    charger: str
    connections: list[Connection] = field(default_factory=list)
    messages: list[Said] = field(default_factory=list)
    calls: list[Obeyed] = field(default_factory=list)
    stale_answers: list[str] = field(default_factory=list)
    """Message ids that were answered by a socket that another one had followed."""
    complaints: list[str] = field(default_factory=list)
    refused: int = 0
    """Handshakes that were answered with 503."""


def save(facts: list[Facts], path: Path) -> None:
    """Write facts down for another process."""
    path.write_text(json.dumps([asdict(one) for one in facts]))


def load(path: Path) -> list[Facts]:
    """What `save` wrote."""
    return [_facts(one) for one in json.loads(path.read_text())]


def _facts(told: dict[str, Any]) -> Facts:
    return Facts(
        told["charger"],
        [Connection(**one) for one in told["connections"]],
        [Said(**one) for one in told["messages"]],
        [Obeyed(**one) for one in told["calls"]],
        told["stale_answers"],
        told["complaints"],
        told["refused"],
    )

"""What happens to the nodes and when: drawn from a seed, so that a schedule can be had again."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SECONDS: dict[str, tuple[float, float]] = {
    "kill": (0.5, 20.0),
    "drain": (0.5, 8.0),
    "restart": (0.0, 0.0),
    "nap": (2.0, 2.0),
    "sleep": (60.0, 60.0),
    "cut": (3.0, 25.0),
    "mute": (3.0, 25.0),
}
"""How long each kind lasts: `kill` and `drain` (SIGTERM) until the node is started again, `restart` is a drain with no
time between, `nap` and `sleep` are SIGSTOP, `cut` and `mute` part a node from Redis, with and without a word."""
KINDS = tuple(SECONDS)
START_SECONDS = 12.0
"""How long after its fault a node is left alone: it ends, starts, and its chargers come."""


@dataclass(frozen=True)
class Fault:
    """One thing that happens to node number `node`: `at` seconds after the start, for `seconds`."""

    at: float
    kind: str
    node: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:7.1f} s  {self.kind} node-{self.node + 1} for {self.seconds:.1f} s"


def draw_schedule(
    seed: str,
    *,
    seconds: float,
    count: int,
    nodes: int,
    kinds: Sequence[str] = KINDS,
    lasting: Mapping[str, tuple[float, float]] = SECONDS,
    rest: float = START_SECONDS,
) -> list[Fault]:
    """`count` faults within so many seconds. One node at least is always left alone, each for a while after its last
    fault, and every kind comes where there are enough of them; what finds no room before the end is left out."""
    draw = random.Random(f"{seed}/nodes")
    left: list[str] = []
    free, schedule = [0.0] * nodes, []
    step = seconds / count
    for place in range(count):
        if not left:
            left = list(kinds)
            draw.shuffle(left)
        kind = left.pop()
        lasts = draw.uniform(*lasting[kind])
        at = max((place + draw.random() * 0.8) * step, sorted(free)[1] if nodes > 1 else free[0])
        node = draw.choice([number for number in range(nodes) if free[number] <= at])
        if at + lasts <= seconds:
            schedule.append(Fault(at, kind, node, lasts))
            free[node] = at + lasts + rest
    return sorted(schedule, key=lambda fault: fault.at)


def rolling(*, nodes: int, first: float, pace: float) -> list[Fault]:
    """Every node is restarted, one after the other."""
    return [Fault(first + number * pace, "restart", number, 0.0) for number in range(nodes)]

"""What goes wrong and when: drawn from a seed, so that a schedule can be had again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

NODE = ("node_kill", "node_term", "node_pause")
BROKER = ("broker_kill", "broker_term")
REDIS = ("redis_kill", "redis_term", "redis_pause")
CHARGERS = ("chargers_cut", "chargers_half_close", "chargers_mute", "chargers_delay")
LINKS = ("redis_link_cut", "redis_link_delay", "broker_link_cut", "broker_link_delay")

WEIGHTS: dict[str, int] = {
    "node_kill": 6,
    "node_term": 3,
    "node_pause": 3,
    "broker_kill": 4,
    "broker_term": 2,
    "redis_kill": 4,
    "redis_term": 2,
    "redis_pause": 2,
    "chargers_cut": 4,
    "chargers_half_close": 2,
    "chargers_mute": 3,
    "chargers_delay": 2,
    "redis_link_cut": 3,
    "redis_link_delay": 2,
    "broker_link_cut": 3,
    "broker_link_delay": 2,
}
ALL = tuple(WEIGHTS)

SECONDS: dict[str, tuple[float, float]] = {
    "node_kill": (0.2, 6.0),
    "node_term": (0.2, 4.0),
    "node_pause": (1.0, 7.0),
    "broker_kill": (0.2, 5.0),
    "broker_term": (0.2, 5.0),
    "redis_kill": (0.2, 5.0),
    "redis_term": (0.2, 4.0),
    "redis_pause": (0.5, 4.0),
    "chargers_cut": (0.0, 0.0),
    "chargers_half_close": (0.0, 0.0),
    "chargers_mute": (1.0, 5.0),
    "chargers_delay": (1.0, 6.0),
    "redis_link_cut": (0.0, 0.0),
    "redis_link_delay": (1.0, 5.0),
    "broker_link_cut": (0.0, 0.0),
    "broker_link_delay": (1.0, 5.0),
}
"""How long each kind lasts: from the kill to the restart, from the pause to going on."""


TOGETHER = 0.35
"""How many faults come close behind another one."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: `at` seconds after the start, on node number `node` where it is a node's, for
    `seconds`; `share` of the connections, or seconds of a delay."""

    at: float
    kind: str
    node: int
    seconds: float
    share: float

    @property
    def resource(self) -> str:
        """What it lays hands on; two faults of one resource do not overlap."""
        if self.kind.startswith(("broker_kill", "broker_term")):
            return "broker"
        if self.kind.startswith(("redis_kill", "redis_term", "redis_pause")):
            return "redis"
        if self.kind in NODE:
            return f"node {self.node}"
        return f"{self.kind.rpartition('_')[0]} {self.node}"

    def __str__(self) -> str:
        where = "" if self.resource in ("broker", "redis") else f" node-{self.node + 1}"
        return f"{self.at:7.1f} s  {self.kind}{where} for {self.seconds:.1f} s, share {self.share:.2f}"


def draw_schedule(
    seed: str, *, seconds: float, count: int, kinds: Sequence[str] = ALL, quiet: float = 3.0
) -> list[Fault]:
    """`count` faults within so many seconds, none in the first `quiet` ones. Some fall together."""
    draw = random.Random(f"{seed}/schedule")
    last = max(quiet, seconds - 2)
    followers = sum(draw.random() < TOGETHER for _ in range(count - 1))
    step = (last - quiet) / (count - followers)
    alone = [quiet + (place + draw.random()) * step for place in range(count - followers)]
    # Troubles like company: some come close behind another one.
    moments = sorted(alone + [min(last, draw.choice(alone) + draw.uniform(0, 4)) for _ in range(followers)])
    free: dict[str, float] = {}
    schedule = []
    # Every kind comes, where there are enough of them; after that, by weight.
    firsts = list(kinds)
    draw.shuffle(firsts)
    for at in moments:
        kind = firsts.pop() if firsts and count >= 2 * len(kinds) else _by_weight(draw, kinds)
        low, high = SECONDS[kind]
        fault = Fault(at, kind, draw.randrange(2), draw.uniform(low, high), draw.uniform(0.2, 1.0))
        busy_until = free.get(fault.resource, 0.0)
        if busy_until > at:
            fault = Fault(busy_until, fault.kind, fault.node, fault.seconds, fault.share)
        free[fault.resource] = fault.at + fault.seconds + 1.0
        schedule.append(fault)
    return sorted(schedule, key=lambda fault: fault.at)


def _by_weight(draw: random.Random, kinds: Sequence[str]) -> str:
    return draw.choices(list(kinds), [WEIGHTS[kind] for kind in kinds])[0]

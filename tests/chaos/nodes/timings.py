"""How long recoveries took, from what chargers saw, what the log has, and what the nodes said."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.nodes.evidence import Evidence, came_back, connection_at, recorded, said_at, stands
from tests.chaos.nodes.faults import Trouble
from tests.chaos.nodes.offline import DISCONNECTED
from tests.chaos.run.recordings import charger_of

TAKEN, GIVEN = "the log is read here", "the log is not read here any more"
SOON = 30.0


@dataclass(frozen=True)
class Timing:
    """How long something took after faults of a kind, in seconds: one figure for each charger, shard or fault."""

    what: str
    kind: str
    seconds: tuple[float, ...]


def timings(evidence: Evidence) -> list[Timing]:
    """All recoveries, by kind of fault."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for trouble in evidence.troubles:
        found["chargers are back", trouble.kind] += _returns(evidence, trouble)
        if trouble.kind == "kill":
            found["said to be offline", trouble.kind] += _marked(evidence, trouble)
            found["leases have moved", trouble.kind] += lease_moves(evidence.node_logs, trouble)
        elif trouble.gone is not None:
            found["the node has gone", trouble.kind].append(trouble.gone - trouble.began)
            found["leases have moved", trouble.kind] += lease_moves(evidence.node_logs, trouble)
    return [Timing(what, kind, tuple(sorted(seconds))) for (what, kind), seconds in sorted(found.items())]


def _returns(evidence: Evidence, trouble: Trouble) -> list[float]:
    """From a fault to the next connection of each charger that the node had, but for those that stayed away."""
    took = []
    for facts in evidence.facts:
        connection = connection_at(facts, trouble.began)
        if connection is None or connection.node != trouble.node or not stands(connection, trouble.began):
            continue
        ended = float("inf") if trouble.ended is None else trouble.ended
        if connection.closed is None or connection.closed > ended + 1.0 or connection.away:
            continue
        following = next((one for one in facts.connections if one.opened > trouble.began), None)
        if following is not None:
            took.append(following.opened - trouble.began)
    return took


def _marked(evidence: Evidence, trouble: Trouble) -> list[float]:
    """From a node's death to the "offline" of each charger that it had, and that stayed away."""
    had = {
        facts.charger: facts
        for facts in evidence.facts
        if (last := connection_at(facts, trouble.began)) is not None
        and last.node == trouble.node
        and stands(last, trouble.began)
    }
    took = []
    for event in evidence.log.events:
        facts, moment = had.get(charger_of(event)), recorded(event)
        if facts is None or event["type"] != DISCONNECTED or event["data"]["reason"] != "node_lost":
            continue
        if trouble.began < moment < trouble.began + SOON and not came_back(facts, trouble.began, moment):
            took.append(moment - trouble.began)
    return took


def lease_moves(logs: Sequence[list[dict[str, Any]]], trouble: Trouble) -> list[float]:
    """From a node's end to when the log is read elsewhere, for each shard that it read for MQTT."""
    held = set()
    for line in logs[trouble.node]:
        if line.get("reader") != "mqtt" or said_at(line) > trouble.began:
            continue
        if line["event"] == TAKEN:
            held.add(line["shard"])
        elif line["event"] == GIVEN:
            held.discard(line["shard"])
    took = []
    for shard in held:
        taken = [
            said_at(line)
            for log in logs
            for line in log
            if line["event"] == TAKEN and line.get("reader") == "mqtt" and line["shard"] == shard
        ]
        after = [moment for moment in taken if moment > trouble.began]
        if after:
            took.append(min(after) - trouble.began)
    return took


def node_log(path: Path) -> list[dict[str, Any]]:
    """What a node said, over all its lives; a process that was killed may leave half a line, and reads nothing."""
    lines: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    for text in path.read_text(errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if not isinstance(line, dict) or "timestamp" not in line:
            continue
        if line.get("event") == "starting":
            lines += [{**one, "event": GIVEN, "timestamp": line["timestamp"]} for one in held]
            held = []
        elif line.get("event") == TAKEN:
            held.append(line)
        elif line.get("event") == GIVEN:
            held = [one for one in held if (one["reader"], one["shard"]) != (line["reader"], line["shard"])]
        lines.append(line)
    return lines

"""The check of "offline": said of whom it is true, in time, and of nobody else."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.nodes.evidence import Breach, Event, Evidence, connection_at, recorded, stands
from tests.chaos.nodes.facts import Facts
from tests.chaos.nodes.faults import Trouble
from tests.chaos.run.recordings import charger_of, short

CONNECTED, DISCONNECTED = "ocpp.charger.connected", "ocpp.charger.disconnected"
SLACK = 3.0
"""Seconds by which a charger may notice later than its node that a socket is open, or is gone."""
AT_REST = 1.0
"""Seconds before and after the last look in which a charger must have been connected for it to count as such."""
MARKED_WITHIN = 5.0
"""Seconds beyond a term after a node's death within which those that do not come back must be said to be offline."""


def check_availability(evidence: Evidence) -> Iterator[Breach]:
    """All there is to say about who is online."""
    comings: dict[str, list[Event]] = defaultdict(list)
    for event in evidence.log.events:
        if event["type"] in (CONNECTED, DISCONNECTED):
            comings[charger_of(event)].append(event)
    for facts in evidence.facts:
        yield from _at_the_end(evidence, facts, comings[facts.charger])
        for event in comings[facts.charger]:
            if event["type"] == DISCONNECTED:
                yield from _wrong(evidence, facts, event)
    for trouble in evidence.troubles:
        if trouble.kind == "kill":
            yield from _unmarked(evidence, trouble, comings)


def _at_the_end(evidence: Evidence, facts: Facts, comings: list[Event]) -> Iterator[Breach]:
    """A charger that is connected is online, wherever one looks."""
    connection = connection_at(facts, evidence.looked - AT_REST)
    if connection is None or not stands(connection, evidence.looked + AT_REST):
        yield Breach("away", f"{facts.charger} was not connected at the end")
        return
    shown, retained = evidence.shown.get(facts.charger), evidence.retained.get(facts.charger)
    if shown != "online" or retained != "online":
        yield Breach("offline", f"{facts.charger} is connected, REST says {shown} and MQTT {retained}")
    if comings and comings[-1]["type"] != CONNECTED:
        yield Breach("offline", f"{facts.charger} is connected, the log's last word is", (short(comings[-1]),))


def _wrong(evidence: Evidence, facts: Facts, event: Event) -> Iterator[Breach]:
    """Said of a charger that was connected, and to a node that nothing had happened to since it came."""
    moment = recorded(event)
    connection = connection_at(facts, moment - SLACK)
    if connection is None or not stands(connection, moment + SLACK):
        return
    if evidence.in_trouble(connection.node, max(connection.opened, moment - 3 * evidence.term), moment):
        return
    told = f"{facts.charger} was said to be offline while it was connected to node-{connection.node + 1}"
    yield Breach("offline", told, (short(event), event["data"]["reason"], str(connection)))


def _unmarked(evidence: Evidence, trouble: Trouble, comings: dict[str, list[Event]]) -> Iterator[Breach]:
    """Who was on a node that died, and stayed away, is offline in time, if nothing else was wrong meanwhile."""
    until = trouble.began + evidence.term + MARKED_WITHIN
    if evidence.others_in_trouble(trouble, until) or evidence.was_starved(trouble.began, until):
        return
    for facts in evidence.facts:
        connection = connection_at(facts, trouble.began - SLACK)
        if connection is None or connection.node != trouble.node or not stands(connection, trouble.began - 0.2):
            continue
        following = connection_at(facts, until + SLACK)
        if following is not connection:
            continue
        moments = [recorded(event) for event in comings[facts.charger] if event["type"] == DISCONNECTED]
        if not any(trouble.began <= moment <= until for moment in moments):
            told = f"{facts.charger} was on node-{trouble.node + 1}, which died at {trouble.began:.1f}, and stayed away"
            yield Breach("offline", f"{told}: not said to be offline within {until - trouble.began:.1f} s")

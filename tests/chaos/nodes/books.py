"""The check: what chargers saw, against what the gateway told of it and of its commands."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.laws import EVENTLESS
from tests.chaos.nodes.charger import manner_of
from tests.chaos.nodes.evidence import SETTLING, Breach, Evidence, connection_at, said_at, stands
from tests.chaos.nodes.facts import Facts, Obeyed, Said
from tests.chaos.nodes.faults import REDIS_AWAY
from tests.chaos.nodes.offline import check_availability
from tests.chaos.nodes.orders import MQTT, TIMEOUT, Order
from tests.chaos.run.recordings import Record, charger_of, short

NEVER_SENT = frozenset({"offline", "expired", "cancelled", "invalid", "unsupported", "superseded"})
ANSWERED = frozenset({"accepted", "rejected", "error"})
WITNESSED_WITHIN = 8.0
"""Seconds after its deadline, and after its node counts as dead, in which another node has told a command's end."""
LOST_BEFORE = 5.0
"""Seconds before Redis lost everything in which what was stored may not have been published yet."""
TAKEN_FOR_DEAD = "a node is dead: its chargers are offline"


def check(evidence: Evidence) -> list[Breach]:
    """Everything that must not be, the gravest first."""
    found: list[Breach] = []
    calls: dict[str, list[Obeyed]] = defaultdict(list)
    for facts in evidence.facts:
        for call in facts.calls:
            calls[call.trace].append(call)
    by_name = {facts.charger: facts for facts in evidence.facts}
    for order in evidence.orders:
        found += _outcome(evidence, order, calls.pop(order.trace, []), by_name[order.charger])
    found += [
        Breach("command", f"a call {trace!r} that nobody ordered", tuple(map(str, calls[trace]))) for trace in calls
    ]
    for record in (evidence.log, evidence.heard):
        found += _epochs(record)
    for facts in evidence.facts:
        found += _messages(evidence, facts)
        found += _stale(evidence, facts)
        found += _numbers(facts)
    found += _agreement(evidence)
    found += check_availability(evidence)
    found += _deaths(evidence)
    return found


# ---------------------------------------------------------------- commands


def _outcome(evidence: Evidence, order: Order, calls: list[Obeyed], facts: Facts) -> Iterator[Breach]:
    """One outcome, whoever tells it, and the charger agrees."""
    shown = (*(str(one) for one in order.told), *(str(call) for call in calls))
    if evidence.forgot(order.sent):
        return
    if len(calls) > 1:
        yield Breach("command", f"it reached its charger {len(calls)} times: {order}", shown)
    if len(order.outcomes) > 1:
        yield Breach("command", f"it has several outcomes {sorted(order.outcomes)}: {order}", shown)
    healthy = _served_throughout(evidence, order, facts)
    if order.way != "rest" and not any(who == MQTT for who, _, _ in order.told) and _witnessed(evidence, order):
        yield Breach("command", f"a node was well all the time, and nobody published its outcome: {order}", shown)
        return
    if not order.outcomes:
        if order in evidence.running:
            if evidence.settled:
                yield Breach("command", f"it runs for ever: {order}", shown)
        elif order.made:
            yield Breach("command", f"it was taken, and is forgotten: {order}", shown)
        elif calls:
            yield Breach("command", f"its charger got it, and nobody tells how it ended: {order}", shown)
        elif healthy and order.way != "rest":
            yield Breach("command", f"nobody took it, and nothing was wrong: {order}", shown)
        return
    if healthy and order.way != "rest" and not any(who == MQTT for who, _, _ in order.told):
        yield Breach("command", f"its result was not published, and nothing was wrong: {order}", shown)
    for outcome in order.outcomes:
        if outcome in NEVER_SENT and calls:
            yield Breach("command", f"it was {outcome}, and its charger got it: {order}", shown)
        elif outcome in ANSWERED and [call.answer for call in calls] != [outcome]:
            yield Breach("command", f"it was {outcome}, and its charger did not say so: {order}", shown)
        elif outcome not in NEVER_SENT | ANSWERED | {"timeout"}:
            yield Breach("command", f"it ended as {outcome}: {order}", shown)
        elif healthy and outcome not in ANSWERED and manner_of(order.trace) != "silent":
            yield Breach("command", f"it was {outcome}, and nothing was wrong: {order}", shown)


def _witnessed(evidence: Evidence, order: Order) -> bool:
    """Whether one node heard it and was well for as long as it takes to see to it in another's place."""
    since, until = order.sent - 2.0, order.sent + TIMEOUT + WITNESSED_WITHIN + evidence.term
    return until < evidence.looked and any(
        not evidence.in_trouble(node, since, until) for node in range(len(evidence.node_logs))
    )


def _served_throughout(evidence: Evidence, order: Order, facts: Facts) -> bool:
    """Whether its charger kept its connection, to a node that was well, and so were those that were asked."""
    since, until = order.sent - 2.0, order.sent + TIMEOUT + 2.0
    connection = connection_at(facts, since)
    if connection is None or not stands(connection, until):
        return False
    # A client that was turned away and came late has used the time up itself.
    if len(order.asked) > 1 or (order.way == "rest" and not order.made):
        return False
    return not any(evidence.in_trouble(node, since, until) for node in {connection.node, *order.asked})


# ---------------------------------------------------------------- epochs


def _epochs(record: Record) -> Iterator[Breach]:
    """Each charger's epochs only grow, and the events of one epoch count without a hole: it has one owner at a time."""
    marks: dict[str, tuple[int, int]] = {}
    for event in record.events:
        charger, mark = charger_of(event), (int(event["epoch"]), int(event["sequence"]))
        before = marks.get(charger, (0, -1))
        expected = (before[0], before[1] + 1) if mark[0] == before[0] else (mark[0], 0)
        if mark != expected or mark <= before:
            told = f"{charger}: epoch and sequence are {mark} after {before} in {record.name}"
            yield Breach("epoch", told, (short(event),))
        marks[charger] = max(mark, before)


# ---------------------------------------------------------------- messages


def _messages(evidence: Evidence, facts: Facts) -> Iterator[Breach]:
    """What was acknowledged has its event, one alone where repeats are known."""
    for complaint in facts.complaints:
        yield Breach("answer", f"{facts.charger}: {complaint}")
    for said in facts.messages:
        for record in (evidence.log, evidence.heard):
            events = [event for one in said.ids for event in record.by_message.get((facts.charger, one), ())]
            told = f"{facts.charger}: {said.action} {said.ids}"
            if said.action in EVENTLESS:
                continue
            if said.answered is not None and not events and not _may_be_lost(evidence, said, record):
                yield Breach("lost", f"{told} was acknowledged and is not in {record.name}", (str(said),))
            elif said.once and len(events) > 1 and not evidence.emptied:
                shown = tuple(map(short, events))
                yield Breach("doubled", f"{told} made {len(events)} events in {record.name}", shown)


def _may_be_lost(evidence: Evidence, said: Said, record: Record) -> bool:
    """Redis lost everything after it, and before it was surely read."""
    grace = LOST_BEFORE if record is evidence.heard else 1e9
    assert said.answered is not None
    return any(said.sent <= moment and said.answered >= moment - grace for moment in evidence.emptied)


def _deaths(evidence: Evidence) -> Iterator[Breach]:
    """Only a node that something had happened to is taken for dead; what becomes of Redis kills none."""
    for line in (line for log in evidence.node_logs for line in log if line["event"] == TAKEN_FOR_DEAD):
        number, moment = int(line["dead_node"].removeprefix("node-")) - 1, said_at(line)
        had = [one for one in evidence.troubles if one.node == number and one.kind != REDIS_AWAY]
        if not evidence.was_starved(moment, moment) and not any(
            one.began < moment < (one.ended or moment) + evidence.term + SETTLING for one in had
        ):
            yield Breach(
                "death", f"{line['dead_node']} was taken for dead at {moment:.1f}, and nothing was wrong with it"
            )
    for moment in evidence.emptied:
        for facts in evidence.facts:
            for one in facts.connections:
                if one.closed is not None and moment < one.closed < moment + evidence.term and not one.left:
                    yield Breach("death", f"{facts.charger} lost its connection when Redis lost its data: {one}")


def _numbers(facts: Facts) -> Iterator[Breach]:
    numbers = [said.number for said in facts.messages if said.number is not None]
    if len(set(numbers)) != len(numbers):
        yield Breach("wire id", f"{facts.charger}: a transaction's number was given twice: {numbers}")


def _stale(evidence: Evidence, facts: Facts) -> Iterator[Breach]:
    """By a socket that another one had followed nothing may come but receipts of what had been stored before."""
    for call in facts.calls:
        if call.stale:
            yield Breach("stale", f"{facts.charger}: a command came by a socket that was followed: {call}")
    for message in facts.stale_answers:
        if (facts.charger, message) not in evidence.log.by_message and not evidence.emptied:
            yield Breach("stale", f"{facts.charger}: {message} was answered by a stale node, and is not in the log")


def _agreement(evidence: Evidence) -> Iterator[Breach]:
    """The broker handed over what the log has."""
    if evidence.emptied:
        return
    logged = {(event["source"], event["id"]) for event in evidence.log.events}
    heard = {(event["source"], event["id"]) for event in evidence.heard.events}
    for source, name in sorted(logged ^ heard)[:20]:
        where = "the log alone" if (source, name) in logged else "MQTT alone"
        yield Breach("lost", f"the event {name} of {source} is in {where}")
    for record in (evidence.log, evidence.heard):
        for first, again in record.doubles:
            yield Breach("unstable", f"one id and two events in {record.name}", (short(first), short(again)))

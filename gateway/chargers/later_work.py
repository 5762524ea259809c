"""What is to be done for a charger later, though no message of it will ask for that: which work there is, when it is
due, and the change that it makes. It is kept in Redis and outlives every node."""

from collections.abc import Iterator

from gateway.chargers.config import ChargersConfig
from gateway.core.twin import Change, Twin

END_PENDING = "end_pending"
"""End a transaction whose last messages never came."""

END_SILENT = "end_silent"
"""End a transaction of which nothing was heard for very long."""

GIVE_UP_REPORT = "give_up_report"
"""Tell what came of a report whose last part never did."""

END_REPORT = "end_report"
"""Tell that a report is whole whose parts the charger counted from 1."""

KINDS = frozenset({END_PENDING, END_SILENT, GIVE_UP_REPORT, END_REPORT})

FIRST_PART_GRACE = 5.0
"""Seconds in which a part 0 may still come, once all from 1 to the last are there."""

Work = tuple[str, str]
"""Its kind, and which transaction or report it is about."""


def owed(twin: Twin) -> Iterator[Work]:
    """All work that the charger's present state will need."""
    for transaction in twin.active_ids():
        yield END_SILENT, transaction
    for transaction in twin.pending_ends():
        yield END_PENDING, transaction
    for report in twin.unfinished_reports():
        yield GIVE_UP_REPORT, report
    for report in twin.reports_from_one():
        yield END_REPORT, report


def seconds_until(work: Work, config: ChargersConfig) -> float:
    """How long after the work came to be owed it is due."""
    match work[0]:
        case "end_pending":
            return config.missing_messages_grace
        case "end_silent":
            return config.silent_transaction_limit
        case "end_report":
            return FIRST_PART_GRACE
        case _:
            return config.report_grace


def change_of(work: Work, twin: Twin, now: float, config: ChargersConfig) -> Change:
    """What the work changes now that it is due; nothing where it was not needed after all."""
    kind, key = work
    match kind:
        case "end_pending":
            return twin.end_pending(now, key)
        case "end_silent":
            return twin.end_stale(now, key, silent_for=config.silent_transaction_limit)
        case "end_report":
            return twin.end_report(now, key)
        case _:
            return twin.give_up_report(now, key)


def due_again(work: Work, twin: Twin, config: ChargersConfig) -> float | None:
    """When it must be looked at again (Unix seconds): a transaction that has spoken meanwhile may fall silent yet."""
    spoken_at = twin.spoken_at(work[1]) if work[0] == END_SILENT else None
    return None if spoken_at is None else spoken_at + config.silent_transaction_limit

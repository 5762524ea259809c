"""Which transaction a TransactionEvent of OCPP 2.x belongs to: names are the charger's, and it may use one again."""

from gateway.core.draft import Draft
from gateway.core.events import stable_id
from gateway.core.reports import Transaction
from gateway.core.transaction import TransactionRecord, clock_is_past


def first_id(draft: Draft, named: str) -> str:
    """The id of the first transaction of this name."""
    return stable_id(draft.id, f"tx|{named}")


def later_id(draft: Draft, named: str, report: Transaction) -> str:
    """The id of a transaction that begins under a name which was used before."""
    return stable_id(draft.id, f"tx|{named}|{report.time}")


def newest_name(draft: Draft, named: str) -> str:
    """What the newest transaction of a name that was used again can be recalled by."""
    return stable_id(draft.id, f"newest|{named}")


def key_of(named: str, record: TransactionRecord | None) -> str:
    """What the keys of a transaction's events begin with."""
    return f"tx|{named}|{record['id']}" if record is not None and record.get("again") else f"tx|{named}"


def owner_of(draft: Draft, named: str, report: Transaction) -> tuple[TransactionRecord | None, str | None]:
    """The running transaction that an event belongs to, or else the id of the ended one; that it is known, at least.

    Where a name was used again, it is the newest one's that had begun by then.
    """
    running = _running(draft, named)
    if running is not None:
        before = (
            running["started"]
            and report.time is not None
            and running["started_at"] is not None
            and report.time < running["started_at"]
        )
        earlier = _ended(draft, named, report.time) if before else None
        return (None, earlier) if earlier is not None else (running, None)
    return None, _ended(draft, named, report.time) or _ended(draft, named, None)


def _running(draft: Draft, named: str) -> TransactionRecord | None:
    active = draft.active()
    for record in active[::-1]:
        if record["ocpp_transaction_id"] == named and record["start_key"] is None:
            return record
    # The name may hold what JSON cannot, so that it was stored otherwise.
    transaction_id = first_id(draft, named)
    return next((record for record in active if record["id"] == transaction_id), None)


def _ended(draft: Draft, named: str, begun_by: str | None) -> str | None:
    """The newest of the ended ones, `begun_by` a time if there is one."""
    first = first_id(draft, named)
    found: list[tuple[str, str]] = []
    for known, entry in draft.known()["ended"].items():
        if known != first and (entry["ocpp_transaction_id"] != named or entry.get("numbered", True)):
            continue
        record = entry["record"]
        started_at = "" if record is None else record["started_at"] or ""
        if begun_by is None or (record is not None and started_at <= begun_by):
            found.append((started_at, known))
    return max(found)[1] if found else None


def is_reuse(draft: Draft, record: TransactionRecord, report: Transaction) -> bool:
    """A start that cannot be this transaction's: it came after the end, or, with another token, after all of it."""
    time = report.time
    if report.kind != "started" or time is None or clock_is_past(time) or draft.trusted(time) is None:
        return False
    if record["status"] == "ended":
        return record["ended_at"] is not None and time > record["ended_at"]
    register = record["register"]
    latest = (record["started_at"] or "") if register is None else max(record["started_at"] or "", register["at"])
    token = None if report.token is None else report.token.id.lower()
    return (
        record["started"]
        and report.seq_no in (0, None)
        and time > latest
        and token is not None
        and bool(record["tokens"])
        and all(known["id"].lower() != token for known in record["tokens"])
    )

"""Which transaction a message of OCPP 1.6 means that names none, or one that does not run (any more)."""

from gateway.core.connector_state import Number
from gateway.core.draft import Draft
from gateway.core.energy import contradicts
from gateway.core.events import stable_id
from gateway.core.reports import Meter, Transaction
from gateway.core.transaction import TransactionRecord, clock_is_past, duration

# ---------------------------------------------------------------- numbers


def number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def is_number(text: str | None) -> bool:
    """The text is a number that a transaction may have: chargers write 0 or -1 where they know none."""
    return (number(text) or 0) > 0


def number_name(text: str | None) -> str:
    """The name under which the transaction of this number can be recalled."""
    return f"number|{number(text)}"


def named(draft: Draft, text: str | None) -> TransactionRecord | None:
    """The active transaction of this number."""
    for record in draft.active():
        if record["ocpp_transaction_id"] == text and record["start_key"] is not None:
            return record
    return None


def named_ended(draft: Draft, text: str | None, *, started: bool = False) -> str | None:
    """The ended transaction of this number; `started`: one that we gave it to, not one whose start never came."""
    if is_number(text):
        for transaction_id, entry in draft.known()["ended"].items():
            if entry["ocpp_transaction_id"] == text and (not started or entry.get("numbered", True)):
                return transaction_id
    return None


# ---------------------------------------------------------------- stops


def stop_identity(draft: Draft, report: Transaction) -> str:
    """What tells one StopTransaction from another where the transaction's number does not."""
    token = "" if report.token is None else report.token.id.lower()
    said = f"{report.ocpp_transaction_id}|{report.time}|{report.meter_wh}|{token}|{report.stop_reason}"
    return stable_id(draft.id, f"stopped|{said}")


def stop_words(report: Transaction) -> str:
    """What a stop says, by which its repeat is told from one with differences."""
    return f"{report.time or ''}|{'' if report.meter_wh is None else report.meter_wh}|{report.stop_reason or ''}"


def stopped_before(draft: Draft, identity: str, report: Transaction) -> str | None:
    """The ended transaction that a stop is about: the one that the same stop was taken for, or that it names."""
    same = None if _may_be_the_next(draft, report) else draft.known()["stops"].get(identity)
    return same or named_ended(draft, report.ocpp_transaction_id, started=True) or draft.recalled


def forgotten(draft: Draft, ended: str | None, identity: str, report: Transaction) -> list[str]:
    """What must be recalled before a stop is taken in: see `Change.recall`. `ended` is what `stopped_before` found."""
    if ended is not None:
        entry = draft.known()["ended"].get(ended)
        return [ended] if entry is None or entry["record"] is None else []
    names = [] if _may_be_the_next(draft, report) else [identity]
    if is_number(report.ocpp_transaction_id):
        names.append(number_name(report.ocpp_transaction_id))
    return names


def _may_be_the_next(draft: Draft, report: Transaction) -> bool:
    """Neither clock nor register tells this stop from that of the next transaction, and one runs that it may mean."""
    says_nothing = not report.meter_wh and (report.time is None or clock_is_past(report.time))
    return says_nothing and meant(draft, report) is not None


def meant(draft: Draft, report: Transaction) -> TransactionRecord | None:
    """The running transaction that a stop with a wrong number must mean: the only one, or the only one of its token,
    or, of several of those, the only one whose register can have come to the stop's.

    It is none of another token where the register tells as well that it cannot be this transaction's (see `doubtful`).
    """
    running = [record for record in draft.active() if not is_before(draft, report.time, record)]
    if len(running) == 1:
        record = running[0]
        strange = _is_of_another_token(record, report) and _register_contradicts(record, report)
        return None if strange else record
    if report.token is None:
        return None
    token = report.token.id.lower()
    own = [record for record in running if record["token"] is not None and record["token"]["id"].lower() == token]
    if len(own) > 1:
        own = [record for record in own if not _register_contradicts(record, report)]
    return own[0] if len(own) == 1 else None


def doubtful(record: TransactionRecord, report: Transaction) -> bool:
    """Whether a stop without the transaction's number may be another's: by its token, which may be one of the same
    group, or by a register that no charger reaches in the time."""
    return _is_of_another_token(record, report) or _register_contradicts(record, report, below=False)


def _is_of_another_token(record: TransactionRecord, report: Transaction) -> bool:
    if report.token is None or not record["tokens"]:
        return False
    token = report.token.id.lower()
    return all(known["id"].lower() != token for known in record["tokens"])


def _register_contradicts(record: TransactionRecord, report: Transaction, *, below: bool = True) -> bool:
    meter: Number | None = report.meter_wh
    return meter is not None and contradicts(record, meter, duration(record["started_at"], report.time), below=below)


def is_before(draft: Draft, time: str | None, record: TransactionRecord) -> bool:
    """The time is trustworthy, and lies before the transaction's start."""
    started_at = record["started_at"]
    return (
        time is not None
        and started_at is not None
        and not clock_is_past(time)
        and time < started_at
        and draft.trusted(started_at) is not None
    )


# ---------------------------------------------------------------- meter values


def running_at(draft: Draft, report: Meter) -> TransactionRecord | None:
    """The transaction on the connector that samples without a transaction's number belong to."""
    for record in draft.active():
        if record["evse_id"] == report.evse_id and not is_before(draft, report.time, record):
            return record
    return None

"""Transactions of OCPP 2.x: TransactionEvents, numbered by the charger, which may come late and out of order."""

from gateway.core import awaiting, ledger
from gateway.core.charger_state import EndedTransaction
from gateway.core.connector_state import Number, detach_transaction
from gateway.core.draft import Change, Draft
from gateway.core.energy import begin, register_samples, told_stop
from gateway.core.events import Event, fingerprint
from gateway.core.limits import owe
from gateway.core.naming import first_id, is_reuse, key_of, later_id, newest_name, owner_of
from gateway.core.prints import known_print, print_of, with_print
from gateway.core.remembering import is_complete_entry
from gateway.core.reports import TokenDecision, Transaction
from gateway.core.transaction import (
    OfflinePart,
    TransactionRecord,
    clear_suspicion,
    has_seen,
    is_complete,
    new_record,
    note_seen,
    suspect,
)


def transaction_event(draft: Draft, report: Transaction, token: TokenDecision | None, payload: str) -> Change:
    """One TransactionEvent: carried by `started`, `updated` or `ended` of its transaction.

    A start under the name of a transaction that had ended before begins a new one: a charger that was reset counts from
    1 again. What comes under that name later is the newest one's that had begun by then.
    """
    named = report.ocpp_transaction_id or f"unnamed {fingerprint(payload)}"
    number = fingerprint(payload) if report.seq_no is None else report.seq_no
    known, ended = owner_of(draft, named, report)
    if known is not None and not is_reuse(draft, known, report):
        return _of_running(draft, known, report, token, f"{key_of(named, known)}|{number}")
    transaction_id = first_id(draft, named)
    if known is None:
        entry = None if ended is None else draft.known()["ended"][ended]
        if draft.may_recall and (entry is None or entry["record"] is None):
            return Change([], recall=[newest_name(draft, named), transaction_id])
        late = entry is not None and (entry["record"] is None or not is_reuse(draft, entry["record"], report))
        if late and ended is not None and entry is not None:
            return _late(draft, ended, report, token, f"{key_of(named, entry['record'])}|{number}")
    record = new_record(transaction_id, draft.id.identity, named)
    if known is not None or ended is not None:
        record["id"], record["again"] = later_id(draft, named, report), True
        draft.names[newest_name(draft, named)] = record["id"]
    ledger.open_transaction(draft, record)
    key = f"{key_of(named, record)}|{number}"
    return _taken_in(draft, record, report, token, key, begins=True, instead_of=known)


def _of_running(
    draft: Draft, known: TransactionRecord, report: Transaction, token: TokenDecision | None, key: str
) -> Change:
    if report.seq_no is None or not has_seen(known, report.seq_no):
        return _taken_in(draft, draft.record(known["id"]), report, token, key)
    if report.kind == "ended" and known["pending_since"] is None:
        # What ends a running transaction is no repeat: after a restart, the charger's numbers began anew.
        record = draft.record(known["id"])
        suspect(record, "duplicate_with_differences")
        return _taken_in(draft, record, report, token, f"{key}|{print_of(report)}")
    if _differs(known, report):
        return _with_differences(draft, known, report, key)
    return _repeated(draft, known, report, key)


def _taken_in(
    draft: Draft,
    record: TransactionRecord,
    report: Transaction,
    token: TokenDecision | None,
    key: str,
    *,
    begins: bool = False,
    instead_of: TransactionRecord | None = None,
) -> Change:
    """`begins`: nothing came of it before; `instead_of` is what ran under its name."""
    running = record["pending_since"] is None
    _take_in(draft, record, report, token)
    if begins:
        ledger.caused_by(draft, record)
    carrier = _carrier(record, report)
    superseded = _superseded(draft, record, report, instead_of) if carrier == "started" else []
    if running:
        ledger.show(draft, record, report.samples, at=report.time or draft.now_text)
        awaiting.begun(draft, record)
        if begins and record["evse_id"] is not None:
            owe(draft, record["evse_id"])
    if running and report.kind == "ended":
        _note_end(draft, record, report)
        if is_complete(record):
            draft.events.append(_end(draft, record, key, report))
            return draft.change(key)
        record["pending_since"] = draft.now
        _show_pending(draft, record)
    draft.events.append(ledger.next_event(record, carrier, key=key, report=report))
    for old in superseded:
        draft.events.append(ledger.end_without_stop(draft, draft.record(old["id"]), record["started_at"]))
    if record["pending_since"] is not None and is_complete(record):
        draft.events.append(_end(draft, record, ledger.ended_key(record["id"])))
    ledger.end_oldest(draft)
    return draft.change(key)


def end_pending(draft: Draft, transaction_id: str) -> Change:
    """End a transaction whose end was reported, though what is missing before it never came."""
    key = ledger.ended_key(transaction_id)
    if draft.is_active(transaction_id):
        record = draft.record(transaction_id)
        if record["pending_since"] is not None:
            suspect(record, "gap")
            draft.events.append(_end(draft, record, key, correctable=True))
            return draft.change(key)
    return Change([])


def _carrier(record: TransactionRecord, report: Transaction) -> str:
    """What the message is carried by, and whether the transaction's start is known now."""
    if report.kind == "started" and not record["started"]:
        record["started"] = True
        clear_suspicion(record, "missing_start")
        return "started"
    if not record["started"]:
        suspect(record, "missing_start")
    return "updated"


def _take_in(draft: Draft, record: TransactionRecord, report: Transaction, token: TokenDecision | None) -> None:
    """All that a TransactionEvent adds to its record, whatever its kind."""
    at = report.time or draft.now_text
    # An end is the last message, also where the charger's numbers began anew.
    late = report.seq_no is not None and bool(record["seen"]) and report.kind != "ended"
    overtaken = late and (report.seq_no or 0) < record["seen"][-1][1]
    first = late and (report.seq_no or 0) < record["seen"][0][0]
    newest = not overtaken and (record["register"] is None or at >= record["register"]["at"])
    charging_state = record["charging_state"]
    ledger.take_over(record, report, token)
    if not newest and charging_state is not None:
        record["charging_state"] = charging_state
    ledger.suspect_clock(draft, record, report.time)
    if report.seq_no is not None:
        note_seen(record, report.seq_no)
        record["prints"] = with_print(record["prints"], report.seq_no, print_of(report))
    if report.offline:
        record["offline_part"] = _offline(record["offline_part"], at)
    cost = report.details.get("costs")
    if isinstance(cost, dict) and (record["cost"] is None or not overtaken):
        record["cost"] = cost
    begins = report.kind == "started" and not record["started"]
    if report.kind == "started" and not begins:
        ledger.note_difference(draft, record, "started", report)
    if record["started_at"] is None or begins:
        record["started_at"] = at
    if begins or record["meter_start_wh"] is None:
        meter_start = _meter_start(report)
        if meter_start is not None:
            begin(record, meter_start)
    known = record["register"]
    ledger.measure(draft, record, report.samples, at=at, overtaken=overtaken, first=first)
    ledger.mistrust_clock(draft, record, known)


def _offline(known: OfflinePart | None, at: str) -> OfflinePart:
    if known is None:
        return {"since": at, "until": at, "messages": 1}
    return {"since": min(known["since"], at), "until": max(known["until"], at), "messages": known["messages"] + 1}


def _differs(record: TransactionRecord, report: Transaction) -> bool:
    """A message of this seqNo came before, and said something else."""
    known = None if report.seq_no is None else known_print(record["prints"], report.seq_no)
    if known is None:
        return report.kind == "started" and record["started"] and report.time != record["started_at"]
    return known != print_of(report)


def _with_differences(draft: Draft, record: TransactionRecord, report: Transaction, key: str) -> Change:
    record = draft.record(record["id"])
    ledger.note_difference(draft, record, report.kind, report)
    key = f"{key}|{print_of(report)}"
    draft.events.append(ledger.next_event(record, "updated", key=key, report=report))
    return draft.change(key)


def _superseded(
    draft: Draft, record: TransactionRecord, report: Transaction, instead_of: TransactionRecord | None
) -> list[TransactionRecord]:
    """The transactions that cannot run any more since this one started on their EVSE: their end was lost.

    A charger sends what it kept in order (E04), so that what is not there by now will hardly come.
    """
    place = ledger.place_of(draft, record)
    if report.offline or place is None or report.time is None:
        return [] if instead_of is None else [instead_of]
    return [
        other
        for other in draft.active()
        if (instead_of is not None and other["id"] == instead_of["id"])
        or (
            other["id"] != record["id"]
            and other["pending_since"] is None
            and ledger.place_of(draft, other) == place
            # Where its clock was wrong, the order of arrival counts.
            and ((other["started_at"] or "") < report.time or draft.trusted(other["started_at"]) is None)
        )
    ]


def _note_end(draft: Draft, record: TransactionRecord, report: Transaction) -> None:
    record["ended_at"] = report.time or draft.now_text
    record["stop_reason"] = report.stop_reason
    record["meter_stop_wh"] = _meter_stop(report)
    record.pop("stop_unread", None)


def _meter_start(report: Transaction) -> Number | None:
    found = register_samples(report.samples)
    begins = [one for one in found if one["context"] == "Transaction.Begin"]
    # The only reading of an end is that of the end.
    if not begins and (report.kind != "ended" or len(found) > 1):
        begins = found
    return begins[0]["value"] if begins else None  # type: ignore[return-value]


def _meter_stop(report: Transaction) -> Number | None:
    found = register_samples(report.samples)
    ends = [one for one in found if one["context"] == "Transaction.End"] or found
    return ends[-1]["value"] if ends else None  # type: ignore[return-value]


def _end(
    draft: Draft, record: TransactionRecord, key: str, report: Transaction | None = None, *, correctable: bool = False
) -> Event:
    return ledger.end(
        draft,
        record,
        key=key,
        ended_at=record["ended_at"],
        meter_stop=record["meter_stop_wh"],
        correctable=correctable or "missing_start" in record["suspect"],
        report=report,
        stopped=None if report is None else key,
    )


def _show_pending(draft: Draft, record: TransactionRecord) -> None:
    """A transaction whose end is pending runs no more."""
    place = ledger.place_of(draft, record)
    state = None if place is None else draft.connector(place)
    if state is not None and state["transaction"] is not None and state["transaction"]["id"] == record["id"]:
        detach_transaction(state, record["ended_at"])


def _repeated(draft: Draft, record: TransactionRecord, report: Transaction, key: str) -> Change:
    """A message that was taken in before. The log knows it by its key and will not store this change."""
    kind = "updated" if report.kind == "ended" else report.kind
    draft.events.append(ledger.event_of(record, kind, key=key, report=report))
    return draft.change(key)


def _late(draft: Draft, transaction_id: str, report: Transaction, token: TokenDecision | None, key: str) -> Change:
    """A message of a transaction that has ended: it corrects what was missing, but resurrects nothing."""
    entry = draft.known()["ended"][transaction_id]
    seen = entry["record"] is not None and report.seq_no is not None and has_seen(entry["record"], report.seq_no)
    ends_again = (
        report.kind == "ended"
        and not seen
        and entry["record"] is not None
        and "missing_stop" not in entry["record"]["suspect"]
    )
    if entry["record"] is not None and (ends_again or (seen and _differs(entry["record"], report))):
        return _late_with_differences(draft, entry, entry["record"], report, key)
    if entry["record"] is not None and report.kind == "ended" and entry["record"]["stopped"] == key:
        # The log knows it by its key; where it lost that, the bill's figures must be there.
        draft.events.append(ledger.event_of(entry["record"], "ended", key=key, report=report))
        return draft.change(key)
    if entry["record"] is None or seen or is_complete_entry(entry):
        event = ledger.ended_event(
            entry, transaction_id, "ocpp.meter.values", key=key, time=report.time, extra={"samples": report.samples}
        )
        draft.events.append(event)
        return draft.change(key)
    record = entry["record"].copy()
    _take_in(draft, record, report, token)
    _carrier(record, report)
    if report.kind == "ended":
        _note_end(draft, record, report)
        clear_suspicion(record, "missing_stop")
    complete = is_complete(record) and record["started"] and "missing_stop" not in record["suspect"]
    if complete:
        clear_suspicion(record, "gap")
    draft.events.append(
        ledger.correct(draft, record, key=key, meter_stop=told_stop(record), complete=complete, report=report)
    )
    return draft.change(key)


def _late_with_differences(
    draft: Draft, entry: EndedTransaction, ended: TransactionRecord, report: Transaction, key: str
) -> Change:
    record = ended.copy()
    ledger.note_difference(draft, record, report.kind, report)
    key = f"{key}|{print_of(report)}"
    event = ledger.correct(
        draft,
        record,
        key=key,
        meter_stop=told_stop(record),
        complete=is_complete_entry(entry),
        report=report,
    )
    draft.events.append(event)
    return draft.change(key)

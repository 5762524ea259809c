"""StartTransaction and StopTransaction of OCPP 1.6, which know each other by a number that the gateway gives out, and
which chargers repeat, garble and forget."""

from gateway.core import awaiting, ledger
from gateway.core.charger_state import EndedTransaction
from gateway.core.clock import instant
from gateway.core.draft import Change, Draft
from gateway.core.energy import begin, register_samples, told_stop
from gateway.core.events import Event, stable_id
from gateway.core.limits import owe
from gateway.core.matching import (
    doubtful,
    forgotten,
    meant,
    named,
    number,
    number_name,
    stop_identity,
    stop_words,
    stopped_before,
)
from gateway.core.remembering import is_complete_entry, remember_stop
from gateway.core.reports import TokenDecision, Transaction
from gateway.core.transaction import (
    EPOCH_2025,
    TransactionRecord,
    clear_suspicion,
    clock_is_past,
    new_record,
    suspect,
)

_A_MOMENT = 5.0
"""Seconds that a right clock may differ from ours, and a message take."""

# ---------------------------------------------------------------- start


def start(draft: Draft, report: Transaction, token: TokenDecision | None, redis_now: float) -> Change:
    """A StartTransaction: a new transaction, or a repeat, which gets the number that the first one got."""
    base = _start_key(report)
    odd_clock = _has_odd_clock(draft, report)
    repeated = _started_before(draft, base, report, odd_clock=odd_clock)
    if repeated is not None:
        return repeated
    memory = draft.memory()
    key = f"{base}|after {memory['wire_id']}" if odd_clock else base
    given = max(memory["wire_id"] + 1, int(redis_now - EPOCH_2025))
    memory["wire_id"] = given
    record = new_record(stable_id(draft.id, key), draft.id.identity, str(given))
    draft.names[number_name(record["ocpp_transaction_id"])] = record["id"]
    record["start_key"], record["started"] = key, True
    started_at = record["started_at"] = report.time or draft.now_text
    ledger.take_over(record, report, token)
    ledger.caused_by(draft, record)
    begin(record, report.meter_wh)
    ledger.suspect_clock(draft, record, report.time)
    superseded = _superseded(draft, record)
    ledger.open_transaction(draft, record)
    ledger.show(draft, record)
    awaiting.begun(draft, record)
    if record["evse_id"] is not None:
        owe(draft, record["evse_id"])
    ledger.show_register(draft, record, report.meter_wh, at=started_at)
    draft.events.append(ledger.next_event(record, "started", key=key, report=report))
    for old in superseded:
        draft.events.append(ledger.end_without_stop(draft, draft.record(old["id"]), record["started_at"]))
    ledger.end_oldest(draft)
    return draft.change(key, given)


def _start_key(report: Transaction) -> str:
    token = "" if report.token is None else report.token.id.lower()
    return f"start|{report.evse_id}|{token}|{report.time or ''}|{'' if report.meter_wh is None else report.meter_wh}"


def _has_odd_clock(draft: Draft, report: Transaction) -> bool:
    """The start's time is none that could name it: missing, long ago, in the future, or that of the start before.

    A clock is stuck where the connector's last transaction ended at the very moment at which this one begins, and had
    begun then, too, though time passed meanwhile.
    """
    time = report.time
    if time is None or clock_is_past(time) or draft.trusted(time) is None:
        return True
    for entry in draft.known()["ended"].values():
        record = entry["record"]
        if record is not None and record["evse_id"] == report.evse_id and record["ended_at"] == time:
            return record["started_at"] == time and _took_time(record)
    return False


def _took_time(record: TransactionRecord) -> bool:
    """By our own clock it lasted a while, and did not begin when the charger's clock said.

    One that was over within a second begins and ends at one moment, too, where clocks have whole seconds.
    """
    said, began, ended = record["started_at"], record["recorded_started_at"], record["recorded_ended_at"]
    if said is None or began is None or ended is None:
        return False
    return instant(ended) - instant(began) > _A_MOMENT and abs(instant(began) - instant(said)) > _A_MOMENT


def _started_before(draft: Draft, base: str, report: Transaction, *, odd_clock: bool) -> Change | None:
    """The answer to a repeat. The log knows it by its key and will not store this change."""
    if odd_clock:
        return _latest_start_again(draft, base, report)
    for record in draft.active():
        if record["start_key"] == base:
            return _start_again(draft, record)
        if _is_same_start(record, report):
            return _start_with_differences(draft, record, base, report)
    transaction_id = stable_id(draft.id, base)
    entry = draft.known()["ended"].get(transaction_id)
    if entry is None:
        return Change([], recall=[transaction_id]) if draft.may_recall else None
    event = ledger.ended_event(entry, transaction_id, "ocpp.transaction.started", key=base, time=None, extra={})
    draft.events.append(event)
    return draft.change(base, number(entry["ocpp_transaction_id"]))


def _start_again(draft: Draft, record: TransactionRecord) -> Change:
    key = record["start_key"]
    draft.events.append(ledger.event_of(record, "started", key=key))
    return draft.change(key, int(record["ocpp_transaction_id"]))


def _latest_start_again(draft: Draft, base: str, report: Transaction) -> Change | None:
    """A start whose clock says nothing repeats the connector's latest, as long as nothing later of that came.

    Chargers without a clock start, and stop, transactions with the same words.
    """
    on_connector = [one for one in draft.active() if one["evse_id"] == report.evse_id and one["start_key"] is not None]
    if not on_connector:
        return None
    latest = on_connector[-1]
    same = (latest["start_key"] or "").startswith(f"{base}|after ")
    return _start_again(draft, latest) if same and latest["transaction_sequence"] == 0 else None


def _is_same_start(record: TransactionRecord, report: Transaction) -> bool:
    """The same connector, token and moment: the same start, though its meter differs."""
    token = record["token"]
    return (
        record["start_key"] is not None
        and record["started_at"] == report.time
        and (record["evse_id"], record["connector_id"]) == (report.evse_id, report.connector_id)
        and token is not None
        and report.token is not None
        and token["id"].lower() == report.token.id.lower()
    )


def _start_with_differences(draft: Draft, record: TransactionRecord, base: str, report: Transaction) -> Change:
    record = draft.record(record["id"])
    ledger.note_difference(draft, record, "start", report)
    draft.events.append(ledger.next_event(record, "updated", key=base, report=report))
    return draft.change(base, int(record["ocpp_transaction_id"]))


def _superseded(draft: Draft, record: TransactionRecord) -> list[TransactionRecord]:
    """The transactions that cannot run any more since this one started on their connector."""
    earlier = []
    for other in draft.active():
        if other["evse_id"] != record["evse_id"] or other["connector_id"] != record["connector_id"]:
            continue
        # Where a clock says nothing, the order of arrival counts.
        told = draft.trusted(other["started_at"]) is not None and not clock_is_past(record["started_at"] or "")
        if not told or (other["started_at"] or "") <= (record["started_at"] or ""):
            earlier.append(other)
        else:
            suspect(record, "overlapping_transaction")
    return earlier


# ---------------------------------------------------------------- stop


def stop(draft: Draft, report: Transaction) -> Change:
    """A StopTransaction: ends the transaction that it names or must mean; never an error.

    One that names none that is known is taken for the only one that runs, or the only one of its token; between
    several of its token the register decides, if it can. Where it bears another token, or a register that the
    transaction cannot have reached, that is ended as `missing_stop`: a stop which names it still corrects it, and
    keeps the other as an alternative. Where both speak against it, the stop has a record of its own, as
    `missing_start`.
    """
    identity = stop_identity(draft, report)
    record = named(draft, report.ocpp_transaction_id)
    if record is not None:
        return _ended(draft, record, report)
    ended = stopped_before(draft, identity, report)
    wanted = forgotten(draft, ended, identity, report) if draft.may_recall else []
    if wanted:
        return Change([], recall=wanted)
    if ended is not None:
        return _stopped_again(draft, ended, identity, report)
    record = meant(draft, report)
    if record is not None:
        remember_stop(draft, identity, record["id"])
        return _ended(draft, record, report, doubt=identity if doubtful(record, report) else None)
    return _never_started(draft, identity, report)


def _ended(draft: Draft, record: TransactionRecord, report: Transaction, *, doubt: str | None = None) -> Change:
    """`doubt` is the identity of a stop that may be another transaction's."""
    record = draft.record(record["id"])
    key = f"stop|{record['id']}"
    if doubt is not None:
        key = f"{key}|{doubt}"
        suspect(record, "missing_stop")
    ended_at = report.time or draft.now_text
    ledger.suspect_clock(draft, record, report.time)
    record["stop_reason"] = report.stop_reason
    if report.token is not None:
        ledger.take_over(record, report, None)
    known = record["register"]
    ledger.measure(draft, record, report.samples, at=ended_at)
    ledger.mistrust_clock(draft, record, known)
    ledger.show(draft, record, report.samples, at=ended_at)
    ledger.show_register(draft, record, report.meter_wh, at=ended_at)
    event = ledger.end(
        draft,
        record,
        key=key,
        ended_at=ended_at,
        meter_stop=report.meter_wh,
        correctable=doubt is not None,
        report=report,
        stopped=stop_words(report),
    )
    draft.events.append(event)
    return draft.change(key)


def _stopped_again(draft: Draft, transaction_id: str, identity: str, report: Transaction) -> Change:
    """A stop for a transaction that has ended: a repeat, or the stop that was missing when it was ended without."""
    key = f"stop|{transaction_id}"
    entry = draft.known()["ended"].get(transaction_id)
    if entry is not None and entry["record"] is not None:
        differs = entry["record"]["stopped"] != stop_words(report)
        missing = "missing_stop" in entry["record"]["suspect"]
        if differs and entry["ocpp_transaction_id"] == report.ocpp_transaction_id:
            if missing:
                return _stopped_at_last(draft, entry["record"], report)
            if entry["record"]["stopped"] is not None:
                return _stopped_with_differences(draft, entry, entry["record"], report)
        elif differs or missing:
            key = f"{key}|{identity}"
    draft.events.append(_end_again(entry, transaction_id, key, report))
    return draft.change(key)


def _end_again(entry: EndedTransaction | None, transaction_id: str, key: str, report: Transaction) -> Event:
    """The log knows it by its key; where it lost that, the bill's figures must be there, if anywhere they are."""
    if entry is not None and entry["record"] is not None:
        return ledger.event_of(entry["record"], "ended", key=key, report=report)
    if entry is None:
        entry = {"ocpp_transaction_id": "", "evse_id": None, "connector_id": None, "record": None}
    facts = {"meter_stop_wh": report.meter_wh, "ended_at": report.time, "stop_reason": report.stop_reason}
    return ledger.ended_event(
        entry, transaction_id, "ocpp.transaction.ended", key=key, time=report.time, extra={**facts, "samples": []}
    )


def _stopped_at_last(draft: Draft, ended: TransactionRecord, report: Transaction) -> Change:
    record = ended.copy()
    key = f"stop|{record['id']}"
    clear_suspicion(record, "missing_stop")
    if record["stopped"] is not None:
        ledger.note_doubtful_stop(record)
    ledger.suspect_clock(draft, record, report.time)
    record["stop_reason"], record["stopped"] = report.stop_reason, stop_words(report)
    ended_at = record["ended_at"] = report.time or draft.now_text
    record["recorded_ended_at"] = draft.now_text
    known = record["register"]
    ledger.measure(draft, record, report.samples, at=ended_at)
    ledger.mistrust_clock(draft, record, known)
    event = ledger.correct(draft, record, key=key, meter_stop=report.meter_wh, complete=True, report=report)
    draft.events.append(event)
    return draft.change(key)


def _stopped_with_differences(
    draft: Draft, entry: EndedTransaction, ended: TransactionRecord, report: Transaction
) -> Change:
    """A repeat that says other things than the stop which counts: told once, as a correction that changes no figure."""
    key = f"stop|{ended['id']}|{stable_id(draft.id, stop_words(report))}"
    record = ended.copy()
    ledger.note_difference(draft, record, "stop", report)
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


def _never_started(draft: Draft, identity: str, report: Transaction) -> Change:
    record = new_record(identity, draft.id.identity, report.ocpp_transaction_id or "")
    key = f"stop|{identity}"
    ended_at = report.time or draft.now_text
    ledger.take_over(record, report, None)
    suspect(record, "missing_start")
    ledger.suspect_clock(draft, record, report.time)
    record["stop_reason"] = report.stop_reason
    begins = [one for one in register_samples(report.samples) if one["context"] == "Transaction.Begin"]
    if begins:
        record["meter_start_wh"] = begins[0]["value"]  # type: ignore[typeddict-item]
        record["started_at"] = begins[0]["timestamp"]
    known = record["register"]
    ledger.measure(draft, record, report.samples, at=ended_at)
    ledger.mistrust_clock(draft, record, known)
    draft.put(record)
    remember_stop(draft, identity, record["id"])
    event = ledger.end(
        draft,
        record,
        key=key,
        ended_at=ended_at,
        meter_stop=report.meter_wh,
        report=report,
        stopped=stop_words(report),
    )
    draft.events.append(event)
    return draft.change(key)

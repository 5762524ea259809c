"""Opening, moving on, ending and correcting transactions: what is the same for all OCPP versions."""

from collections.abc import Sequence
from typing import Any

from gateway.core.charger_state import EndedTransaction, ExpectedStart
from gateway.core.connector_samples import apply_samples
from gateway.core.connector_state import (
    Number,
    apply_register,
    attach_transaction,
    detach_transaction,
    follow_charging_state,
    show_last,
)
from gateway.core.draft import Draft, Place
from gateway.core.energy import advance, register_samples, settle
from gateway.core.events import Event
from gateway.core.presented import present
from gateway.core.readings import take_samples
from gateway.core.remembering import remember
from gateway.core.reports import Sample, TokenDecision, Transaction
from gateway.core.transaction import (
    Alternative,
    Register,
    TransactionRecord,
    brief,
    clock_is_past,
    duration,
    event_data,
    last,
    subject,
    suspect,
)

MAX_ACTIVE = 256
"""So many transactions run at most; the oldest beyond is ended as `missing_stop`."""

MAX_ALTERNATIVES = 8
MAX_EXPECTED = 8

EXPECTED_FOR = 600.0
"""Seconds in which a transaction that begins is taken for the one that a remote start asked for."""


def take_over(record: TransactionRecord, report: Transaction, token: TokenDecision | None) -> None:
    """Fill in what the report knows and the record does not yet."""
    if record["evse_id"] is None and report.evse_id is not None:
        record["evse_id"] = report.evse_id
        record["connector_id"] = report.connector_id
    present(record, report, token)
    if report.reservation_id is not None:
        record["reservation_id"] = report.reservation_id
    if report.remote_start_id is not None:
        record["remote_start_id"] = report.remote_start_id
    if report.charging_state is not None:
        record["charging_state"] = report.charging_state


def measure(
    draft: Draft,
    record: TransactionRecord,
    samples: Sequence[Sample],
    *,
    at: str,
    overtaken: bool = False,
    first: bool = False,
) -> None:
    """Take over what was measured; `at` stands in for missing timestamps. `overtaken`: a later message came before;
    `first`: all that came before are later."""
    if not samples:
        return
    draft.keep_samples(record["id"], samples)
    advance(record, samples, at=at, overtaken=overtaken)
    record["sample_count"] += len(samples)
    record["measured"] = take_samples(record["measured"], samples, at=at, overtaken=overtaken, first=first)


def mistrust_clock(draft: Draft, record: TransactionRecord, before: Register | None) -> None:
    """Let no reading of a time that is to come make all that follow late; `before` is the register before it."""
    register = record["register"]
    if register is None or register["at"] <= draft.now_text or draft.trusted(register["at"]) is not None:
        return
    suspect(record, "clock_future")
    at = record["started_at"] if before is None else before["at"]
    record["register"] = {**register, "at": draft.trusted(at) or draft.now_text}


def note_difference(draft: Draft, record: TransactionRecord, said: str, report: Transaction) -> None:
    """Flag that a message repeated another with differences, and keep what it said."""
    meter = report.meter_wh if report.meter_wh is not None else last_register(report.samples)
    _add_alternative(
        record,
        {
            "said": said,
            "recorded_at": draft.now_text,
            "time": report.time,
            "meter_wh": meter,
            "reason": report.stop_reason,
        },
    )


def note_doubtful_stop(record: TransactionRecord) -> None:
    """Flag that the transaction was ended by a stop that was none of its own, before that takes its place."""
    _add_alternative(
        record,
        {
            "said": "stop",
            "recorded_at": record["recorded_ended_at"] or "",
            "time": record["ended_at"],
            "meter_wh": record["meter_stop_wh"],
            "reason": record["stop_reason"],
        },
    )


def _add_alternative(record: TransactionRecord, alternative: Alternative) -> None:
    suspect(record, "duplicate_with_differences")
    record["alternatives"] = [*record["alternatives"], alternative][-MAX_ALTERNATIVES:]


def last_register(samples: Sequence[Sample]) -> Number | None:
    """The latest reading of the billing register among samples."""
    found = register_samples(samples)
    return found[-1]["value"] if found else None  # type: ignore[return-value]


def expect_start(draft: Draft, expected: ExpectedStart) -> None:
    """Remember a remote start that the charger said yes to."""
    memory = draft.memory()
    fresh = [
        one
        for one in memory["expected"]
        if draft.now - one["at"] <= EXPECTED_FOR and one["command_id"] != expected["command_id"]
    ]
    memory["expected"] = [*fresh, expected][-MAX_EXPECTED:]


def command_name(command_id: str) -> str:
    """The name under which the transaction that a remote start has caused can be found."""
    return f"command|{command_id}"


def caused_by(draft: Draft, record: TransactionRecord) -> None:
    """Note the remote start that this new transaction is the answer to: by remoteStartId, else by token and EVSE."""
    token = "" if record["token"] is None else record["token"]["id"].lower()
    for expected in draft.known()["expected"]:
        if record["remote_start_id"] is not None and expected["remote_start_id"] is not None:
            found = expected["remote_start_id"] == record["remote_start_id"]
        else:
            found = (
                expected["token"].lower() == token
                and expected["evse_id"] in (None, record["evse_id"])
                and draft.now - expected["at"] <= EXPECTED_FOR
            )
        if found:
            record["command_id"] = expected["command_id"]
            draft.names[command_name(expected["command_id"])] = record["id"]
            memory = draft.memory()
            memory["expected"] = [one for one in memory["expected"] if one is not expected]
            return


def suspect_clock(draft: Draft, record: TransactionRecord, time: str | None) -> None:
    """Flag a charger's time that lies before 2020 or more than a day in the future."""
    if time is not None:
        if clock_is_past(time):
            suspect(record, "clock_past")
        elif draft.trusted(time) is None:
            suspect(record, "clock_future")


def open_transaction(draft: Draft, record: TransactionRecord) -> None:
    """Let a new transaction run."""
    record["recorded_started_at"] = draft.now_text
    draft.put(record)
    memory, charger = draft.memory(), draft.charger()
    memory["active"].append(record["id"])
    charger["transactions"] = [*memory["active"]]


def next_event(
    record: TransactionRecord,
    kind: str,
    *,
    key: str | None,
    time: str | None = None,
    samples: Sequence[Sample] = (),
    report: Transaction | None = None,
) -> Event:
    """The next event of a transaction, from the record as it stands now."""
    record["transaction_sequence"] += 1
    return event_of(record, kind, key=key, time=time, samples=samples, report=report)


def event_of(
    record: TransactionRecord,
    kind: str,
    *,
    key: str | None,
    time: str | None = None,
    samples: Sequence[Sample] = (),
    report: Transaction | None = None,
) -> Event:
    """An event of a transaction that does not count in its sequence: a repeat or a correction."""
    if report is None:
        data = event_data(record, samples=samples)
    else:
        data = event_data(record, samples=report.samples, trigger=report.trigger, offline=report.offline)
        time = report.time
        if report.details:
            data = {**report.details, **data}
    return Event(f"ocpp.transaction.{kind}", data, subject(record["id"]), time, key)


def place_of(draft: Draft, record: TransactionRecord) -> Place | None:
    """The connector that the transaction runs on, None where it is not known."""
    evse_id = record["evse_id"]
    if evse_id is None:
        return None
    connector_id = record["connector_id"]
    return (evse_id, connector_id) if connector_id is not None else (evse_id, first_connector(draft, evse_id))


def first_connector(draft: Draft, evse_id: int) -> int:
    """An EVSE's connector where none was named."""
    return min((connector for evse, connector in draft.places() if evse == evse_id), default=1)


def show(draft: Draft, record: TransactionRecord, samples: Sequence[Sample] = (), *, at: str | None = None) -> None:
    """Bring the connector's state in line with its running transaction and what was measured."""
    place = place_of(draft, record)
    state = None if place is None else draft.connector(place)
    if state is None:
        return
    shown = state["transaction"]
    if shown is None:
        attach_transaction(state, brief(record))
    elif shown["id"] == record["id"]:
        state["transaction"] = brief(record)
    elif not draft.is_active(shown["id"]) or (shown["started_at"] or "") <= (record["started_at"] or ""):
        attach_transaction(state, brief(record))
    else:
        return
    if samples:
        apply_samples(state, samples, at=at or draft.now_text, shown=draft.trusted(state["measured_at"]))
    follow_charging_state(state, record["charging_state"])


def show_register(draft: Draft, record: TransactionRecord, wh: Number | None, *, at: str) -> None:
    place = place_of(draft, record)
    state = None if place is None or wh is None else draft.connector(place)
    if state is not None and wh is not None:
        apply_register(state, at, wh)


def end(
    draft: Draft,
    record: TransactionRecord,
    *,
    key: str,
    ended_at: str | None,
    meter_stop: Number | None,
    correctable: bool = False,
    report: Transaction | None = None,
    stopped: str | None = None,
) -> Event:
    """End a transaction; its one `ended` event. `correctable`: something is missing that may still come. `stopped`
    is what the repeat of the message that ended it is known by: see `TransactionRecord`."""
    record["status"] = "ended"
    record["ended_at"] = ended_at
    record["recorded_ended_at"] = draft.now_text
    record["duration_s"] = duration(record["started_at"], ended_at)
    record["pending_since"] = None
    record["stopped"] = stopped
    record["revision"] = 1
    settle(record, meter_stop)
    memory = draft.memory()
    if record["id"] in memory["active"]:
        memory["active"].remove(record["id"])
        draft.charger()["transactions"] = [*memory["active"]]
    remember(draft, record, correctable=correctable)
    _show_end(draft, record)
    return next_event(record, "ended", key=key, report=report)


def _show_end(draft: Draft, record: TransactionRecord) -> None:
    place = place_of(draft, record)
    state = None if place is None else draft.connector(place)
    if state is None:
        return
    show_last(state, last(record))
    if state["transaction"] is None or state["transaction"]["id"] != record["id"]:
        return
    detach_transaction(state, record["ended_at"])
    others = [other for other in draft.active() if place_of(draft, other) == place and other["pending_since"] is None]
    if others:
        attach_transaction(state, brief(max(others, key=lambda other: other["started_at"] or "")))


def end_without_stop(draft: Draft, record: TransactionRecord, ended_at: str | None) -> Event:
    """End a transaction whose stop never came; it can still be corrected by one."""
    suspect(record, "missing_stop")
    return end(draft, record, key=ended_key(record["id"]), ended_at=ended_at, meter_stop=None, correctable=True)


def end_oldest(draft: Draft) -> None:
    """Keep the number of running transactions bounded."""
    active = draft.known()["active"]
    if len(active) > MAX_ACTIVE:
        draft.events.append(end_without_stop(draft, draft.record(active[0]), draft.now_text))


def correct(
    draft: Draft,
    record: TransactionRecord,
    *,
    key: str,
    meter_stop: Number | None,
    complete: bool,
    report: Transaction,
) -> Event:
    """Send an ended transaction's whole record anew, with what became known since, as its next revision."""
    record["duration_s"] = duration(record["started_at"], record["ended_at"])
    record["revision"] += 1
    settle(record, meter_stop)
    draft.put(record)
    _show_correction(draft, record)
    remember(draft, record, correctable=not complete)
    return event_of(record, "corrected", key=key, report=report)


def _show_correction(draft: Draft, record: TransactionRecord) -> None:
    place = place_of(draft, record)
    state = draft.connector(place) if place in draft.places() and place is not None else None
    shown = None if state is None else state["last_transaction"]
    if state is not None and shown is not None and shown["id"] == record["id"]:
        show_last(state, last(record))


def ended_key(transaction_id: str) -> str:
    """The key of an `ended` event that no message of the charger carries."""
    return f"ended|{transaction_id}"


def ended_event(
    entry: EndedTransaction,
    transaction_id: str,
    type_: str,
    *,
    key: str | None,
    time: str | None,
    extra: dict[str, Any],
) -> Event:
    """An event about a transaction that ended before."""
    data = {
        "evse_id": entry["evse_id"],
        "connector_id": entry["connector_id"],
        "transaction_id": transaction_id,
        "ocpp_transaction_id": entry["ocpp_transaction_id"],
        **extra,
    }
    return Event(type_, data, subject(transaction_id), time, key)

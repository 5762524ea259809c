"""MeterValues: an update of the transaction whose number they bear (OCPP 1.6), or samples of none."""

from gateway.core import ledger
from gateway.core.connector_samples import apply_samples
from gateway.core.draft import Change, Draft
from gateway.core.events import Event, fingerprint
from gateway.core.matching import is_number, named, named_ended, number_name, running_at
from gateway.core.reports import Meter
from gateway.core.transaction import TransactionRecord


def meter(draft: Draft, report: Meter, payload: str) -> Change:
    """An update of the running transaction; without one, samples that are sent as they are."""
    text = report.ocpp_transaction_id
    key = f"meter|{report.evse_id}|{text or ''}|{fingerprint(payload)}"
    record = named(draft, text)
    if record is None:
        numbered = is_number(text)
        record = None if numbered else running_at(draft, report)
        if record is None:
            return _of_no_running_one(draft, report, key if numbered else None)
    record = draft.record(record["id"])
    at = report.time or draft.now_text
    if report.evse_id == 0 and record["evse_id"] != 0:
        return _of_the_main_meter(draft, record, report, key)
    known = record["register"]
    ledger.measure(draft, record, report.samples, at=at)
    ledger.mistrust_clock(draft, record, known)
    ledger.show(draft, record, report.samples, at=at)
    draft.events.append(ledger.next_event(record, "updated", key=key, time=report.time, samples=report.samples))
    return draft.change(key)


def _of_the_main_meter(draft: Draft, record: TransactionRecord, report: Meter, key: str) -> Change:
    """Samples of connector 0 under a transaction's number: kept with it, but not those of its register."""
    draft.keep_samples(record["id"], report.samples)
    draft.events.append(ledger.next_event(record, "updated", key=key, time=report.time, samples=report.samples))
    return draft.change(key)


def _of_no_running_one(draft: Draft, report: Meter, key: str | None) -> Change:
    ended = named_ended(draft, report.ocpp_transaction_id)
    if ended is None and key is not None:
        if draft.may_recall:
            return Change([], recall=[number_name(report.ocpp_transaction_id)])
        ended = draft.recalled
    draft.events.append(outside(draft, report, key=key, transaction_id=ended))
    return draft.change(key)


def outside(draft: Draft, report: Meter, *, key: str | None = None, transaction_id: str | None = None) -> Event:
    """Samples that belong to no running transaction: shown on the connector, and sent as they are."""
    connector_id = report.connector_id
    if connector_id is None and report.evse_id > 0:
        connector_id = ledger.first_connector(draft, report.evse_id)
    state = None if connector_id is None else draft.connector((report.evse_id, connector_id))
    if state is not None and report.samples:
        apply_samples(
            state, report.samples, at=report.time or draft.now_text, shown=draft.trusted(state["measured_at"])
        )
    data = {
        "evse_id": report.evse_id,
        "connector_id": report.connector_id,
        "transaction_id": transaction_id,
        "ocpp_transaction_id": report.ocpp_transaction_id,
        "samples": report.samples,
    }
    place = None if state is None else f"evse/{report.evse_id}/connector/{connector_id}"
    return Event("ocpp.meter.values", data, place, report.time, key)

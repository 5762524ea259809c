"""What the twin keeps in mind of ended transactions; what it forgets is recalled from where their records are."""

from gateway.core.charger_state import EndedTransaction
from gateway.core.draft import Draft
from gateway.core.matching import number_name
from gateway.core.transaction import TransactionRecord

MAX_ENDED = 32
MAX_CORRECTABLE = 4
MAX_COMPLETE = 2
MAX_STOPS = 32

_LACKS_SOMETHING = frozenset({"missing_start", "missing_stop", "gap"})
"""Suspicions of an ended transaction that a later message may clear."""


def recall(draft: Draft, record: TransactionRecord | None) -> None:
    """Know a transaction again that was forgotten, from its record as it was stored."""
    if record is None:
        return
    draft.recalled = record["id"]
    if record["status"] == "ended":
        remember(draft, record, correctable=not _LACKS_SOMETHING.isdisjoint(record["suspect"]))
    elif not draft.is_active(record["id"]):
        draft.memory()["active"].append(record["id"])
        draft.charger()["transactions"] = [*draft.memory()["active"]]
        draft.put(record)


def remember(draft: Draft, record: TransactionRecord, *, correctable: bool) -> None:
    """Keep what late messages may need: of the latest few, and of those that lack something, the whole record."""
    if record["start_key"] is not None:
        draft.names[number_name(record["ocpp_transaction_id"])] = record["id"]
    memory = draft.memory()
    ended = memory["ended"]
    ended.pop(record["id"], None)
    ended[record["id"]] = {
        "ocpp_transaction_id": record["ocpp_transaction_id"],
        "evse_id": record["evse_id"],
        "connector_id": record["connector_id"],
        "record": record,
        "complete": not correctable,
        "numbered": record["start_key"] is not None,
    }
    while len(ended) > MAX_ENDED:
        del ended[next(iter(ended))]
    for complete, most in ((False, MAX_CORRECTABLE), (True, MAX_COMPLETE)):
        kept = [known for known, entry in ended.items() if entry["record"] and is_complete_entry(entry) is complete]
        for known in kept[:-most]:
            ended[known] = {**ended[known], "record": None}


def is_complete_entry(entry: EndedTransaction) -> bool:
    """Whether nothing essential is missing from an ended transaction."""
    return entry.get("complete", entry["record"] is None)


def remember_stop(draft: Draft, identity: str, transaction_id: str) -> None:
    """Note which transaction a stop that named none was taken for, so that its repeat finds it again."""
    draft.names[identity] = transaction_id
    stops = draft.memory()["stops"]
    stops.pop(identity, None)
    stops[identity] = transaction_id
    while len(stops) > MAX_STOPS:
        del stops[next(iter(stops))]

"""The record of one charging transaction, and how it stands in events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from gateway.core.connector_state import ConnectorTransaction, LastTransaction, Number, TokenFacts
from gateway.core.prints import Prints, no_prints
from gateway.core.readings import Measured, nothing_measured
from gateway.core.reports import Sample, Token

EPOCH_2025 = 1735689600
"""2025-01-01T00:00:00Z: OCPP 1.6 transaction numbers count seconds from here."""


SeqNos = Annotated[list[int], Field(min_length=2, max_length=2)]
"""The first and the last seqNo of a range."""


class Register(TypedDict):
    """The run of the energy register within a transaction.

    `counted_wh` sums its rises, `fell` tells that it was lower once than before, `relative` that it counts from the
    start of the transaction. `fell_from` and `counted_before_wh` were these before it fell, `fell_to` is how far. A
    `location` is told where it is not the outlet.
    """

    wh: Number
    at: str
    counted_wh: Number
    fell: bool
    relative: bool
    fell_from: NotRequired[Number]
    fell_to: NotRequired[Number]
    counted_before_wh: NotRequired[Number]
    location: NotRequired[str | None]


class OfflinePart(TypedDict):
    """What the charger recorded while it was offline (OCPP 2.x): the span of its messages and how many they were."""

    since: str
    until: str
    messages: int


class Alternative(TypedDict):
    """What a message said that repeated another with differences; the first one counts."""

    said: str
    recorded_at: str
    time: str | None
    meter_wh: Number | None
    reason: str | None


class TransactionRecord(TypedDict):
    """A transaction as it is stored. `id` is fleet-unique; `transaction_sequence` is that of its latest event.

    Both clocks are kept: `started_at` and `ended_at` are the charger's, `recorded_started_at` and `recorded_ended_at`
    the gateway's. `token` is the one it was started with, `tokens` are all that were presented. `command_id` is the
    remote start that caused it. `cost` is the charger's own. `alternatives` are what repeats said otherwise.

    Bookkeeping of the twin: `start_key` (OCPP 1.6), `register`, `seen` (ranges of seqNo, OCPP 2.x), `prints` (what the
    latest of them said, to tell a repeat with differences), `started` (its start was reported), `pending_since` (its
    end was reported but something before it is missing; Unix seconds), `stopped` (by which the repeat of the message
    that ended it is known: OCPP 1.6, the words of the StopTransaction; 2.x, the event's key), `again` (its name had
    been used before, OCPP 2.x), `told_cost` (what a business system said that it costs), `stop_unread` (no reading came
    with its end, so that `meter_stop_wh` is the latest one before), `token_seq` (the seqNo of the message that `token`
    came with, -1 for the start's).
    """

    id: str
    charger_id: str
    status: Literal["active", "ended"]
    ocpp_transaction_id: str
    evse_id: int | None
    connector_id: int | None
    token: TokenFacts | None
    tokens: list[TokenFacts]
    authorized_by: str | None
    authorization_status: str | None
    reservation_id: int | None
    remote_start_id: int | None
    command_id: str | None
    started_at: str | None
    ended_at: str | None
    recorded_started_at: str | None
    recorded_ended_at: str | None
    duration_s: float | None
    meter_start_wh: Number | None
    meter_stop_wh: Number | None
    energy_wh: Number | None
    energy_method: str
    transaction_sequence: int
    stop_reason: str | None
    charging_state: str | None
    sample_count: int
    measured: Measured
    offline_part: OfflinePart | None
    cost: dict[str, Any] | None
    alternatives: list[Alternative]
    suspect: list[str]
    revision: int
    updated_at: str | None
    start_key: str | None
    register: Register | None
    seen: list[SeqNos]
    prints: Prints
    started: bool
    pending_since: float | None
    stopped: str | None
    again: NotRequired[bool]
    told_cost: NotRequired[Number]
    stop_unread: NotRequired[bool]
    token_seq: NotRequired[int]


def new_record(transaction_id: str, charger_id: str, ocpp_transaction_id: str) -> TransactionRecord:
    """A transaction of which nothing is known but its ids."""
    return {
        "id": transaction_id,
        "charger_id": charger_id,
        "status": "active",
        "ocpp_transaction_id": ocpp_transaction_id,
        "evse_id": None,
        "connector_id": None,
        "token": None,
        "tokens": [],
        "authorized_by": None,
        "authorization_status": None,
        "reservation_id": None,
        "remote_start_id": None,
        "command_id": None,
        "started_at": None,
        "ended_at": None,
        "recorded_started_at": None,
        "recorded_ended_at": None,
        "duration_s": None,
        "meter_start_wh": None,
        "meter_stop_wh": None,
        "energy_wh": None,
        "energy_method": "unknown",
        "transaction_sequence": -1,
        "stop_reason": None,
        "charging_state": None,
        "sample_count": 0,
        "measured": nothing_measured(),
        "offline_part": None,
        "cost": None,
        "alternatives": [],
        "suspect": [],
        "revision": 0,
        "updated_at": None,
        "start_key": None,
        "register": None,
        "seen": [],
        "prints": no_prints(),
        "started": False,
        "pending_since": None,
        "stopped": None,
    }


def brief(record: TransactionRecord) -> ConnectorTransaction:
    """The transaction as its connector's state shows it."""
    return {
        "id": record["id"],
        "ocpp_transaction_id": record["ocpp_transaction_id"],
        "token": record["token"],
        "started_at": record["started_at"],
        "energy_wh": record["energy_wh"],
        "charging_state": record["charging_state"],
        **_cost(record),
    }


def last(record: TransactionRecord) -> LastTransaction:
    """The transaction as its connector's state shows it once it has ended."""
    return {
        "id": record["id"],
        "token": record["token"],
        "started_at": record["started_at"],
        "ended_at": record["ended_at"],
        "energy_wh": record["energy_wh"],
        "stop_reason": record["stop_reason"],
        **_cost(record),
        "suspect": record["suspect"],
    }


class _Cost(TypedDict):
    cost: Number | None
    currency: str | None


def _cost(record: TransactionRecord) -> _Cost:
    """The charger's own total, taxes included where they are told (OCPP 2.1, costDetails), else what was told to it."""
    costs = record["cost"]
    total = costs.get("total") if costs else None
    if costs and isinstance(total, dict):
        amount = total.get("including_tax", total.get("excluding_tax"))
        if amount is not None:
            return {"cost": amount, "currency": costs.get("currency")}
    return {"cost": record.get("told_cost"), "currency": None}


def event_data(
    record: TransactionRecord, *, samples: Sequence[Sample] = (), trigger: str | None = None, offline: bool = False
) -> dict[str, Any]:
    """The data of a transaction's event, from the record as it stands after it."""
    data: dict[str, Any] = {
        "transaction_id": record["id"],
        "ocpp_transaction_id": record["ocpp_transaction_id"],
        "evse_id": record["evse_id"],
        "connector_id": record["connector_id"],
        "transaction_sequence": record["transaction_sequence"],
        "token": record["token"],
        "authorized_by": record["authorized_by"],
        "authorization_status": record["authorization_status"],
        "reservation_id": record["reservation_id"],
        "remote_start_id": record["remote_start_id"],
        "command_id": record["command_id"],
        "started_at": record["started_at"],
        "ended_at": record["ended_at"],
        "duration_s": record["duration_s"],
        "meter_start_wh": record["meter_start_wh"],
        "meter_stop_wh": record["meter_stop_wh"],
        "energy_wh": record["energy_wh"],
        "energy_method": record["energy_method"],
        "stop_reason": record["stop_reason"],
        "charging_state": record["charging_state"],
        "trigger": trigger,
        "offline": offline,
        "samples": samples,
        "suspect": record["suspect"],
    }
    if record["revision"]:
        data |= {
            "revision": record["revision"],
            "tokens": record["tokens"],
            "recorded_started_at": record["recorded_started_at"],
            "recorded_ended_at": record["recorded_ended_at"],
            **record["measured"],
            "sample_count": record["sample_count"],
            "offline_part": record["offline_part"],
            "cost": record["cost"],
            "alternatives": record["alternatives"],
        }
    elif record["pending_since"] is not None:
        data["pending_end"] = True
    return data


_BOOKKEEPING = frozenset(
    {
        "start_key",
        "register",
        "seen",
        "prints",
        "started",
        "pending_since",
        "stopped",
        "again",
        "told_cost",
        "stop_unread",
        "token_seq",
        "measured",
    }
)
"""Fields of a record that are the twin's own notes, or stand elsewhere in the public one."""


def whole(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored record with every key; one that an older gateway stored lacks some."""
    return {**new_record("", "", ""), **stored}


def public(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored record as everybody may see it."""
    record = whole(stored)
    return {name: value for name, value in record.items() if name not in _BOOKKEEPING} | dict(record["measured"])


def token_facts(token: Token) -> TokenFacts:
    return {"id": token.id, "type": token.type}


def subject(transaction_id: str) -> str:
    return f"transaction/{transaction_id}"


# ---------------------------------------------------------------- suspicions


def suspect(record: TransactionRecord, reason: str) -> None:
    """Flag the transaction: a human looks first."""
    if reason not in record["suspect"]:
        record["suspect"] = [*record["suspect"], reason]


def clear_suspicion(record: TransactionRecord, reason: str) -> None:
    if reason in record["suspect"]:
        record["suspect"] = [one for one in record["suspect"] if one != reason]


def clock_is_past(time: str) -> bool:
    """No gateway was there before 2020: the charger's clock was never set."""
    return time < "2020"


def duration(started_at: str | None, ended_at: str | None) -> float | None:
    """Seconds between the two, None where one is unknown or the clock went back."""
    if started_at is None or ended_at is None:
        return None
    try:
        seconds = (datetime.fromisoformat(ended_at) - datetime.fromisoformat(started_at)).total_seconds()
    except (ValueError, TypeError):
        return None
    return seconds if seconds >= 0 else None


# ---------------------------------------------------------------- sequence numbers (OCPP 2.x)


def has_seen(record: TransactionRecord, seq_no: int) -> bool:
    """The message of this seqNo has come before."""
    ranges = record["seen"]
    if not ranges or seq_no > ranges[-1][1]:
        return False
    return any(first <= seq_no <= last for first, last in ranges)


def note_seen(record: TransactionRecord, seq_no: int) -> None:
    """Note that the message of this seqNo has come."""
    ranges = record["seen"]
    if len(ranges) == 1 and ranges[0][1] + 1 == seq_no:
        record["seen"] = [[ranges[0][0], seq_no]]
        return
    if has_seen(record, seq_no):
        return
    merged: list[list[int]] = []
    for first, last in sorted([*ranges, [seq_no, seq_no]]):
        if merged and merged[-1][1] + 1 == first:
            merged[-1] = [merged[-1][0], last]
        else:
            merged.append([first, last])
    record["seen"] = merged


def is_complete(record: TransactionRecord) -> bool:
    """Nothing is missing before the highest seqNo seen: counted from the lowest if the start was seen, else from 0."""
    ranges = record["seen"]
    if not ranges:
        return True
    return len(ranges) == 1 and (record["started"] or ranges[0][0] == 0)

"""The picture of a charger itself, as it is published under `state`, and what its twin remembers."""

from collections.abc import Sequence
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from gateway.core.connector_state import ConnectorError
from gateway.core.identity import ChargerId
from gateway.core.transaction import TransactionRecord


class LastBoot(TypedDict):
    """The last BootNotification and how it was answered."""

    reason: str | None
    status: str
    at: str


class ExternalLimit(TypedDict):
    """A charging limit that somebody else set: `source` ems (energy management), so (grid operator), cso, other.

    `evse_id` 0 is the whole charger; `schedules` as in the event ocpp.charging.limit.
    """

    evse_id: int
    source: str | None
    is_local_generation: bool | None
    is_grid_critical: bool | None
    schedules: list[dict[str, Any]]


class ChargerState(TypedDict):
    """Every key is always present, null where unknown. Notices may add further ones.

    `violations` counts all deviations, `violation_codes` them by code; `unresponsive` tells that the charger is
    connected and speaks, but leaves calls unanswered; `quirks` names the quirk profiles that apply to it.
    `external_limit` is the one that the charger told of last, null once it was lifted.
    """

    id: str
    availability: str
    ocpp_version: str | None
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    iccid: str | None
    imsi: str | None
    meter_type: str | None
    meter_serial_number: str | None
    boot: LastBoot | None
    connected_at: str | None
    disconnected_at: str | None
    last_seen_at: str | None
    remote_address: str | None
    security: str | None
    node: str | None
    status: str | None
    error: ConnectorError | None
    enabled: bool | None
    limit_a: float | None
    limit_w: float | None
    connectors: list[list[int]]
    transactions: list[str]
    firmware_status: str | None
    published_firmware_status: str | None
    log_status: str | None
    external_limit: ExternalLimit | None
    violations: int
    violation_codes: dict[str, int]
    unresponsive: bool
    quirks: str | None


class EndedTransaction(TypedDict):
    """What stays known of a transaction that ended lately, so that late messages find it.

    `record` is kept of the latest few, and longer where something essential is missing (not `complete`), so that it can
    still be corrected at once. What is not kept here is recalled from where the records are stored. `numbered`: its
    `ocpp_transaction_id` is a number that the gateway gave.
    """

    ocpp_transaction_id: str
    evse_id: int | None
    connector_id: int | None
    record: TransactionRecord | None
    complete: NotRequired[bool]
    numbered: NotRequired[bool]


class ExpectedStart(TypedDict):
    """A remote start that the charger said yes to, and whose transaction has not begun yet."""

    command_id: str
    token: str
    evse_id: int | None
    remote_start_id: int | None
    at: float


class AwaitedStart(TypedDict):
    """A start that waits for its EV. Times are Unix seconds.

    `held_since` is when the charger last said yes, None where it certainly does not hold the start (any more);
    `plugged_at` when an EV was last plugged in; `tries` and `tried_at` tell of those since. One that was `withdrawn`
    while the charger may hold it waits no more; the transaction that it causes all the same is `unwanted`. One that is
    `unclear` is on its way, or nobody knows whether the charger took it: it is not given again, but can be withdrawn.
    `held_before` and `withdrawn_before` tell of the one whose place it took.
    """

    command_id: str
    evse_id: int
    arguments: dict[str, Any]
    asked_at: float
    held_since: float | None
    plugged_at: float | None
    tries: int
    tried_at: float
    withdrawn: bool
    unwanted: str | None
    unclear: NotRequired[bool]
    held_before: NotRequired[float | None]
    withdrawn_before: NotRequired[bool]


class StoredCarrier(TypedDict):
    """`gateway.core.reports.Carrier` as it is stored."""

    unit: Literal["A", "W"] | None
    stack_level: int
    purpose: str


class StoredLimit(TypedDict):
    """`gateway.core.reports.Limit` as it is stored; `owed` where the charger must be told it again."""

    current_a: float | None
    power_w: float | None
    paused: bool
    phases: int | None
    until: str | None
    carrier: StoredCarrier | None
    owed: NotRequired[bool]


class Memory(TypedDict):
    """The twin's own notes, stored with the snapshot but not published.

    `wire_id` is the last number given to an OCPP 1.6 transaction; `stops` leads from a StopTransaction that named no
    known transaction to the one it was taken for; `limits` are those set by command, by EVSE; `expected` are remote
    starts without a transaction yet; `awaited` are the starts that wait for their EV, by EVSE. All are bounded, oldest
    first.
    """

    active: list[str]
    wire_id: int
    ended: dict[str, EndedTransaction]
    stops: dict[str, str]
    limits: dict[str, StoredLimit]
    expected: list[ExpectedStart]
    awaited: dict[str, AwaitedStart]


def new_charger(charger: ChargerId) -> ChargerState:
    """A charger of which nothing is known but its identity."""
    return {
        "id": charger.identity,
        "availability": "offline",
        "ocpp_version": None,
        "vendor": None,
        "model": None,
        "serial_number": None,
        "firmware_version": None,
        "iccid": None,
        "imsi": None,
        "meter_type": None,
        "meter_serial_number": None,
        "boot": None,
        "connected_at": None,
        "disconnected_at": None,
        "last_seen_at": None,
        "remote_address": None,
        "security": None,
        "node": None,
        "status": None,
        "error": None,
        "enabled": None,
        "limit_a": None,
        "limit_w": None,
        "connectors": [],
        "transactions": [],
        "firmware_status": None,
        "published_firmware_status": None,
        "log_status": None,
        "external_limit": None,
        "violations": 0,
        "violation_codes": {},
        "unresponsive": False,
        "quirks": None,
    }


MAX_CODES = 50
"""Codes of violations that a charger's are counted under; any further one counts as `other`."""

OTHER = "other"


def count_violations(state: ChargerState, codes: Sequence[str]) -> None:
    """Count the deviations of a message; what was there is replaced, never changed in place."""
    state["violations"] += len(codes)
    counts = {**state["violation_codes"]}
    for code in codes:
        known = code if code in counts or len(counts) < MAX_CODES else OTHER
        counts[known] = counts.get(known, 0) + 1
    state["violation_codes"] = counts


def new_memory() -> Memory:
    return {"active": [], "wire_id": 0, "ended": {}, "stops": {}, "limits": {}, "expected": [], "awaited": {}}

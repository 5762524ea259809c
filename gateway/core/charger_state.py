"""The picture of a charger itself, as it is published under `state`, and what its twin remembers."""

from typing_extensions import TypedDict

from gateway.core.connector_state import ConnectorError
from gateway.core.identity import ChargerId
from gateway.core.transaction import TransactionRecord


class LastBoot(TypedDict):
    """The last BootNotification and how it was answered."""

    reason: str | None
    status: str
    at: str


class ChargerState(TypedDict):
    """Every key is always present, null where unknown. Notices may add further ones."""

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
    violations: int


class EndedTransaction(TypedDict):
    """What stays known of a transaction that ended lately, so that late messages find it.

    `record` is kept while something essential is missing from it, so that it can still be corrected.
    """

    ocpp_transaction_id: str
    evse_id: int | None
    connector_id: int | None
    record: TransactionRecord | None


class Memory(TypedDict):
    """The twin's own notes, stored with the snapshot but not published.

    `wire_id` is the last number given to an OCPP 1.6 transaction; `stops` leads from a StopTransaction that named no
    known transaction to the one it was taken for. Both dicts are bounded, oldest first.
    """

    active: list[str]
    wire_id: int
    ended: dict[str, EndedTransaction]
    stops: dict[str, str]


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
        "violations": 0,
    }


def new_memory() -> Memory:
    return {"active": [], "wire_id": 0, "ended": {}, "stops": {}}

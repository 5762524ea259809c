"""The resources as OpenAPI shows them. Answers are not filtered by them: fields may be added within v1."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.core.commands import Outcome

_CONNECTOR_EXAMPLE: dict[str, Any] = {
    "evse_id": 1,
    "connector_id": 1,
    "status": "charging",
    "error": None,
    "plugged": True,
    "charging": True,
    "enabled": True,
    "paused_by": None,
    "power_w": 11040.0,
    "energy_register_wh": 1234567,
    "current_a": {"l1": 16.0, "l2": 16.0, "l3": 16.0},
    "voltage_v": {"l1": 230.0, "l2": 230.0, "l3": 230.0},
    "soc_percent": None,
    "limit_a": None,
    "transaction": {"id": "5f0c1f2a9b7d4e1c8a3b6d5e4f7a8b9c", "energy_wh": 4200},
    "measured_at": "2026-11-21T08:00:00.000Z",
    "updated_at": "2026-11-21T08:00:01.000Z",
}
_CHARGER_EXAMPLE: dict[str, Any] = {
    "id": "CP-1",
    "availability": "online",
    "vendor": "Example",
    "model": "Wallbox 11",
    "serial_number": "0001",
    "firmware_version": "1.2.3",
    "ocpp_version": "1.6",
    "connectors": [_CONNECTOR_EXAMPLE],
}


class _Resource(BaseModel):
    model_config = ConfigDict(extra="allow")


class Connector(_Resource):
    """A connector as it stands now; what is unknown is null."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": _CONNECTOR_EXAMPLE})

    evse_id: int = Field(description="Counted from 1; on OCPP 1.6 the connector's number")
    connector_id: int = Field(description="Connector of the EVSE, counted from 1")
    status: str | None = Field(
        None,
        description="available preparing charging suspended_ev suspended_evse finishing reserved unavailable faulted "
        "occupied, or the charger's own word in snake_case",
    )
    error: str | None = Field(None, description="The error that the charger reports")
    plugged: bool | None = None
    charging: bool | None = None
    enabled: bool | None = None
    paused_by: str | None = None
    power_w: float | None = None
    energy_register_wh: float | None = None
    current_a: dict[str, float | None] | None = Field(None, description="By phase: l1, l2, l3")
    voltage_v: dict[str, float | None] | None = Field(None, description="By phase: l1, l2, l3")
    soc_percent: float | None = None
    limit_a: float | None = None
    transaction: dict[str, Any] | None = Field(None, description="The running transaction: id, energy_wh ...")
    measured_at: str | None = Field(None, description="RFC 3339; when the charger measured")
    updated_at: str | None = Field(None, description="RFC 3339; when this state last changed")


class Charger(_Resource):
    """A charger as it stands now, with its connectors."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": _CHARGER_EXAMPLE})

    id: str = Field(description="The charger's identity, exactly as it spells it")
    availability: Literal["online", "offline"]
    vendor: str | None = None
    model: str | None = None
    serial_number: str | None = None
    firmware_version: str | None = None
    ocpp_version: str | None = None
    connectors: list[Connector]


class Settings(_Resource):
    """What is stored for a charger by operators."""

    subprotocol: str | None = Field(description="The OCPP version to prefer; null leaves the choice to the charger")
    has_password: bool = Field(description="True where the charger must give a Basic-auth password")


class Transaction(_Resource):
    """A charging transaction; `energy_wh` is what was drawn, null where it cannot be known."""

    id: str = Field(description="The gateway's id, unique in the fleet")
    charger_id: str | None = None
    ocpp_transaction_id: str | None = Field(None, description="The charger's own id, as text")
    evse_id: int | None = None
    connector_id: int | None = None
    energy_wh: float | None = Field(None, ge=0)
    suspect: list[str] | None = Field(None, description="Not empty: a human looks first")


class Node(_Resource):
    """A gateway process that is alive."""

    id: str
    started_at: str = Field(description="RFC 3339")
    chargers: int = Field(description="Chargers whose sockets it holds")
    version: str


class DeadLetter(_Resource):
    """An event that could never be delivered to a reader of the log."""

    id: str
    reader: str = Field(description="Who could not take it", examples=["mqtt"])
    reason: str
    parked_at: str = Field(description="RFC 3339")
    charger_id: str
    event: Any = Field(description="The CloudEvent itself")


class Key(_Resource):
    """An API key without its secret."""

    id: str
    name: str
    scope: Literal["read", "command", "admin"]
    created_at: str = Field(description="RFC 3339")


class NewKey(Key):
    """An API key just made."""

    secret: str = Field(description="The key itself; shown this once")


class CommandState(_Resource):
    """A command and how it ended; `outcome` is null while it runs."""

    id: str = Field(description="The Idempotency-Key, or an id made by the gateway")
    charger_id: str
    name: str = Field(examples=["start"])
    outcome: Outcome | None = Field(description="How it ended; null while it runs", examples=["accepted"])
    reason: str | None = Field(None, description="The charger's own word, or why it was not sent")
    safe_to_retry: bool | None = Field(None, description="False where the charger may have acted on it already")
    result: dict[str, Any] | None = Field(None, description="What the charger answered; OCPP's own for a raw call")
    transaction: dict[str, Any] | None = None


class Check(_Resource):
    """One line of the health board."""

    level: Literal["ok", "degraded", "failed"]
    detail: str


class Readiness(_Resource):
    """Whether this node can serve. `degraded`: a shared outage, the node serves on."""

    status: Literal["ok", "degraded", "failed"]
    checks: dict[str, Check]


class Liveness(_Resource):
    """The process runs and answers."""

    status: Literal["ok"]


class _Page(_Resource):
    next: str | None = Field(None, description="Cursor of the next page (`?after=`), null at the end")


class Chargers(_Page):
    """One page of chargers."""

    items: list[Charger]


class Connectors(_Page):
    """The connectors of one charger."""

    items: list[Connector]


class Transactions(_Page):
    """One page of transactions, latest change first."""

    items: list[Transaction]


class Nodes(_Page):
    """The nodes that are alive."""

    items: list[Node]


class DeadLetters(_Page):
    """One page of dead letters."""

    items: list[DeadLetter]


class Keys(_Page):
    """All API keys."""

    items: list[Key]

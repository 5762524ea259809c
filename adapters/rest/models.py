"""The resources as OpenAPI shows them. Answers are not filtered by them: fields may be added within v1."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.rest.examples import CHARGER, CONNECTOR, TRANSACTION
from gateway.core.commands import Outcome


class Resource(BaseModel):
    """Base of all that is answered; a resource may say more than its model."""

    model_config = ConfigDict(extra="allow")


class ReportedError(Resource):
    """What the charger says is wrong."""

    code: str | None = Field(description="OCPP's error code, null where it only said that something is wrong")
    vendor_code: str | None
    info: str | None


class Token(Resource):
    """An id token as it was presented."""

    id: str
    type: str | None = Field(description="OCPP 2.x's token type, null from OCPP 1.6")


class Phases(Resource):
    """A quantity by phase; l1 also where the charger names no phase."""

    l1: float | None
    l2: float | None
    l3: float | None


class RunningTransaction(Resource):
    """The transaction that runs on a connector, in brief."""

    id: str
    ocpp_transaction_id: str
    token: Token | None
    started_at: str | None
    energy_wh: float | None
    charging_state: str | None
    cost: float | None = Field(description="So far; in `currency`, or in the charger's where that is null")
    currency: str | None


class LastTransaction(Resource):
    """The transaction that ended last on a connector, in brief."""

    id: str
    token: Token | None
    started_at: str | None
    ended_at: str | None
    energy_wh: float | None
    stop_reason: str | None
    cost: float | None
    currency: str | None
    suspect: list[str] = Field(description="Not empty: a human looks first")


class Connector(Resource):
    """A connector as it stands now; what is unknown is null."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": CONNECTOR})

    evse_id: int = Field(description="Counted from 1; on OCPP 1.6 the connector's number")
    connector_id: int = Field(description="Connector of the EVSE, counted from 1")
    status: str | None = Field(
        None,
        description="available preparing charging suspended_ev suspended_evse finishing reserved unavailable faulted "
        "occupied, or the charger's own word in snake_case",
    )
    reported_status: str | None = Field(None, description="The charger's own word, not refined by its transaction")
    error: ReportedError | None = None
    plugged: bool | None = Field(None, description="Whether a vehicle is plugged in")
    charging: bool | None = None
    enabled: bool | None = Field(None, description="False where it was taken out of service")
    paused_by: str | None = Field(None, description="Who holds the charging back: command, ev or evse")
    iec61851: str | None = Field(None, description="State A to F of IEC 61851-1")
    power_w: float | None = None
    energy_register_wh: float | None = None
    current_a: Phases | None = None
    voltage_v: Phases | None = None
    power_by_phase_w: Phases | None = None
    soc_percent: float | None = None
    temperature_c: float | None = None
    max_offered_a: float | None = Field(None, description="The highest current that it was seen to offer")
    measurands: list[str] = Field(
        default_factory=list, description="The values that the charger has ever measured here, e.g. current_a.l2"
    )
    limit_a: float | None = Field(None, description="The limit set by command, in the unit it was set in")
    limit_w: float | None = None
    paused: bool = Field(False, description="Charging was paused by command, on top of any limit")
    transaction: RunningTransaction | None = None
    last_transaction: LastTransaction | None = None
    measured_at: str | None = Field(None, description="RFC 3339, the charger's clock: the latest sample")
    updated_at: str | None = Field(None, description="RFC 3339, the gateway's clock")


class Charger(Resource):
    """A charger as it stands now, with its connectors; what is unknown is null."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": CHARGER})

    id: str = Field(description="The charger's identity, exactly as it spells it")
    availability: Literal["online", "offline"]
    ocpp_version: str | None = None
    vendor: str | None = None
    model: str | None = None
    serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = Field(None, description="Number of its SIM card")
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None
    boot: dict[str, Any] | None = Field(None, description="The last boot: reason, status, at")
    connected_at: str | None = Field(None, description="RFC 3339")
    disconnected_at: str | None = Field(None, description="RFC 3339")
    last_seen_at: str | None = Field(None, description="RFC 3339")
    remote_address: str | None = Field(None, description="Where it connected from")
    security: str | None = Field(None, description="How its connection is protected, null where it is not")
    node: str | None = Field(None, description="The gateway process that holds its socket")
    status: str | None = Field(None, description="The status of the charger itself, where it reports one")
    error: ReportedError | None = None
    enabled: bool | None = None
    limit_a: float | None = Field(None, description="The limit of the whole charger, set by command")
    limit_w: float | None = None
    transactions: list[str] | None = Field(None, description="Ids of the transactions that run")
    firmware_status: str | None = None
    published_firmware_status: str | None = Field(
        None, description="How far a local controller is with the firmware that it publishes"
    )
    log_status: str | None = Field(None, description="How far the upload of a log is")
    external_limit: dict[str, Any] | None = Field(
        None, description="The charging limit that somebody else set last: evse_id, source, schedules ..."
    )
    violations: int = Field(0, description="How many deviations from OCPP it has sent so far")
    violation_codes: dict[str, int] = Field(
        default_factory=dict, description="The deviations by their codes; `other` where there are many codes"
    )
    unresponsive: bool = Field(False, description="True where it is connected and speaks, but leaves calls unanswered")
    quirks: str | None = Field(None, description="The quirk profiles that apply to its make, null where none does")
    connectors: list[Connector]


class Settings(Resource):
    """What is stored for a charger by operators."""

    subprotocol: str | None = Field(description="The OCPP version to prefer; null leaves the choice to the charger")
    has_password: bool = Field(description="True where the charger must give a Basic-auth password")
    registration: Literal["accepted", "pending", "rejected"] | None = Field(
        None, description="How the charger's boots are answered; null leaves that to the policy"
    )


class Transaction(Resource):
    """A charging transaction, running or ended; what is unknown is null."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": TRANSACTION})

    id: str = Field(description="The gateway's id, unique in the fleet")
    charger_id: str
    status: Literal["active", "ended"]
    ocpp_transaction_id: str = Field(description="The charger's own id, as text")
    evse_id: int | None
    connector_id: int | None
    token: Token | None = Field(description="The one it was started with")
    tokens: list[Token] = Field(description="All that were presented")
    authorized_by: str | None = Field(
        description="Who said that the token may charge: local (any token may), tokens (the list), mqtt, webhook, "
        "fallback (the last word of a chain); null where it was not accepted, or nobody was asked"
    )
    authorization_status: str | None
    reservation_id: int | None
    remote_start_id: int | None = Field(description="OCPP 2.x: that of the command which started it")
    command_id: str | None = Field(description="The remote start that caused it")
    started_at: str | None = Field(description="RFC 3339, the charger's clock")
    ended_at: str | None = Field(description="RFC 3339, the charger's clock")
    recorded_started_at: str | None = Field(description="RFC 3339, the gateway's clock")
    recorded_ended_at: str | None = Field(description="RFC 3339, the gateway's clock")
    duration_s: float | None
    meter_start_wh: float | None
    meter_stop_wh: float | None
    energy_wh: float | None = Field(ge=0, description="What was drawn; null where it cannot be known")
    energy_method: str = Field(description="How energy_wh was found: register samples session_register unknown")
    transaction_sequence: int = Field(description="Number of its latest event, counted 0, 1, 2 ...")
    stop_reason: str | None = Field(
        description="OCPP's reason in snake_case: local, remote, ev_disconnected, de_authorized, emergency_stop, "
        "power_loss, reboot, soft_reset, hard_reset, unlock_command, other; more on OCPP 2.x; null where none was told"
    )
    charging_state: str | None
    readings: list[dict[str, Any]] = Field(
        description="Register readings that are more than periodic, with context, and signed values untouched"
    )
    sample_count: int
    peak_power_w: float | None
    soc_start_percent: float | None
    soc_end_percent: float | None
    offline_part: dict[str, Any] | None = Field(description="What was recorded offline: since, until, messages")
    cost: dict[str, Any] | None = Field(description="What the charger reported of the cost")
    alternatives: list[dict[str, Any]] = Field(description="What repeats said otherwise; the first one counts")
    suspect: list[str] = Field(
        description="Not empty: a human looks first. meter_regression, meter_reset, clock_future, clock_past, "
        "overlapping_transaction, missing_start, missing_stop, duplicate_with_differences, session_relative_register, "
        "gap; openapi/README.md tells what to look at"
    )
    revision: int = Field(description="0 while it runs, 1 when ended, more after corrections: bill the highest")
    updated_at: str | None = Field(description="RFC 3339, the gateway's clock")


class WholeTransaction(Transaction):
    """A transaction with all its samples."""

    samples: list[dict[str, Any]] = Field(description="All samples, in the order they came")


class Node(Resource):
    """A gateway process that is alive."""

    id: str
    started_at: str = Field(description="RFC 3339")
    chargers: int = Field(description="Chargers whose sockets it holds")
    version: str


class DeadLetter(Resource):
    """An event that could never be delivered to a reader of the log."""

    id: str
    reader: str = Field(description="Who could not take it", examples=["mqtt"])
    reason: str
    parked_at: str = Field(description="RFC 3339")
    charger_id: str
    event: Any = Field(description="The CloudEvent itself")


class Key(Resource):
    """An API key without its secret."""

    id: str
    name: str
    scope: Literal["read", "command", "admin"]
    created_at: str = Field(description="RFC 3339")


class NewKey(Key):
    """An API key just made."""

    secret: str = Field(description="The key itself; shown this once")


class CausedTransaction(Resource):
    """What a start has led to."""

    id: str | None = Field(description="The transaction's id, null where none has begun")
    status: Literal["started", "never_started", "unknown"] = Field(
        description="`never_started`: not until the command's deadline; `unknown`: the gateway could not look it up"
    )


class CommandState(Resource):
    """A command and how it ended; `outcome` is null until it has."""

    id: str = Field(description="The Idempotency-Key, or an id made by the gateway")
    charger_id: str
    name: str = Field(examples=["start"])
    state: Literal["queued", "running"] | None = Field(
        None, description="`queued`: it waits for its charger to connect; left out once it has ended"
    )
    outcome: Outcome | None = Field(description="How it ended; null until it has", examples=["accepted"])
    reason: str | None = Field(None, description="The charger's own word, or why it was not sent")
    safe_to_retry: bool | None = Field(None, description="False where the charger may have acted on it already")
    result: dict[str, Any] | None = Field(None, description="What the charger answered; OCPP's own for a raw call")
    transaction: CausedTransaction | None = Field(
        None,
        description="Of a start with `wait_for=transaction`. An accepted start is not yet a transaction: the one that "
        "it causes bears the command's `id` as `command_id`: GET /v1/transactions?command_id=",
    )


class Check(Resource):
    """One line of the health board."""

    level: Literal["ok", "degraded", "failed"]
    detail: str


class Readiness(Resource):
    """Whether this node can serve. `degraded`: a shared outage, the node serves on."""

    status: Literal["ok", "degraded", "failed"]
    checks: dict[str, Check]


class Liveness(Resource):
    """The process runs and answers."""

    status: Literal["ok"]


class Page(Resource):
    """Base of all lists."""

    next: str | None = Field(None, description="Cursor of the next page (`?after=`), null at the end")


class Chargers(Page):
    """One page of chargers."""

    items: list[Charger]


class Connectors(Page):
    """The connectors of one charger."""

    items: list[Connector]


class Transactions(Page):
    """One page of transactions, the latest begun, ended or corrected first; the oldest change with `updated_since`."""

    items: list[Transaction]
    cursor: str | None = Field(None, description="With `updated_since`: goes on from here, also after the last page")


class Events(Resource):
    """Events after a cursor, and the cursor behind them."""

    items: list[dict[str, Any]] = Field(description="CloudEvents 1.0")
    next: str = Field(description="Cursor to go on with (`?after=`); always there")


class Nodes(Page):
    """The nodes that are alive."""

    items: list[Node]


class DeadLetters(Page):
    """One page of dead letters."""

    items: list[DeadLetter]


class Keys(Page):
    """All API keys."""

    items: list[Key]

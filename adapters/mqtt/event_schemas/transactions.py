"""Events of transactions, of tokens and of meters."""

from typing import Any, NotRequired

from typing_extensions import TypedDict

from adapters.mqtt.event_schemas.base import FromMessage
from adapters.mqtt.event_schemas.certificates import OcspRequest
from adapters.mqtt.event_schemas.costs import Costs
from gateway.core.connector_state import Number, TokenFacts
from gateway.core.readings import Reading
from gateway.core.transaction import Alternative, OfflinePart


class Sample(TypedDict):
    """One sampled value, scaled to its unit; measurand, phase, location and context keep OCPP's spelling."""

    measurand: str
    value: Number | str
    unit: str | None
    phase: str | None
    location: str | None
    context: str | None
    timestamp: str | None
    signed: NotRequired[Any]


class MeterValues(FromMessage):
    """Samples that belong to no running transaction; those of one travel in `transaction.updated`."""

    evse_id: int | None
    connector_id: int | None
    transaction_id: NotRequired[str | None]
    ocpp_transaction_id: NotRequired[str | None]
    samples: list[Sample]


class AdditionalId(TypedDict):
    """A further id of the same driver, of a type that the parties have agreed on."""

    id: str | None
    type: str | None


class TransactionLimit(TypedDict):
    """Where a transaction is to end (OCPP 2.1)."""

    max_cost: Number | None
    max_energy_wh: Number | None
    max_time_s: int | None
    max_soc_percent: int | None


class CostDecision(TypedDict):
    """What the charger was told that the transaction costs, and who said so."""

    total_cost: float
    decided_by: str


class TransactionEvent(FromMessage):
    """A transaction as it stands after this event.

    Of a message that repeats or completes what ended before, only the ids and what it adds are given. What a bill may
    rest on (from `revision` to `alternatives`) is there once it has ended.

    `authorized_by` is who said that the token may charge: local (any token may), tokens (the list), mqtt, webhook,
    fallback (the last word of a chain), or null. `stop_reason` is OCPP's in snake_case: local, remote,
    ev_disconnected, de_authorized, power_loss, reboot, other and so on.
    Where `suspect` is not empty, a human looks first: openapi/README.md lists its reasons.
    """

    transaction_id: str
    ocpp_transaction_id: str | None
    evse_id: int | None
    connector_id: int | None
    transaction_sequence: NotRequired[int]
    token: NotRequired[TokenFacts | None]
    authorized_by: NotRequired[str | None]
    authorization_status: NotRequired[str | None]
    reservation_id: NotRequired[int | None]
    remote_start_id: NotRequired[int | None]
    command_id: NotRequired[str | None]
    started_at: NotRequired[str | None]
    ended_at: NotRequired[str | None]
    duration_s: NotRequired[float | None]
    meter_start_wh: NotRequired[Number | None]
    meter_stop_wh: NotRequired[Number | None]
    energy_wh: NotRequired[Number | None]
    energy_method: NotRequired[str]
    stop_reason: NotRequired[str | None]
    charging_state: NotRequired[str | None]
    trigger: NotRequired[str | None]
    offline: NotRequired[bool]
    samples: NotRequired[list[Sample]]
    suspect: NotRequired[list[str]]
    revision: NotRequired[int]
    tokens: NotRequired[list[TokenFacts]]
    recorded_started_at: NotRequired[str | None]
    recorded_ended_at: NotRequired[str | None]
    readings: NotRequired[list[Reading]]
    sample_count: NotRequired[int]
    peak_power_w: NotRequired[Number | None]
    soc_start_percent: NotRequired[Number | None]
    soc_end_percent: NotRequired[Number | None]
    offline_part: NotRequired[OfflinePart | None]
    cost: NotRequired[Costs | None]
    alternatives: NotRequired[list[Alternative]]
    pending_end: NotRequired[bool]
    cable_max_current_a: NotRequired[int]
    phases_used: NotRequired[int]
    time_spent_charging_s: NotRequired[int]
    token_additional_info: NotRequired[list[AdditionalId]]
    preconditioning_status: NotRequired[str]
    evse_sleep: NotRequired[bool]
    operation_mode: NotRequired[str]
    tariff_id: NotRequired[str]
    transaction_limit: NotRequired[TransactionLimit]
    costs: NotRequired[Costs]
    decision: NotRequired[CostDecision]


class AuthorizationDecided(FromMessage):
    """A token was presented, and what was said to it."""

    token: TokenFacts
    evse_id: int | None
    status: str
    expires_at: str | None
    group: str | None
    decided_by: str
    evse_ids: NotRequired[list[int]]
    charging_priority: NotRequired[int]
    personal_message: NotRequired[str]
    certificate_status: NotRequired[str]
    token_additional_info: NotRequired[list[AdditionalId]]
    certificate: NotRequired[str]
    certificate_hashes: NotRequired[list[OcspRequest]]

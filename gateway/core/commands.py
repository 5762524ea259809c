"""Commands to chargers: their typed arguments, and the one outcome that each ends in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.core.errors import CommandInvalid
from gateway.core.identity import ChargerId


class Outcome(StrEnum):
    """How a command ended; a command ends in exactly one of these."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """The charger said no; `reason` is its word."""
    ERROR = "error"
    """The charger answered with a CALLERROR."""
    OFFLINE = "offline"
    """Certainly not sent."""
    TIMEOUT = "timeout"
    """Possibly sent, never answered; not safe to retry."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


EvseId = Annotated[int, Field(ge=0, description="EVSE, counted from 1; on OCPP 1.6 the connector's number")]
ConnectorId = Annotated[int, Field(ge=0, description="Connector of the EVSE, counted from 1")]


class Start(_Arguments):
    """Start a transaction, as if the token had been presented."""

    token: str = Field(min_length=1, max_length=255, description="Id token to charge with")
    token_type: str = Field("Central", description="OCPP 2.x id token type; OCPP 1.6 knows none")
    evse_id: EvseId | None = None
    remote_start_id: int | None = Field(None, description="OCPP 2.x remoteStartId; made by the gateway if absent")


class Stop(_Arguments):
    """Stop a transaction: by its id, by its EVSE, or the only one that runs."""

    transaction_id: str | None = Field(None, description="The gateway's transaction id, or the charger's own")
    evse_id: EvseId | None = None


class Unlock(_Arguments):
    """Unlock a connector's cable."""

    evse_id: EvseId = 1
    connector_id: ConnectorId = 1


class Reset(_Arguments):
    """Restart the charger: at once, or on_idle when no transaction runs."""

    type: Literal["immediate", "on_idle"] = Field("on_idle", description="OCPP 1.6: immediate is Hard, on_idle is Soft")
    evse_id: EvseId | None = Field(None, description="OCPP 2.x: only this EVSE")


class SetAvailability(_Arguments):
    """Take the charger, an EVSE or a connector into or out of service."""

    available: bool
    evse_id: EvseId = Field(0, description="0 is the whole charger")
    connector_id: ConnectorId | None = None


class Trigger(_Arguments):
    """Ask the charger to send a message now."""

    message: str = Field(
        min_length=1,
        description="OCPP's MessageTrigger, e.g. StatusNotification, MeterValues, BootNotification, Heartbeat",
    )
    evse_id: EvseId | None = None
    connector_id: ConnectorId | None = None


class VariableRef(_Arguments):
    """A variable of the device model; on OCPP 1.6 `variable` is the configuration key and `component` is ignored."""

    variable: str = Field(min_length=1)
    component: str | None = None
    variable_instance: str | None = None
    component_instance: str | None = None
    evse_id: EvseId | None = None
    connector_id: ConnectorId | None = None
    attribute: Literal["Actual", "Target", "MinSet", "MaxSet"] | None = None


class VariableValue(VariableRef):
    """A variable and the value it shall have, as text."""

    value: str


class GetVariables(_Arguments):
    """Read variables (OCPP 1.6: configuration keys; none named means all of them)."""

    variables: list[VariableRef] = Field(default_factory=list)


class SetVariables(_Arguments):
    """Set variables (OCPP 1.6: configuration keys)."""

    variables: list[VariableValue] = Field(min_length=1)


class SetChargingLimit(_Arguments):
    """Limit what a connector, or the whole charger, may draw: in A or in W, until a time or until set anew."""

    current_a: float | None = Field(None, ge=0)
    power_w: float | None = Field(None, ge=0)
    evse_id: EvseId = Field(0, description="0 is the whole charger")
    phases: int | None = Field(None, ge=1, le=3)
    until: str | None = Field(None, description="RFC 3339; after it the limit is void")


class DataTransfer(_Arguments):
    """A vendor's own message."""

    vendor_id: str = Field(min_length=1, max_length=255)
    message_id: str | None = None
    data: Any = None


COMMANDS: dict[str, type[BaseModel]] = {
    "start": Start,
    "stop": Stop,
    "unlock": Unlock,
    "reset": Reset,
    "set_availability": SetAvailability,
    "trigger": Trigger,
    "get_variables": GetVariables,
    "set_variables": SetVariables,
    "set_charging_limit": SetChargingLimit,
    "data_transfer": DataTransfer,
}
"""Every neutral command and the model of its arguments."""

CALL_PREFIX = "call/"
"""A raw call's command name is `call/{Action}`; its arguments are the OCPP payload."""


@dataclass(slots=True)
class Command:
    """One command to one charger.

    `id` is the idempotency key; `deadline` is Unix seconds, after it the command is not sent any more; `arguments`
    are validated (neutral) or OCPP's own (raw).
    """

    id: str
    charger: ChargerId
    name: str
    arguments: dict[str, Any]
    deadline: float
    origin: str = ""

    @property
    def action(self) -> str | None:
        """The OCPP action of a raw call, None for a neutral command."""
        return self.name.removeprefix(CALL_PREFIX) if self.name.startswith(CALL_PREFIX) else None


@dataclass(slots=True)
class CommandResult:
    """How a command ended. `result` is the charger's answer: neutral for a neutral command, OCPP's for a raw call."""

    id: str
    charger: ChargerId
    name: str
    outcome: Outcome
    reason: str | None = None
    result: dict[str, Any] | None = None
    transaction: dict[str, Any] | None = None
    acted: bool = False
    """The charger may have acted on it although the outcome does not say so (an answer that cannot be read)."""

    @property
    def safe_to_retry(self) -> bool:
        """False where the charger may have acted on it already."""
        return not self.acted and self.outcome is not Outcome.TIMEOUT and self.outcome is not Outcome.ACCEPTED

    def as_dict(self) -> dict[str, Any]:
        """The public shape, the same over REST and MQTT."""
        return {
            "id": self.id,
            "charger_id": self.charger.identity,
            "name": self.name,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "safe_to_retry": self.safe_to_retry,
            "result": self.result,
            "transaction": self.transaction,
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any], charger: ChargerId) -> "CommandResult":
        outcome = Outcome(fields["outcome"])
        certain = outcome is not Outcome.TIMEOUT and outcome is not Outcome.ACCEPTED
        return cls(
            fields["id"],
            charger,
            fields["name"],
            outcome,
            fields.get("reason"),
            fields.get("result"),
            fields.get("transaction"),
            acted=certain and not fields.get("safe_to_retry", True),
        )


def validated_arguments(name: str, arguments: Any) -> dict[str, Any]:
    """The arguments with defaults filled in.

    Raises CommandInvalid naming each problem; for an unknown command it lists the known ones.
    """
    if name.startswith(CALL_PREFIX):
        if not isinstance(arguments, dict):
            raise CommandInvalid("the payload of a call must be a JSON object")
        return arguments
    model = COMMANDS.get(name)
    if model is None:
        raise CommandInvalid(f"unknown command {name!r}; known are {', '.join(sorted(COMMANDS))}")
    try:
        return model.model_validate(arguments).model_dump()
    except ValidationError as error:
        problems = [
            {"location": ".".join(str(part) for part in problem["loc"]), "message": problem["msg"]}
            for problem in error.errors(include_url=False, include_context=False)
        ]
        told = "; ".join(f"{problem['location'] or 'arguments'}: {problem['message']}" for problem in problems)
        raise CommandInvalid(f"{name}: {told}", problems) from error

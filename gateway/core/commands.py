"""Commands to chargers: which there are, and the one outcome that each ends in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from pydantic import ValidationError

from gateway.core.arguments.access import (
    CancelReservation,
    ClearCache,
    CustomerInformation,
    GetLocalListVersion,
    Reserve,
    SendLocalList,
)
from gateway.core.arguments.base import Arguments
from gateway.core.arguments.certificates import (
    DeleteCertificate,
    InstallCertificate,
    ListCertificates,
    SendCertificate,
)
from gateway.core.arguments.charging import (
    ClearChargingLimit,
    ClearChargingProfile,
    GetChargingProfiles,
    GetCompositeSchedule,
    Pause,
    Resume,
    SetChargingLimit,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from gateway.core.arguments.charging_profiles import SetChargingProfile
from gateway.core.arguments.der import ClearDerControl, GetDerControl, SetDerControl
from gateway.core.arguments.device import Reset, SetAvailability, Trigger, Unlock
from gateway.core.arguments.display import ClearDisplayMessage, DisplayMessage, GetDisplayMessages
from gateway.core.arguments.energy import (
    AdjustEventStream,
    GetEventStreams,
    NotifyWebPaymentStarted,
    RequestBatterySwap,
    SendAfrrSignal,
    SetAllowedEnergyTransfer,
)
from gateway.core.arguments.maintenance import GetLog, PublishFirmware, UnpublishFirmware, UpdateFirmware
from gateway.core.arguments.monitoring import (
    ClearMonitoring,
    GetMonitoringReport,
    SetMonitoring,
    SetMonitoringBase,
    SetMonitoringLevel,
)
from gateway.core.arguments.network import SetNetworkProfile
from gateway.core.arguments.tariffs import ChangeTransactionTariff, ClearTariffs, GetTariffs, SetDefaultTariff
from gateway.core.arguments.transactions import GetTransactionStatus, Start, Stop, UpdateCost
from gateway.core.arguments.variables import GetReport, GetVariables, SetVariables
from gateway.core.arguments.vendor import DataTransfer
from gateway.core.errors import CommandInvalid
from gateway.core.identity import ChargerId
from gateway.core.wording import told_in_full


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


class Stage(Enum):
    """How far a command has come that every node hears."""

    UNHEARD = "unheard"
    """No node sees to it."""
    HEARD = "heard"
    """A node sees to it, and has not begun."""
    BEGUN = "begun"
    WAITING = "waiting"
    """For its charger; whichever node ends it tells that."""
    ENDED = "ended"


COMMANDS: dict[str, type[Arguments]] = {
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
    # Variables and monitors
    "get_report": GetReport,
    "set_monitoring": SetMonitoring,
    "clear_monitoring": ClearMonitoring,
    "get_monitoring_report": GetMonitoringReport,
    "set_monitoring_base": SetMonitoringBase,
    "set_monitoring_level": SetMonitoringLevel,
    # Firmware and logs
    "update_firmware": UpdateFirmware,
    "publish_firmware": PublishFirmware,
    "unpublish_firmware": UnpublishFirmware,
    "get_log": GetLog,
    # Who may charge where
    "reserve": Reserve,
    "cancel_reservation": CancelReservation,
    "send_local_list": SendLocalList,
    "get_local_list_version": GetLocalListVersion,
    "clear_cache": ClearCache,
    "customer_information": CustomerInformation,
    # Certificates
    "install_certificate": InstallCertificate,
    "delete_certificate": DeleteCertificate,
    "list_certificates": ListCertificates,
    "send_certificate": SendCertificate,
    # The display, and the way to the CSMS
    "display_message": DisplayMessage,
    "get_display_messages": GetDisplayMessages,
    "clear_display_message": ClearDisplayMessage,
    "set_network_profile": SetNetworkProfile,
    # Transactions
    "get_transaction_status": GetTransactionStatus,
    "update_cost": UpdateCost,
    # Charging
    "clear_charging_limit": ClearChargingLimit,
    "pause": Pause,
    "resume": Resume,
    "get_composite_schedule": GetCompositeSchedule,
    "set_charging_profile": SetChargingProfile,
    "clear_charging_profile": ClearChargingProfile,
    "get_charging_profiles": GetChargingProfiles,
    "update_dynamic_schedule": UpdateDynamicSchedule,
    "use_priority_charging": UsePriorityCharging,
    # Energy both ways
    "set_allowed_energy_transfer": SetAllowedEnergyTransfer,
    "send_afrr_signal": SendAfrrSignal,
    "set_der_control": SetDerControl,
    "get_der_control": GetDerControl,
    "clear_der_control": ClearDerControl,
    "request_battery_swap": RequestBatterySwap,
    # Tariffs and payment
    "set_default_tariff": SetDefaultTariff,
    "get_tariffs": GetTariffs,
    "clear_tariffs": ClearTariffs,
    "change_transaction_tariff": ChangeTransactionTariff,
    "notify_web_payment_started": NotifyWebPaymentStarted,
    # Periodic event streams
    "adjust_event_stream": AdjustEventStream,
    "get_event_streams": GetEventStreams,
}
"""Every neutral command and the model of its arguments."""

USUAL_TIMEOUT = 30.0
"""Seconds that a command may take unless told otherwise."""

FOLLOWED_TIMEOUT = 150.0
"""Seconds that a start may take whose transaction is waited for: the driver may have to plug in first."""

MAX_QUEUE_SECONDS = 7 * 86_400.0
"""Seconds that a command may wait for its charger, at most."""

FOLLOWED = "start"
"""The command that can be followed to the transaction it causes."""


def default_timeout(name: str, usual: float = USUAL_TIMEOUT, *, followed: bool = False) -> float:
    """Seconds that a command may take: the usual, or more where a report, an upload or a transaction is waited for."""
    if followed:
        return FOLLOWED_TIMEOUT
    model = COMMANDS.get(name)
    longer = None if model is None else model.default_timeout
    return usual if longer is None else longer


def wants_arguments(name: str) -> bool:
    """Whether a command cannot be given without arguments."""
    try:
        COMMANDS[name]()
    except ValidationError:
        return True
    return False


CALL_PREFIX = "call/"
"""A raw call's command name is `call/{Action}`; its arguments are the OCPP payload."""


@dataclass(slots=True, frozen=True)
class Patience:
    """How long a command may wait for a charger that is offline: until a time (Unix seconds), and from when the charger
    is there it may take `timeout` seconds."""

    until: float
    timeout: float


@dataclass(slots=True)
class Command:
    """One command to one charger.

    `id` is the idempotency key; `deadline` is Unix seconds, after it the command is not sent any more; `arguments`
    are validated (neutral) or OCPP's own (raw). `answered` is called where the charger has answered and only what
    follows from its yes is waited for: the next command may be sent then. It is called on the node it was given on.

    `patience` lets it wait for its charger; without it the charger's absence ends it. A `followed` start ends with the
    transaction that it caused. `reply` is what whoever gave it (`origin`) needs to be told of its end by any node, and
    `asked_at` the node it was given on. One that is `heard_by_all` nodes keeps its place among the others that are:
    where the charger is another node's by now, it goes before what that one heard since.
    """

    id: str
    charger: ChargerId
    name: str
    arguments: dict[str, Any]
    deadline: float
    origin: str = ""
    answered: Callable[[], None] | None = field(default=None, compare=False, repr=False)
    patience: Patience | None = None
    followed: bool = False
    reply: dict[str, str] | None = None
    asked_at: str = ""
    heard_by_all: bool = False

    @property
    def latest(self) -> float:
        """When it will have ended, whatever becomes of it (Unix seconds)."""
        return (
            self.deadline if self.patience is None else max(self.deadline, self.patience.until + self.patience.timeout)
        )

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
    strayed: bool = False
    """Certainly not sent, because the charger was on its way to another connection: the command may follow it there."""

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
        told, problems = told_in_full(error.errors(include_url=False), model)
        raise CommandInvalid(f"{name}: {told}", problems) from error

"""What a charger may draw."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gateway.core.arguments.base import Arguments, EvseId, Moment, OfTransaction

Phases = Annotated[int, Field(ge=1, le=3, description="Phases that may be used")]

Purpose = Literal["charger_max", "tx_default", "tx", "external_constraints", "priority_charging", "local_generation"]

_PURPOSE = "OCPP 1.6: charger_max, tx_default, tx; 2.0.1: and external_constraints; 2.1: all"


class SetChargingLimit(Arguments):
    """Limit what an EVSE, or the whole charger, may draw: in A or in W, until a time or until set anew or cleared.

    Where charging is paused, it stays paused: the limit holds from the resume on.
    """

    current_a: float | None = Field(None, ge=0, le=1e9, description="A per phase; give this or power_w")
    power_w: float | None = Field(None, ge=0, le=1e9, description="W, all phases together")
    evse_id: EvseId = Field(0, description="0 is the whole charger")
    phases: Phases | None = None
    until: Moment | None = Field(None, description="RFC 3339; after it the limit is void")

    @model_validator(mode="after")
    def _in_one_unit(self) -> Self:
        if (self.current_a is None) == (self.power_w is None):
            raise ValueError("give either current_a or power_w")
        return self


class ClearChargingLimit(Arguments):
    """Lift the limit that `set_charging_limit` has set; charging profiles of others stay."""

    evse_id: EvseId = Field(0, description="0 is the limit of the whole charger; those of its EVSEs stay")


class Pause(Arguments):
    """Pause charging on an EVSE; the transaction lives on. It stays paused until `resume`, also for the next EV."""

    transaction_id: str | None = Field(None, description="The gateway's transaction id, or the charger's own")
    evse_id: int | None = Field(
        None,
        ge=1,
        description="EVSE, counted from 1; needed only where several transactions run, or several EVSEs idle",
    )


class Resume(Pause):
    """Go on charging, under the limit that was set by `set_charging_limit`, if any."""


class GetCompositeSchedule(Arguments):
    """What the charger will allow in the time to come, all its charging profiles and limits taken together."""

    evse_id: EvseId = Field(0, description="0 is the whole charger")
    duration_s: int = Field(86400, ge=1, le=2**31 - 1)
    unit: Literal["A", "W"] | None = Field(None, description="None: as the charger likes")


class ClearChargingProfile(Arguments):
    """Remove charging profiles: that of an id, or all that fit. Nothing named: all of them.

    Those of external_constraints stay: they are not of who sets them by `set_charging_profile`.
    """

    profile_id: int | None = Field(None, description="Then nothing else counts")
    evse_id: EvseId | None = Field(None, description="0 is the whole charger")
    purpose: Purpose | None = Field(None, description=_PURPOSE)
    stack_level: int | None = Field(None, ge=0)


class GetChargingProfiles(Arguments):
    """The charging profiles that the charger holds (OCPP 2.x): all of OCPP's own sources, or those that fit."""

    default_timeout: ClassVar[float | None] = 120.0

    profile_ids: list[int] = Field(default_factory=list, description="Then nothing else counts but the evse_id")
    evse_id: EvseId | None = Field(None, description="0 is the whole charger, none: any")
    purpose: Purpose | None = Field(None, description=_PURPOSE)
    stack_level: int | None = Field(None, ge=0)
    sources: list[str] = Field(
        default_factory=list,
        max_length=4,
        description="Who set them: ems, other, so, cso; none: any of these; on OCPP 2.1 also any other",
    )


class UsePriorityCharging(OfTransaction):
    """Let a transaction charge with priority, or cease to (OCPP 2.1): the profile for it must be there."""

    active: bool = True


class UpdateDynamicSchedule(Arguments):
    """New values for a dynamic charging profile (OCPP 2.1), in the unit of its schedule."""

    profile_id: int
    limit: float | None = Field(None, description="For all phases together, or for L1 where others are given beside it")
    limit_l2: float | None = None
    limit_l3: float | None = None
    discharge_limit: float | None = Field(None, le=0)
    discharge_limit_l2: float | None = Field(None, le=0)
    discharge_limit_l3: float | None = Field(None, le=0)
    setpoint: float | None = Field(None, description="Negative: discharge")
    setpoint_l2: float | None = None
    setpoint_l3: float | None = None
    setpoint_reactive: float | None = Field(None, description="Positive: inductive, negative: capacitive")
    setpoint_reactive_l2: float | None = None
    setpoint_reactive_l3: float | None = None

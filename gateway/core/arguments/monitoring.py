"""What a charger watches by itself and tells of (OCPP 2.x)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, ConnectorId, EvseId
from gateway.core.arguments.variables import ComponentRef

Severity = Annotated[
    int, Field(ge=0, le=9, description="0 danger, 1 hardware failure, ... 4 error, ... 6 warning, ... 9 debug")
]


class EventStream(Arguments):
    """How values are sent as a stream (OCPP 2.1)."""

    interval_s: int | None = Field(None, ge=0, description="Seconds after which what was gathered is sent")
    values: int | None = Field(None, ge=0, description="Values after which what was gathered is sent")


class Monitor(Arguments):
    """One monitor of a variable."""

    component: str = Field(min_length=1, max_length=50)
    variable: str = Field(min_length=1, max_length=50)
    component_instance: str | None = Field(None, max_length=50)
    variable_instance: str | None = Field(None, max_length=50)
    evse_id: EvseId | None = None
    connector_id: ConnectorId | None = None
    type: Literal[
        "upper_threshold",
        "lower_threshold",
        "delta",
        "periodic",
        "periodic_clock_aligned",
        "target_delta",
        "target_delta_relative",
    ] = Field(description="What is told; the last two are of OCPP 2.1")
    value: float = Field(description="Threshold or difference in the variable's own unit, or seconds for the periodic")
    severity: Severity
    id: int | None = Field(None, ge=0, lt=1 << 31, description="Replace this monitor; a new one if absent")
    transaction: bool = Field(False, description="Watch during transactions only")
    event_stream: EventStream | None = Field(None, description="OCPP 2.1: send as a stream")


class SetMonitoring(Arguments):
    """Set monitors of variables."""

    monitors: list[Monitor] = Field(min_length=1)


class ClearMonitoring(Arguments):
    """Remove monitors."""

    ids: list[int] = Field(min_length=1)


class GetMonitoringReport(Arguments):
    """Which monitors there are: all, or those of some kinds, or of some components and variables."""

    default_timeout: ClassVar[float | None] = 120.0

    criteria: list[Literal["threshold", "delta", "periodic"]] = Field(default_factory=list, max_length=3)
    variables: list[ComponentRef] = Field(default_factory=list)


class SetMonitoringBase(Arguments):
    """Begin anew: with all monitors that come with the charger, those of the factory, or the built-in ones only."""

    base: Literal["all", "factory_default", "hard_wired_only"]


class SetMonitoringLevel(Arguments):
    """Be told of what is at least this severe."""

    severity: Severity

"""The charger as a device: locks, restarts, availability, triggers."""

from typing import Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, ConnectorId, EvseId


class Unlock(Arguments):
    """Unlock a connector's cable."""

    evse_id: EvseId = 1
    connector_id: ConnectorId = 1


class Reset(Arguments):
    """Restart the charger: at once, or on_idle when no transaction runs."""

    type: Literal["immediate", "on_idle", "immediate_and_resume"] = Field(
        "on_idle",
        description="OCPP 1.6: immediate is Hard, on_idle is Soft. OCPP 2.1: immediate_and_resume goes on charging",
    )
    evse_id: EvseId | None = Field(None, description="OCPP 2.x: only this EVSE")


class SetAvailability(Arguments):
    """Take the charger, an EVSE or a connector into or out of service."""

    available: bool
    evse_id: EvseId = Field(0, description="0 is the whole charger")
    connector_id: ConnectorId | None = None


class Trigger(Arguments):
    """Ask the charger to send a message now."""

    message: str = Field(
        min_length=1,
        description="OCPP's MessageTrigger, e.g. StatusNotification, MeterValues, BootNotification, Heartbeat",
    )
    custom: str | None = Field(
        None, min_length=1, max_length=50, description="OCPP 2.1: the vendor's name of a CustomTrigger"
    )
    evse_id: EvseId | None = None
    connector_id: ConnectorId | None = None

"""Energy both ways, battery swap and event streams: what OCPP 2.1 added beside tariffs and DER controls."""

from typing import Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, EvseId, Moment, OfTransaction, TokenId, TokenType

EnergyTransfer = Literal[
    "ac_single_phase",
    "ac_two_phase",
    "ac_three_phase",
    "dc",
    "ac_bpt",
    "ac_bpt_der",
    "ac_der",
    "dc_bpt",
    "dc_acdp",
    "dc_acdp_bpt",
    "wpt",
]


class SetAllowedEnergyTransfer(OfTransaction):
    """Say which ways of energy transfer a transaction may use (OCPP 2.1)."""

    energy_transfers: list[EnergyTransfer] = Field(min_length=1, description="bpt: both directions, wpt: wireless")


class SendAfrrSignal(Arguments):
    """Hand on a signal of the grid operator for frequency restoration (aFRR, OCPP 2.1)."""

    signal: int = Field(description="A value of the charging profile's v2x_signal_curve")
    at: Moment | None = Field(None, description="RFC 3339; when the signal becomes active, none: now")


class RequestBatterySwap(Arguments):
    """Let a driver swap a battery, as if the token had been presented (OCPP 2.1)."""

    token: TokenId
    token_type: TokenType = Field("Central")
    request_id: int | None = Field(None, description="Comes back with the swap's events; made by the gateway if absent")


class AdjustEventStream(Arguments):
    """Change how often a periodic event stream sends its values (OCPP 2.1); what is left out stays."""

    stream_id: int = Field(ge=0)
    interval_s: int | None = Field(None, ge=0, description="Seconds after which what was collected is sent")
    values: int | None = Field(None, ge=0, description="Number of values after which they are sent")


class GetEventStreams(Arguments):
    """The periodic event streams that are open (OCPP 2.1)."""


class NotifyWebPaymentStarted(Arguments):
    """Tell the charger that somebody pays on the web for one of its EVSEs, so that it shows it (OCPP 2.1)."""

    evse_id: EvseId = 1
    timeout_s: int = Field(300, ge=0, le=2**31 - 1, description="After it no payment is expected any more")

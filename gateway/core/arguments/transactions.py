"""Starting and stopping transactions, and what is said of one that runs."""

from pydantic import Field

from gateway.core.arguments.base import Arguments, EvseId, OfTransaction
from gateway.core.arguments.charging_profiles import Profile


class Start(Arguments):
    """Start a transaction, as if the token had been presented."""

    token: str = Field(min_length=1, max_length=255, description="Id token to charge with")
    token_type: str = Field("Central", description="OCPP 2.x id token type; OCPP 1.6 knows none")
    evse_id: EvseId | None = None
    remote_start_id: int | None = Field(None, description="OCPP 2.x remoteStartId; made by the gateway if absent")
    group: str | None = Field(None, min_length=1, max_length=255, description="OCPP 2.x: the token's group")
    profile: Profile | None = Field(
        None, description="Charging profile of purpose tx for the transaction that begins; it names no transaction"
    )
    when_plugged: bool = Field(
        False,
        description="Where no EV is plugged in, or none comes before the charger lets the start lapse, start again "
        "once one is, until a transaction begins there, a stop comes, or another start",
    )
    if_needed: bool = Field(
        False,
        description="See to it that the EVSE charges: where charging is paused by command, it is resumed, and where a "
        "transaction runs already, no other is asked for",
    )


class Stop(OfTransaction):
    """Stop a transaction: by its id, by its EVSE, or the only one that runs."""

    if_needed: bool = Field(False, description="Where nothing runs that could be stopped, that will do: accepted")


class GetTransactionStatus(Arguments):
    """Ask whether a transaction runs, and whether messages of it still wait to be sent (OCPP 2.x)."""

    transaction_id: str | None = Field(
        None, description="The gateway's transaction id, or the charger's own; none: are there messages of any?"
    )


class UpdateCost(OfTransaction):
    """Tell the driver what the transaction costs so far (OCPP 2.x)."""

    total_cost: float = Field(ge=0, description="In the charger's currency, taxes included")

"""Starting and stopping transactions."""

from pydantic import Field

from gateway.core.arguments.base import Arguments, EvseId


class Start(Arguments):
    """Start a transaction, as if the token had been presented."""

    token: str = Field(min_length=1, max_length=255, description="Id token to charge with")
    token_type: str = Field("Central", description="OCPP 2.x id token type; OCPP 1.6 knows none")
    evse_id: EvseId | None = None
    remote_start_id: int | None = Field(None, description="OCPP 2.x remoteStartId; made by the gateway if absent")


class Stop(Arguments):
    """Stop a transaction: by its id, by its EVSE, or the only one that runs."""

    transaction_id: str | None = Field(None, description="The gateway's transaction id, or the charger's own")
    evse_id: EvseId | None = None

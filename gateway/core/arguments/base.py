"""What all commands' arguments share."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Arguments(BaseModel):
    """Base of all commands' arguments. `default_timeout` is how many seconds the command may take unless told."""

    model_config = ConfigDict(extra="forbid")

    default_timeout: ClassVar[float] = 30.0


EvseId = Annotated[int, Field(ge=0, description="EVSE, counted from 1; on OCPP 1.6 the connector's number")]
ConnectorId = Annotated[int, Field(ge=0, description="Connector of the EVSE, counted from 1")]

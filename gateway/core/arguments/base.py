"""What all commands' arguments share."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Arguments(BaseModel):
    """Base of all commands' arguments.

    `default_timeout` is how many seconds the command may take unless told otherwise, where that is more than usual:
    because a report or an upload is waited for.
    """

    model_config = ConfigDict(extra="forbid")

    default_timeout: ClassVar[float | None] = None


EvseId = Annotated[int, Field(ge=0, description="EVSE, counted from 1; on OCPP 1.6 the connector's number")]
ConnectorId = Annotated[int, Field(ge=0, description="Connector of the EVSE, counted from 1")]

"""What all commands' arguments share."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.core.wording import URL_PATTERN


class Arguments(BaseModel):
    """Base of all commands' arguments.

    `default_timeout` is how many seconds the command may take unless told otherwise, where that is more than usual:
    because a report or an upload is waited for.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    default_timeout: ClassVar[float | None] = None


EvseId = Annotated[int, Field(ge=0, description="EVSE, counted from 1; on OCPP 1.6 the connector's number")]
ConnectorId = Annotated[int, Field(ge=0, description="Connector of the EVSE, counted from 1")]

TokenId = Annotated[
    str, Field(min_length=1, max_length=255, description="Id token; OCPP 1.6 allows 20 characters, 2.0.1 36")
]
TokenType = Annotated[str, Field(min_length=1, description="OCPP 2.x id token type; OCPP 1.6 knows none")]

Url = Annotated[str, Field(min_length=1, max_length=2000, pattern=URL_PATTERN)]


def _a_moment(text: str) -> str:
    moment: datetime | None
    try:
        moment = datetime.fromisoformat(text.strip().upper())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"must be an RFC 3339 time with a zone, such as 2036-11-21T18:00:00Z, not {text!r}")
    return text


Moment = Annotated[str, AfterValidator(_a_moment), Field(json_schema_extra={"format": "date-time"})]
"""A time with its zone, as text."""

Secret = Annotated[str, Field(json_schema_extra={"format": "password", "writeOnly": True})]
"""What is handed to the charger and shown to nobody else."""


class OfTransaction(Arguments):
    """Base of what concerns one transaction: by its id, by its EVSE, or the only one that runs."""

    transaction_id: str | None = Field(None, description="The gateway's transaction id, or the charger's own")
    evse_id: EvseId | None = None

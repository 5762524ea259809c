"""Who may charge where: reservations, the charger's own list of tokens, and what it keeps of its customers."""

from typing import ClassVar, Literal

from pydantic import Field

from gateway.core.arguments.base import Arguments, EvseId, Moment, TokenId, TokenType
from gateway.core.arguments.certificates import CertificateHash


class Reserve(Arguments):
    """Keep an EVSE, or any one of the charger's, for a token until a time."""

    token: TokenId
    token_type: TokenType = Field("ISO14443")
    until: Moment = Field(description="RFC 3339; then the reservation is void")
    evse_id: EvseId | None = Field(None, description="None, or 0: whichever is free")
    reservation_id: int | None = Field(
        None, ge=0, lt=1 << 31, description="Given by the gateway if absent; one that is known is replaced"
    )
    connector_type: str | None = Field(
        None, min_length=1, max_length=20, description="OCPP 2.x: ConnectorEnumType in its own spelling, e.g. cCCS2"
    )
    group: TokenId | None = Field(None, description="Group (parent) token: its members may use the reservation too")


class CancelReservation(Arguments):
    """Cancel a reservation."""

    reservation_id: int = Field(ge=0, lt=1 << 31)


class ListedToken(Arguments):
    """One token of a charger's list, as it is answered while the gateway cannot be asked.

    What is given from `evse_ids` on is for OCPP 2.x and is left out for 1.6.
    """

    token: TokenId
    token_type: TokenType = Field("ISO14443")
    remove: bool = Field(False, description="Take it off the list; in a differential update only")
    status: Literal[
        "accepted",
        "blocked",
        "expired",
        "invalid",
        "concurrent_tx",
        "no_credit",
        "not_allowed_type_evse",
        "not_at_this_location",
        "not_at_this_time",
        "unknown",
    ] = Field("accepted", description="OCPP 1.6 knows the first five, the others are invalid there")
    expires_at: Moment | None = Field(None, description="RFC 3339")
    group: TokenId | None = Field(None, description="Group (parent) token: its members may stop each other")
    evse_ids: list[int] = Field(default_factory=list, description="The only EVSEs it may charge at; none: all")
    charging_priority: int | None = Field(None, ge=-9, le=9)
    language: str | None = Field(None, max_length=8, description="RFC 5646, e.g. de")
    personal_message: str | None = Field(None, max_length=512, description="Text for the charger's display")


class SendLocalList(Arguments):
    """Send the charger its list of tokens: the full list, or what is different since its last version."""

    version: int = Field(
        ge=1,
        lt=1 << 31,
        description="Version of the list after the update. A list that the charger takes only in parts has a version "
        "for each; where there is no room below this one, the last is higher: the result's version tells it",
    )
    update: Literal["full", "differential"] = "full"
    tokens: list[ListedToken] = Field(default_factory=list, description="A full list without tokens empties it")


class GetLocalListVersion(Arguments):
    """Which version of its list of tokens the charger has; 0 where it has none."""


class ClearCache(Arguments):
    """Let the charger forget the tokens that it was told of."""


class CustomerInformation(Arguments):
    """Ask what the charger keeps of a customer, or let it forget that (OCPP 2.x); name the customer in one way."""

    default_timeout: ClassVar[float | None] = 60.0

    report: bool = Field(True, description="Tell what is kept")
    clear: bool = Field(False, description="Delete what is kept, after the report where one is wanted")
    token: TokenId | None = None
    token_type: TokenType = Field("ISO14443")
    customer_identifier: str | None = Field(
        None, min_length=1, max_length=64, description="A word that the vendor knows the customer by"
    )
    customer_certificate: CertificateHash | None = None

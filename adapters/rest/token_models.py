"""What the token list holds, as it comes in and goes out."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from adapters.rest.models import Page, Resource
from gateway.core.answers import AuthorizationStatus
from gateway.core.clock import instant, rfc3339
from gateway.core.ports import IdToken

LIST_STANDS = (
    "there is a list of id tokens: unless [answers] authorize says otherwise, a token that is not on it may not charge"
)

MAX_ID_LENGTH = 255
"""The longest id token of any OCPP version (2.1)."""

EXAMPLE: dict[str, Any] = {
    "id": "04A2B3C4D5E6F7",
    "status": "accepted",
    "type": None,
    "expires_at": "2036-12-31T23:00:00.000Z",
    "group": "FLEET-7",
    "chargers": ["DEPOT-*"],
    "note": "van 12",
}


def printable(text: str) -> str:
    """An AfterValidator."""
    if not text.isprintable() or text != text.strip():
        raise ValueError("it has a control character in it, or a space at an end")
    return text


def _moment(text: str) -> str:
    """RFC 3339 in UTC."""
    upper = text.upper()
    try:
        # A time without a zone would be taken for UTC, which is seldom what is meant.
        if "T" in upper and ("Z" in upper or "+" in upper or upper.rfind("-") > upper.index("T")):
            return rfc3339(instant(upper))
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError("not an RFC 3339 time with a zone, such as 2027-12-31T23:00:00Z")


def _pattern(text: str) -> str:
    if not text.isprintable() or any(char.isspace() or char == ";" for char in text):
        raise ValueError("a pattern of charger ids has no space, no ; and no control character; ? stands for one")
    return text


Printable = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH), AfterValidator(printable)]
Pattern = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH), AfterValidator(_pattern)]


class TokenEntry(BaseModel):
    """What the list says of a token: whether it may charge, until when, and where."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {key: EXAMPLE[key] for key in EXAMPLE if key != "id"}}
    )

    status: AuthorizationStatus = Field("accepted", description="What a charger is told of it")
    type: Printable | None = Field(None, description="OCPP 2.x's token type, such as ISO14443; null: any")
    expires_at: Annotated[str, AfterValidator(_moment)] | None = Field(
        None, description="RFC 3339 with a zone; after it the token is `expired`"
    )
    group: Printable | None = Field(None, description="Its group: tokens of one group may stop each other")
    chargers: list[Pattern] = Field(
        default_factory=list,
        max_length=1000,
        description="The only chargers where it counts: ids or patterns (`*` any text, `?` one character); none: all",
    )
    note: str | None = Field(None, max_length=1000, description="For people; the gateway makes nothing of it")

    def entry(self, token_id: str) -> IdToken:
        """The entry as it is stored."""
        return IdToken(
            id=token_id,
            status=self.status,
            type=self.type,
            expires_at=self.expires_at,
            group=self.group,
            chargers=tuple(self.chargers),
            note=self.note,
        )


class ListedToken(Resource):
    """A token of the list."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": EXAMPLE})

    id: str = Field(description="As it was stored; compared without case")
    status: str
    type: str | None
    expires_at: str | None = Field(description="RFC 3339")
    group: str | None
    chargers: list[str]
    note: str | None

    @classmethod
    def of(cls, token: IdToken) -> Self:
        return cls(
            id=token.id,
            status=token.status,
            type=token.type,
            expires_at=token.expires_at,
            group=token.group,
            chargers=list(token.chargers),
            note=token.note,
        )


class ListedTokens(Page):
    """One page of the token list, in the order of the ids."""

    items: list[ListedToken]


class Imported(Resource):
    """What an import did."""

    imported: int = Field(description="Tokens that were added, or replaced those of the same id", examples=[10000])
    policy: str | None = Field(
        description="What it means for tokens that are not on the list; null where none was imported",
        examples=[LIST_STANDS],
    )

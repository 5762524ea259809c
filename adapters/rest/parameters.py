"""Parameters that several routes share."""

from collections.abc import Awaitable
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import AfterValidator

from adapters.rest.problems import INVALID, HttpProblem
from gateway.core.errors import NotFound
from gateway.core.identity import MAX_IDENTITY_LENGTH, ChargerId, percent_decode
from gateway.core.ports import Page


def _identity(segment: str) -> str:
    identity = percent_decode(segment)
    if len(identity) > MAX_IDENTITY_LENGTH:
        raise ValueError(f"a charger id has at most {MAX_IDENTITY_LENGTH} characters")
    return identity


async def _charger(
    charger_id: Annotated[
        str,
        Path(description="The charger's identity, percent-encoded (`/` is `%2F`)", examples=["CP-1"]),
        AfterValidator(_identity),
    ],
) -> ChargerId:
    return ChargerId(charger_id)


PathCharger = Annotated[ChargerId, Depends(_charger)]
"""The charger that the path names by `{charger_id}`."""

PathText = Annotated[str, Path(), AfterValidator(percent_decode)]
"""Any other text in the path."""

After = Annotated[str | None, Query(description="Cursor: `next` of the page before", max_length=1024)]
Limit = Annotated[int, Query(description="Items per page", ge=1, le=1000)]


async def page_of(listing: Awaitable[Page]) -> Page:
    """The page; a cursor that leads nowhere is the client's mistake. Raises HttpProblem (422)."""
    try:
        return await listing
    except NotFound as error:
        raise HttpProblem(INVALID, f"{error}; pass `next` as it was given, or begin again without `after`.") from error

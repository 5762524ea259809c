"""Parameters that several routes share."""

from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import AfterValidator

from gateway.core.identity import MAX_IDENTITY_LENGTH, ChargerId, percent_decode


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

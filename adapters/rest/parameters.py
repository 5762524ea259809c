"""Parameters that several routes share."""

from collections.abc import Awaitable, Iterator
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.dependencies.models import Dependant
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


async def only_known_parameters(request: Request) -> None:
    """Refuse what the route would ignore. Raises HttpProblem (422) naming it, and what there is."""
    route = request.scope["route"]
    known = sorted(dict.fromkeys(_names(route.dependant)))
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if not unknown:
        return
    listed = ", ".join(repr(name) for name in unknown)
    told = f"known are {', '.join(known)}" if known else "this path takes none"
    detail = f"Unknown query parameter{'s' if len(unknown) > 1 else ''} {listed}; {told}."
    errors = [{"location": f"query.{name}", "message": f"unknown; {told}"} for name in unknown]
    raise HttpProblem(INVALID, detail, errors=errors)


def _names(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        yield field.alias
    for inner in dependant.dependencies:
        yield from _names(inner)


async def page_of(listing: Awaitable[Page]) -> Page:
    """The page; a cursor that leads nowhere is the client's mistake. Raises HttpProblem (422)."""
    try:
        return await listing
    except NotFound as error:
        raise HttpProblem(INVALID, f"{error}; pass `next` as it was given, or begin again without `after`.") from error

"""/v1/tokens: the id-token list, which the policy `tokens` decides by."""

import asyncio
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Request, Response
from pydantic import AfterValidator

from adapters.rest import problems
from adapters.rest.parameters import After, Limit, page_of
from adapters.rest.problems import HttpProblem, documented
from adapters.rest.responses import answer, no_content
from adapters.rest.security import key_of, needs
from adapters.rest.services import Here, Services
from adapters.rest.token_csv import CsvInvalid, read_tokens, write_tokens
from adapters.rest.token_models import (
    LIST_STANDS,
    MAX_ID_LENGTH,
    Imported,
    ListedToken,
    ListedTokens,
    TokenEntry,
    printable,
)
from gateway.core.identity import percent_decode
from gateway.core.ports import IdToken

log = structlog.get_logger(__name__)

CSV = "text/csv"
_PAGE = 1000
_CSV_EXAMPLE = "id,status,expires_at,chargers,note\n04A2B3C4D5E6F7,accepted,2036-12-31T23:00:00Z,DEPOT-*,van 12\n"
_CSV_CONTENT = {CSV: {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}}


def _token_id(segment: str) -> str:
    token_id = printable(percent_decode(segment))
    if not 1 <= len(token_id) <= MAX_ID_LENGTH:
        raise ValueError(f"an id token has 1 to {MAX_ID_LENGTH} characters")
    return token_id


PathToken = Annotated[
    str,
    Path(description="The token's id, percent-encoded, in upper or lower case", examples=["04A2B3C4D5E6F7"]),
    AfterValidator(_token_id),
]


def router() -> APIRouter:
    """The routes of this file. All are for admins: who can read a token can copy it."""
    routes = APIRouter(prefix="/tokens", tags=["id tokens"], dependencies=[needs("admin")], responses=documented(422))
    add = routes.add_api_route
    listed: dict[int | str, dict[str, Any]] = {200: {"content": _CSV_CONTENT}}
    add("", list_tokens, response_model=ListedTokens, responses=listed)
    add(
        "/import",
        import_tokens,
        methods=["POST"],
        response_model=Imported,
        responses=documented(413, 415),
        openapi_extra={"requestBody": {"required": True, "content": _CSV_CONTENT}},
    )
    add("/{token_id}", get_token, response_model=ListedToken, responses=documented(404))
    add("/{token_id}", put_token, methods=["PUT"], response_model=ListedToken)
    add(
        "/{token_id}",
        delete_token,
        methods=["DELETE"],
        status_code=204,
        response_class=Response,
        responses=documented(404),
    )
    return routes


async def list_tokens(services: Here, request: Request, after: After = None, limit: Limit = 100) -> Response:
    """The id-token list, in pages; whole, as a file for the import, where `Accept` is `text/csv`."""
    if request.headers.get("accept", "").partition(";")[0].strip().lower() == CSV:
        return Response(write_tokens(await _all(services)), media_type=CSV)
    page = await page_of(services.gateway.tokens.list(after=after, limit=limit))
    return answer({"items": [_public(token) for token in page.items], "next": page.next})


async def get_token(services: Here, token_id: PathToken) -> Response:
    """One token of the list."""
    token = await services.gateway.tokens.find(token_id)
    if token is None:
        raise _unknown()
    return answer(_public(token))


async def put_token(services: Here, token_id: PathToken, body: TokenEntry, request: Request) -> Response:
    """Add a token to the list, or replace what the list says of it.

    With the first token there is a list: from then on a gateway whose policies were never configured accepts no
    token that is not on it.
    """
    token = body.entry(token_id)
    await services.gateway.tokens.put([token])
    log.info("id token stored", status=token.status, key=key_of(request).id)
    return answer(_public(token))


async def delete_token(services: Here, token_id: PathToken, request: Request) -> Response:
    """Take a token off the list. A list without a token is a list still: then no token may charge."""
    if not await services.gateway.tokens.remove(token_id):
        raise _unknown()
    log.info("id token removed", key=key_of(request).id)
    return no_content()


async def import_tokens(services: Here, request: Request) -> Response:
    """Add the tokens of a CSV file, or replace those of the same id; all of them, or none where a line is wrong.

    The first line names the columns, in any order: `id`, and as need be `status` (accepted), `type`, `expires_at`,
    `group`, `chargers` (ids or patterns, divided by spaces or `;`), `note`. UTF-8, divided by commas, semicolons or
    tabs. What the file does not name stays on the list. After a 503 import the file again.

    With the first token there is a list: from then on a gateway whose policies were never configured accepts no
    token that is not on it; `policy` in the answer says so.
    """
    data = await request.body()
    try:
        # In a thread: ten thousand lines take a good part of a second, in which no charger would be answered.
        tokens = await asyncio.to_thread(read_tokens, data)
    except CsvInvalid as error:
        raise HttpProblem(problems.INVALID, str(error), errors=error.problems) from error
    await services.gateway.tokens.put(tokens)
    log.info("id tokens imported", count=len(tokens), key=key_of(request).id)
    return answer({"imported": len(tokens), "policy": LIST_STANDS if tokens else None})


async def _all(services: Services) -> list[IdToken]:
    tokens: list[IdToken] = []
    after: str | None = None
    while True:
        page = await services.gateway.tokens.list(after=after, limit=_PAGE)
        tokens += page.items
        after = page.next
        if after is None:
            return tokens


def _public(token: IdToken) -> dict[str, Any]:
    return ListedToken.of(token).model_dump()


def _unknown() -> HttpProblem:
    return HttpProblem(problems.NOT_FOUND, "This id token is not on the list (GET /v1/tokens lists all).")

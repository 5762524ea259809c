"""/v1/transactions: charging transactions, running and ended."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime

from adapters.rest import models, problems
from adapters.rest.ocpi import view
from adapters.rest.parameters import After, Limit, PathText, page_of
from adapters.rest.problems import HttpProblem, documented
from adapters.rest.responses import answer
from adapters.rest.security import needs
from adapters.rest.services import Here, Services
from adapters.rest.transaction_views import as_csv
from gateway.core.errors import NotFound
from gateway.core.identity import ChargerId
from gateway.core.transaction import public
from gateway.core.transaction_query import TransactionQuery

CSV = "text/csv"

Form = Annotated[
    Literal["record", "ocpi"],
    Query(alias="format", description="ocpi: OCPI 2.2.1, a CDR once it has ended, a Session while it runs"),
]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this is no time in UTC") from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(
        prefix="/transactions", tags=["transactions"], dependencies=[needs("read")], responses=documented(422)
    )
    as_text: dict[int | str, dict[str, Any]] = {
        200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "One page, as JSON or as CSV"}
    }
    routes.add_api_route("", list_transactions, response_model=models.Transactions, responses=as_text)
    routes.add_api_route(
        "/{transaction_id}", get_transaction, response_model=models.WholeTransaction, responses=documented(404)
    )
    return routes


async def _query(
    charger_id: Annotated[str | None, Query(description="Only this charger's", min_length=1)] = None,
    token: Annotated[str | None, Query(description="Only those where this token was presented", min_length=1)] = None,
    status: Annotated[Literal["active", "ended"] | None, Query(description="Running or ended")] = None,
    suspect: Annotated[bool | None, Query(description="Only those that a human should look at, or the others")] = None,
    command_id: Annotated[
        str | None,
        Query(description="Only the one that this remote start has caused: the command's `id`", min_length=1),
    ] = None,
    started_from: Annotated[Moment | None, Query(description="Begun at this time or later")] = None,
    started_until: Annotated[Moment | None, Query(description="Begun before this time")] = None,
) -> TransactionQuery:
    return TransactionQuery(
        charger=None if charger_id is None else ChargerId(charger_id),
        token=token,
        status=status,
        suspect=suspect,
        command_id=command_id,
        started_from=_utc(started_from),
        started_until=_utc(started_until),
    )


def _utc(moment: datetime | None) -> str | None:
    """As records have it: UTC with milliseconds."""
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def list_transactions(
    services: Here,
    request: Request,
    query: Annotated[TransactionQuery, Depends(_query)],
    updated_since: Annotated[
        Moment | None,
        Query(
            description="Begin with what began, ended or was corrected then, the oldest change first. `cursor` of the "
            "answer goes on from there, also when there was nothing more: poll with it as `after`"
        ),
    ] = None,
    after: After = None,
    limit: Limit = 100,
    form: Form = "record",
) -> Response:
    """Transactions, the latest begun, ended or corrected first; as CSV where `Accept` asks for text/csv.

    In CSV a text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a line
    break, and is no number) has a `'` before it.
    """
    if updated_since is None:
        page = await page_of(services.gateway.state.transactions(query, after=after, limit=limit))
        records, following, cursor = page.items, page.next, None
    else:
        records, following, cursor = await _changes(services, query, updated_since, after, limit)
    if CSV in request.headers.get("accept", ""):
        headers = (
            {} if following is None else {"Link": f'<{request.url.include_query_params(after=following)}>; rel="next"'}
        )
        return Response(as_csv(records), headers=headers, media_type=CSV)
    items = [_shown(services, record, form) for record in records]
    return answer({"items": items, "next": following} | ({} if cursor is None else {"cursor": cursor}))


async def _changes(
    services: Services, query: TransactionQuery, since: datetime, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None, str]:
    try:
        page = await services.gateway.state.changed_transactions(
            query, since=since.timestamp(), after=after, limit=limit
        )
    except NotFound as error:
        detail = f"{error}; pass `cursor` as it was given, or begin again without `after`."
        raise HttpProblem(problems.INVALID, detail) from error
    return page.items, page.cursor if page.more else None, page.cursor


async def get_transaction(services: Here, transaction_id: PathText, form: Form = "record") -> Response:
    """One transaction, by the gateway's id, with all its samples."""
    state = services.gateway.state
    record = await state.transaction(transaction_id)
    if record is None:
        detail = f"No transaction {transaction_id!r}; `id` is the gateway's own, not the charger's."
        raise HttpProblem(problems.NOT_FOUND, detail)
    shown = _shown(services, record, form)
    if form == "record":
        shown["samples"] = await state.samples(transaction_id)
    return answer(shown)


def _shown(services: Services, record: dict[str, Any], form: str) -> dict[str, Any]:
    return view(record, services.config) if form == "ocpi" else public(record)

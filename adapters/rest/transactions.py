"""/v1/transactions: charging transactions, running and ended."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from adapters.rest import models, problems
from adapters.rest.parameters import After, Limit, PathText, page_of
from adapters.rest.problems import HttpProblem, documented
from adapters.rest.responses import answer
from adapters.rest.security import needs
from adapters.rest.services import Here
from gateway.core.identity import ChargerId

_BOOKKEEPING = frozenset({"start_key", "register", "seen", "started", "pending_since"})
"""Fields of a record that are the twin's own notes and no part of the API."""


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(
        prefix="/transactions", tags=["transactions"], dependencies=[needs("read")], responses=documented(422)
    )
    routes.add_api_route("", list_transactions, response_model=models.Transactions)
    routes.add_api_route(
        "/{transaction_id}", get_transaction, response_model=models.Transaction, responses=documented(404)
    )
    return routes


async def list_transactions(
    services: Here,
    charger_id: Annotated[str | None, Query(description="Only this charger's", min_length=1)] = None,
    after: After = None,
    limit: Limit = 100,
) -> Response:
    """Transactions, the latest begun, ended or corrected first."""
    charger = None if charger_id is None else ChargerId(charger_id)
    page = await page_of(services.gateway.state.transactions(charger=charger, after=after, limit=limit))
    return answer({"items": [_public(record) for record in page.items], "next": page.next})


async def get_transaction(services: Here, transaction_id: PathText) -> Response:
    """One transaction, by the gateway's id."""
    record = await services.gateway.state.transaction(transaction_id)
    if record is None:
        detail = f"No transaction {transaction_id!r}; `id` is the gateway's own, not the charger's."
        raise HttpProblem(problems.NOT_FOUND, detail)
    return answer(_public(record))


def _public(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in _BOOKKEEPING}

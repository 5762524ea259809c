"""/v1/nodes and /v1/dead-letters: the gateway's own processes, and what they could not deliver."""

from typing import Any

import orjson
import structlog
from fastapi import APIRouter, Request, Response

from adapters.rest import models
from adapters.rest.parameters import After, Limit, PathText, page_of
from adapters.rest.problems import documented
from adapters.rest.responses import answer, no_content
from adapters.rest.security import key_of, needs
from adapters.rest.services import Here
from gateway.core.clock import rfc3339
from gateway.core.ports import DeadLetter

log = structlog.get_logger(__name__)


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(tags=["fleet"])
    routes.add_api_route("/nodes", list_nodes, dependencies=[needs("read")], response_model=models.Nodes)
    routes.add_api_route(
        "/dead-letters",
        list_dead_letters,
        dependencies=[needs("read")],
        response_model=models.DeadLetters,
        responses=documented(422),
    )
    routes.add_api_route(
        "/dead-letters/{letter_id}",
        delete_dead_letter,
        methods=["DELETE"],
        dependencies=[needs("admin")],
        status_code=204,
        response_class=Response,
        responses=documented(404, 422),
    )
    return routes


async def list_nodes(services: Here) -> Response:
    """The gateway's processes that are alive."""
    nodes = await services.gateway.state.nodes()
    items = [
        {"id": node.node, "started_at": rfc3339(node.started_at), "chargers": node.chargers, "version": node.version}
        for node in nodes
    ]
    return answer({"items": items, "next": None})


async def list_dead_letters(services: Here, after: After = None, limit: Limit = 100) -> Response:
    """Events that could never be delivered, and why."""
    page = await page_of(services.gateway.state.dead_letters(after=after, limit=limit))
    return answer({"items": [_letter(letter) for letter in page.items], "next": page.next})


async def delete_dead_letter(services: Here, letter_id: PathText, request: Request) -> Response:
    """Throw a dead letter away."""
    await services.gateway.state.remove_dead_letter(letter_id)
    log.info("dead letter removed", letter=letter_id, key=key_of(request).id)
    return no_content()


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "reader": letter.reader,
        "reason": letter.reason,
        "parked_at": rfc3339(letter.parked_at),
        "charger_id": letter.entry.charger.identity,
        "event": orjson.Fragment(letter.entry.body),
    }

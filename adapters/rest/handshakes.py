"""/v1/handshakes: chargers that this node did not let in lately, and why."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from adapters.rest.models import Page, Resource
from adapters.rest.responses import answer
from adapters.rest.security import needs
from adapters.rest.services import Here
from gateway.core.clock import rfc3339
from gateway.core.refusals import ADVICE, Refusal


class RefusedHandshake(Resource):
    """Why a charger was refused; repeats of one count as one."""

    charger_id: str | None = Field(description="Null where it did not come to say who it is")
    address: str = Field(description="Address that it came from; that of a load balancer where there is one")
    cause: str = Field(
        description="no_charger_id bad_charger_id not_websocket not_http plain_port tls_failed too_slow no_password "
        "wrong_user wrong_password wrong_certificate no_subprotocol unknown_subprotocol broken_handshake unavailable "
        "boot_rejected"
    )
    reason: str = Field(description="What was wrong, in words")
    advice: str = Field(description="What to do about it")
    path: str | None = Field(description="Path that it asked for, without its query")
    count: int
    first_at: str = Field(description="RFC 3339")
    last_at: str = Field(description="RFC 3339")


class RefusedHandshakes(Page):
    """The refusals, the latest first."""

    items: list[RefusedHandshake]


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(tags=["fleet"])
    routes.add_api_route(
        "/handshakes",
        list_refused_handshakes,
        dependencies=[needs("read")],
        response_model=RefusedHandshakes,
    )
    return routes


async def list_refused_handshakes(services: Here) -> Response:
    """Chargers that could not connect to the node which answers this, the latest first.

    What kept a charger out is forgotten once it connects; chargers that were told to wait for their turn are not shown.
    """
    return answer({"items": [_told(refusal) for refusal in services.gateway.refusals.latest()], "next": None})


def _told(refusal: Refusal) -> dict[str, Any]:
    return {
        "charger_id": refusal.charger_id,
        "address": refusal.address,
        "cause": refusal.cause,
        "reason": refusal.reason,
        "advice": ADVICE[refusal.cause],
        "path": refusal.path,
        "count": refusal.count,
        "first_at": rfc3339(refusal.first_at),
        "last_at": rfc3339(refusal.last_at),
    }

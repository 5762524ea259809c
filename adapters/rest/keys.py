"""/v1/api-keys: who may use this API."""

from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from adapters.rest import models
from adapters.rest.parameters import PathText
from adapters.rest.problems import documented
from adapters.rest.responses import answer, no_content
from adapters.rest.security import key_of, needs
from adapters.rest.services import Here
from gateway.core.clock import rfc3339
from gateway.core.ports import ApiKey, Scope

log = structlog.get_logger(__name__)


class KeyRequest(BaseModel):
    """A key to be made: whom it is for, and what it may do (metrics < read < command < admin)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "billing", "scope": "read"}})

    name: str = Field(min_length=1, max_length=100)
    scope: Scope


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api-keys", tags=["API keys"], dependencies=[needs("admin")])
    routes.add_api_route("", list_keys, response_model=models.Keys)
    routes.add_api_route(
        "",
        create_key,
        methods=["POST"],
        status_code=201,
        response_model=models.NewKey,
        responses=documented(400, 415, 422),
    )
    routes.add_api_route(
        "/{key_id}",
        revoke_key,
        methods=["DELETE"],
        status_code=204,
        response_class=Response,
        responses=documented(404, 422),
    )
    return routes


async def list_keys(services: Here) -> Response:
    """All API keys, without their secrets."""
    return answer({"items": [_key(key) for key in await services.gateway.api_keys.list()], "next": None})


async def create_key(services: Here, body: KeyRequest, request: Request) -> Response:
    """Make an API key; its secret is in the answer, this once."""
    key, secret = await services.gateway.api_keys.create(body.name, body.scope)
    log.info("api key made", made=key.id, name=key.name, scope=key.scope, key=key_of(request).id)
    return answer({**_key(key), "secret": secret}, 201)


async def revoke_key(services: Here, key_id: PathText, request: Request) -> Response:
    """Revoke an API key: at once on this node, within five seconds on others."""
    await services.gateway.api_keys.revoke(key_id)
    services.gate.forget()
    log.info("api key revoked", revoked=key_id, key=key_of(request).id)
    return no_content()


def _key(key: ApiKey) -> dict[str, Any]:
    return {"id": key.id, "name": key.name, "scope": key.scope, "created_at": rfc3339(key.created_at)}

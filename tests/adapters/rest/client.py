"""An HTTP client that speaks to the app in this process, with keys of a scope."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from adapters.rest import RestAdapter, RestConfig
from gateway.core.ports import Scope
from tests.adapters.rest.fakes import FakeGateway

PROBLEM = "application/problem+json"


@asynccontextmanager
async def client_of(
    gateway: FakeGateway, *, scope: Scope | None = "admin", **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose requests bear a key of `scope` (None: no key)."""
    adapter = RestAdapter(RestConfig(**settings), gateway.context)
    headers = {} if scope is None else gateway.key(scope)
    async with adapter.serving() as (app, _):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            yield client


def assert_problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The body, once it is sure to be a problem document of this kind."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    body: dict[str, Any] = response.json()
    assert body["type"] == f"https://ocpp-gateway.dev/problems/{slug}", body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == response.request.url.raw_path.decode().partition("?")[0]
    return body

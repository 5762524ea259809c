"""The FastAPI app: every route under its prefix, errors as problem documents, and the OpenAPI document."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi_offline import FastAPIOffline

from adapters.rest import chargers, commands, events, fleet, handshakes, keys, operations, tokens, transactions
from adapters.rest.parameters import only_known_parameters
from adapters.rest.problems import Problem, documented, handle_problems

API_VERSION = "1.0"

_DESCRIPTION = """
OCPP chargers as resources: their state, their transactions, and commands to them.

- **Keys.** Send an API key as `Authorization: Bearer <key>`, or as the user name of Basic authentication. Scopes:
  `read` < `command` < `admin`.
- **Errors** are problem documents (RFC 9457): `detail` says what to do.
- **Commands** answer 200 once they have ended, with whatever `outcome`; 202 and a `Location` if that takes longer
  than `?wait=`. A 4xx means that no command was made.
- **Charger ids** are percent-encoded in paths: the charger `a/b` is `/v1/chargers/a%2Fb`.
- **Lists** come in pages: pass `next` as `?after=` until it is null.
"""

_TAGS = [
    {"name": "chargers", "description": "Chargers, their connectors, and what is stored for them"},
    {"name": "transactions", "description": "Charging transactions"},
    {"name": "events", "description": "The event log, for those who cannot take MQTT"},
    {"name": "commands", "description": "Commands to chargers, and how they ended"},
    {"name": "id tokens", "description": "Who may charge: the list that the policy `tokens` decides by"},
    {"name": "fleet", "description": "The gateway's processes, and undeliverable events"},
    {"name": "API keys", "description": "Who may use this API"},
    {"name": "operations", "description": "Health and metrics"},
]


def create_app() -> FastAPI:
    """The app; it serves once `app.state.services` is set."""
    app = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        title="OCPP gateway",
        version=API_VERSION,
        description=_DESCRIPTION.strip(),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=_TAGS,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        swagger_ui_parameters={"validatorUrl": None, "displayRequestDuration": True},
    )
    v1 = APIRouter(
        prefix="/v1", dependencies=[Depends(only_known_parameters)], responses=documented(401, 403, 422, 503)
    )
    for resource in (chargers, commands, transactions, events, tokens, fleet, handshakes, keys):
        v1.include_router(resource.router())
    app.include_router(v1)
    app.include_router(operations.router())
    handle_problems(app)
    app.openapi = _with_problem(app.openapi)  # type: ignore[method-assign]
    return app


def _with_problem(document: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """The app's OpenAPI document and in it the model that problem responses refer to, which no route returns."""

    def completed() -> dict[str, Any]:
        schema = document()
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"].update({**problem.pop("$defs", {}), "Problem": problem})
        return schema

    return completed

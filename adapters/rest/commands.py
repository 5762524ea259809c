"""/v1/chargers/{id}/commands/{name} and /calls/{Action}: commands to chargers; /v1/commands: how they ended."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel

from adapters.rest import models, problems
from adapters.rest.chargers import require_snapshot
from adapters.rest.examples import CALL
from adapters.rest.parameters import PathCharger, PathText
from adapters.rest.problems import HttpProblem, documented
from adapters.rest.responses import answer
from adapters.rest.security import key_of, needs
from adapters.rest.services import Here, Services
from gateway.core.arguments.examples import ARGUMENTS
from gateway.core.commands import CALL_PREFIX, COMMANDS, Command, default_timeout, wants_arguments
from gateway.core.identity import ChargerId

DEFAULT_WAIT = 30.0
MAX_WAIT = 120.0
RETURN_TIME = 2.0
"""Seconds that a result may need for its way back after the command's own deadline."""

_PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9}(?:\.\d{1,9})?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a client wants its command carried out: its id, and seconds to wait and to live."""

    command_id: str
    wait: float
    timeout: float | None
    preference: str | None
    """What of the Prefer header was applied."""


async def _terms(
    wait: Annotated[
        float | None,
        Query(ge=0, le=MAX_WAIT, description="Seconds to wait for the result; after them 202 (default 30)"),
    ] = None,
    timeout: Annotated[
        float | None,
        Query(
            gt=0,
            le=3600,
            description="Seconds until the command is given up; by default 30, more where a report or an upload is "
            "waited for",
        ),
    ] = None,
    prefer: Annotated[str | None, Header(description="`wait=10` does the same as `?wait=10` (RFC 7240)")] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=128,
            pattern=r"^[\x20-\x7e]+$",
            description="Becomes the command's id: sent again, the same request gets the first one's result",
        ),
    ] = None,
) -> Terms:
    preference = None
    if wait is None:
        preferred = _PREFER_WAIT.search(prefer or "")
        if preferred is not None:
            preference = f"wait={preferred[1]}"
        wait = DEFAULT_WAIT if preferred is None else min(float(preferred[1]), MAX_WAIT)
    return Terms(idempotency_key or str(uuid4()), wait, timeout, preference)


WithTerms = Annotated[Terms, Depends(_terms)]


def router() -> APIRouter:
    """The routes of this file: one per neutral command, so that each shows the model of its arguments."""
    routes = APIRouter(tags=["commands"])
    responses: dict[int | str, dict[str, Any]] = {
        200: {"description": "The command has ended, with whatever outcome", "model": models.CommandState},
        202: {
            "description": "The command goes on; ask for it at `Location`",
            "model": models.CommandState,
            "headers": {"Location": {"schema": {"type": "string"}, "description": "/v1/commands/{id}"}},
        },
        **documented(400, 404, 409, 413, 415, 422),
    }
    sending: dict[str, Any] = {
        "methods": ["POST"],
        "dependencies": [needs("command")],
        "response_class": Response,
        "responses": responses,
    }
    for name, model in COMMANDS.items():
        routes.add_api_route(
            f"/chargers/{{charger_id}}/commands/{name}",
            _endpoint(name, model),
            name=name,
            summary=name.replace("_", " ").capitalize(),
            description=model.__doc__,
            operation_id=f"command_{name}",
            **sending,
        )
    routes.add_api_route(
        "/chargers/{charger_id}/commands/{name}",
        unknown_command,
        methods=["POST"],
        dependencies=[needs("command")],
        include_in_schema=False,
    )
    routes.add_api_route("/chargers/{charger_id}/calls/{action}", call, **sending)
    routes.add_api_route(
        "/commands/{command_id}",
        get_command,
        dependencies=[needs("read")],
        response_model=models.CommandState,
        responses=documented(404, 422),
    )
    return routes


def _endpoint(name: str, model: type[BaseModel]) -> Callable[..., Awaitable[Response]]:
    examples: Any = {"example": {"summary": name, "value": ARGUMENTS[name]}}
    body: Any = Body(openapi_examples=examples)
    if not wants_arguments(name):
        body = Body(default_factory=model, openapi_examples=examples)

    async def command(
        services: Here, charger: PathCharger, terms: WithTerms, request: Request, arguments: Any = body
    ) -> Response:
        return await _submit(services, request, charger, name, arguments.model_dump(), terms)

    # FastAPI reads the body's model from the annotation, which here is known only while the table is walked.
    command.__annotations__["arguments"] = model
    return command


async def unknown_command(name: PathText, _: WithTerms) -> Response:
    """Any command that there is not; with the parameters that one has, so that none of them is what is told."""
    detail = (
        f"There is no command {name!r}; there are {', '.join(sorted(COMMANDS))}, and calls/{{Action}} for the rest."
    )
    raise HttpProblem(problems.UNKNOWN_COMMAND, detail)


async def call(
    services: Here,
    charger: PathCharger,
    action: Annotated[
        str,
        Path(description="OCPP's own action name", examples=["GetLocalListVersion"], pattern=r"^[A-Za-z0-9]{1,64}$"),
    ],
    terms: WithTerms,
    request: Request,
    payload: Annotated[dict[str, Any], Body(default_factory=dict, openapi_examples=CALL)],
) -> Response:
    """Send any OCPP call: the body is its payload in OCPP's own casing, `result` the payload of the answer."""
    try:
        json.dumps(payload, allow_nan=False)
    except ValueError:
        # Python reads them; a charger would get null in their place.
        detail = "NaN, Infinity and numbers that are too large for a double are no JSON."
        raise HttpProblem(problems.MALFORMED, detail) from None
    return await _submit(services, request, charger, CALL_PREFIX + action, payload, terms)


async def get_command(services: Here, command_id: PathText) -> Response:
    """A command by its id: how it ended, or `"outcome": null` while it runs."""
    found = await services.gateway.commands.get(command_id)
    if found is None:
        detail = f"No command {command_id!r}; results are kept for a limited time only."
        raise HttpProblem(problems.NOT_FOUND, detail)
    return answer(found)


async def _submit(
    services: Services, request: Request, charger: ChargerId, name: str, arguments: dict[str, Any], terms: Terms
) -> Response:
    if services.gateway.router.local(charger) is None:
        await require_snapshot(services, charger)
    timeout = default_timeout(name) if terms.timeout is None else terms.timeout
    wait = timeout + RETURN_TIME if terms.wait >= timeout else terms.wait
    deadline = services.gateway.clock.now() + timeout
    origin = f"rest/{key_of(request).id}"
    command = Command(terms.command_id, charger, name, arguments, deadline, origin)
    result = await services.submissions.submit(command, wait=wait)
    headers = {} if terms.preference is None else {"Preference-Applied": terms.preference}
    if result is not None:
        return answer(result.as_dict(), headers=headers)
    headers["Location"] = f"/v1/commands/{quote(command.id, safe='')}"
    running = {"id": command.id, "charger_id": charger.identity, "name": name, "outcome": None, "reason": None}
    return answer({**running, "safe_to_retry": None, "result": None, "transaction": None}, 202, headers)

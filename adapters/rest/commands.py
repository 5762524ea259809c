"""/v1/chargers/{id}/commands/{name} and /calls/{Action}: commands to chargers; /v1/commands: how they ended."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
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
from gateway.core.commands import (
    CALL_PREFIX,
    COMMANDS,
    FOLLOWED,
    MAX_QUEUE_SECONDS,
    Command,
    Patience,
    default_timeout,
    wants_arguments,
)
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
    wait: float | None
    timeout: float | None
    queue_for: float | None
    preference: str | None
    """What of the Prefer header was applied."""
    followed: bool = False

    def command(self, charger: ChargerId, name: str, arguments: dict[str, Any], *, now: float, origin: str) -> Command:
        timeout = default_timeout(name, followed=self.followed) if self.timeout is None else self.timeout
        patience = None if self.queue_for is None else Patience(now + self.queue_for, timeout)
        return Command(
            self.command_id,
            charger,
            name,
            arguments,
            now + timeout,
            origin,
            patience=patience,
            followed=self.followed,
        )

    def seconds_to_wait(self, timeout: float) -> float:
        """How long the client waits for the result of a command that may take so long."""
        wait = (MAX_WAIT if self.followed else DEFAULT_WAIT) if self.wait is None else self.wait
        return timeout + RETURN_TIME if wait >= timeout else wait


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
    queue_for: Annotated[
        float | None,
        Query(
            gt=0,
            le=MAX_QUEUE_SECONDS,
            description="Seconds that the command may wait for a charger that is offline, whatever becomes of the "
            "gateway's nodes; without it the charger's absence ends the command as `offline`",
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
            wait = min(float(preferred[1]), MAX_WAIT)
    return Terms(idempotency_key or str(uuid4()), wait, timeout, queue_for, preference)


WithTerms = Annotated[Terms, Depends(_terms)]


async def _start_terms(
    terms: WithTerms,
    wait_for: Annotated[
        Literal["transaction"] | None,
        Query(
            description="`transaction`: once the charger said yes, follow the start to the transaction that it causes. "
            "The command then ends with `transaction`, whose `status` is `started` (with its `id`) or `never_started`; "
            "by default it may take 150 s, of which 120 are waited for"
        ),
    ] = None,
) -> Terms:
    return replace(terms, followed=wait_for is not None)


WithStartTerms = Annotated[Terms, Depends(_start_terms)]


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
    routes.add_api_route(
        "/commands/{command_id}",
        cancel_command,
        methods=["DELETE"],
        dependencies=[needs("command")],
        response_model=models.CommandState,
        responses=documented(404, 409, 422),
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
    if name == FOLLOWED:
        command.__annotations__["terms"] = WithStartTerms
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
    """A command by its id: how it ended, or `"outcome": null` while it waits for its charger (`queued`) or runs."""
    found = await services.gateway.commands.get(command_id)
    if found is None:
        detail = f"No command {command_id!r}; results are kept for a limited time only."
        raise HttpProblem(problems.NOT_FOUND, detail)
    return answer(found)


async def cancel_command(services: Here, command_id: PathText) -> Response:
    """Cancel a command that waits for its charger (`queue_for`); it ends as `cancelled`.

    409 where it waits no longer: what a charger may have is never called back.
    """
    return answer(await services.gateway.router.cancel(command_id))


async def _submit(
    services: Services, request: Request, charger: ChargerId, name: str, arguments: dict[str, Any], terms: Terms
) -> Response:
    if services.gateway.router.local(charger) is None:
        await require_snapshot(services, charger)
    now = services.gateway.clock.now()
    command = terms.command(charger, name, arguments, now=now, origin=f"rest/{key_of(request).id}")
    shape = await services.submissions.submit(command, wait=terms.seconds_to_wait(command.deadline - now))
    headers = {} if terms.preference is None else {"Preference-Applied": terms.preference}
    if shape["outcome"] is not None:
        return answer(shape, headers=headers)
    headers["Location"] = f"/v1/commands/{quote(command.id, safe='')}"
    return answer(shape, 202, headers)

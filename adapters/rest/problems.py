"""Errors as RFC 9457 problem documents: which there are, and how exceptions become them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from adapters.rest.responses import encode
from gateway.core.errors import (
    CommandInvalid,
    CommandRefused,
    CommandRunning,
    GatewayError,
    IdempotencyConflict,
    LogUnavailable,
    NotFound,
)
from gateway.core.wording import told

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
BASE = "https://ocpp-gateway.dev/problems/"
RETRY_AFTER = 5
"""Seconds after which a client may ask again when Redis was away."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A problem type: the last part of its URI, its HTTP status, and its title."""

    slug: str
    status: int
    title: str


MALFORMED = Kind("malformed-request", 400, "The request cannot be read")
UNAUTHENTICATED = Kind("api-key-required", 401, "A valid API key is required")
FORBIDDEN = Kind("scope-too-low", 403, "The API key may not do this")
CROSS_ORIGIN = Kind("cross-origin", 403, "Requests from other web sites are refused")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
UNKNOWN_CHARGER = Kind("unknown-charger", 404, "No such charger")
UNKNOWN_COMMAND = Kind("unknown-command", 404, "No such command")
UNKNOWN_EVENT = Kind("unknown-event", 404, "No such event")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This resource has no such method")
CONFLICT = Kind("conflict", 409, "The state of the resource does not allow this")
RUNNING = Kind("command-running", 409, "A command with this Idempotency-Key is still running")
EXPIRED = Kind("cursor-expired", 410, "What the cursor stands before is gone")
TOO_LARGE = Kind("request-too-large", 413, "The request body is too large")
NOT_JSON = Kind("not-json", 415, "The request body must be JSON")
NOT_CSV = Kind("not-csv", 415, "The request body must be CSV")
INVALID = Kind("invalid-request", 422, "The request is not valid")
KEY_REUSED = Kind("idempotency-key-reused", 422, "This Idempotency-Key was used for another command")
BUG = Kind("internal-error", 500, "The gateway made a mistake")
UNAVAILABLE = Kind("state-unavailable", 503, "Redis cannot be reached")
BUSY = Kind("too-many-commands", 503, "Too many commands are running")

_BY_EXCEPTION: dict[type[Exception], Kind] = {
    LogUnavailable: UNAVAILABLE,
    NotFound: NOT_FOUND,
    CommandRunning: RUNNING,
    IdempotencyConflict: KEY_REUSED,
    CommandInvalid: INVALID,
    CommandRefused: CONFLICT,
}
_BY_STATUS: dict[int, Kind] = {
    kind.status: kind for kind in (MALFORMED, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED, TOO_LARGE)
}
_DESCRIPTIONS: dict[int, str] = {
    400: "The body is not JSON",
    401: "No valid API key",
    403: "The API key's scope is too low",
    404: "There is no such thing",
    409: "The state of things does not allow it",
    410: "Events behind the cursor are gone; `earliest` is where to go on",
    413: "The body is too large",
    415: "The body has another content type than this route takes",
    422: "The request is not valid; `errors` lists why",
    503: "Redis cannot be reached; try again after Retry-After seconds",
}
_DETAILS: dict[int, str] = {
    400: "Send a request as /openapi.json describes it.",
    404: "This path leads nowhere; /docs and /openapi.json list all there are.",
    405: "The Allow header names the methods that this path has.",
    413: "Send less, or raise max_request_bytes (for a file: max_import_bytes) in the REST settings.",
}


class ProblemEntry(BaseModel):
    """One of several things that are wrong with a request."""

    location: str = Field(description="Where: body, query, path or header, then the field", examples=["body.token"])
    message: str = Field(examples=["is required"])


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Names the kind of problem", examples=[f"{BASE}unknown-charger"])
    title: str = Field(examples=["No such charger"])
    status: int = Field(description="The HTTP status", examples=[404])
    detail: str = Field(description="What is wrong here, and what to do", examples=["Charger 'CP-1' was never seen."])
    instance: str = Field(description="The path that was asked for", examples=["/v1/chargers/CP-1"])
    errors: list[ProblemEntry] | None = Field(None, description="Each thing that is wrong, where there are several")


class HttpProblem(HTTPException):
    """Ends a request with a problem document."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        self.kind, self.errors, self.more = kind, errors, more
        super().__init__(kind.status, detail, headers)


def problem_response(
    kind: Kind,
    detail: str,
    instance: str,
    *,
    errors: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
    more: dict[str, Any] | None = None,
) -> Response:
    """A problem document as an HTTP response; `more` are members of its own (RFC 9457 section 3.2)."""
    body: dict[str, Any] = {
        "type": BASE + kind.slug,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": instance,
        **(more or {}),
    }
    if errors:
        body["errors"] = errors
    return Response(encode(body), kind.status, headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses as OpenAPI responses that carry a problem document."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _DESCRIPTIONS[status], "content": content} for status in statuses}


def handle_problems(app: FastAPI) -> None:
    """Have every error of this app answered with a problem document."""
    handlers: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
        HTTPException: _http_exception,
        RequestValidationError: _invalid_request,
        GatewayError: _gateway_error,
        Exception: _bug,
    }
    for raised, handler in handlers.items():
        app.add_exception_handler(raised, handler)


def instance_of(request: Request) -> str:
    """The path that was asked for, as the client spelt it."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return raw.decode("ascii", "replace")


async def _http_exception(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if isinstance(error, HttpProblem):
        return problem_response(
            error.kind, error.detail, instance_of(request), errors=error.errors, headers=headers, more=error.more
        )
    kind = _BY_STATUS.get(error.status_code) or Kind("http-error", error.status_code, str(error.detail))
    detail = _DETAILS.get(error.status_code, str(error.detail))
    return problem_response(kind, detail, instance_of(request), headers=headers)


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        where = "; ".join(f"at character {entry['loc'][-1]}: {entry['ctx']['error']}" for entry in found)
        return problem_response(MALFORMED, f"The body is not JSON ({where}).", instance_of(request))
    # The input itself stays out of the answer: it may be a password.
    body = getattr(request.scope.get("route"), "body_field", None)
    model = None if body is None else body.field_info.annotation
    errors = [
        {"location": ".".join(map(str, entry["loc"])), "message": told(entry, model, entry["loc"][1:])}
        for entry in found
    ]
    detail = "; ".join(f"{entry['location']}: {entry['message']}" for entry in errors)
    return problem_response(INVALID, detail, instance_of(request), errors=errors)


async def _gateway_error(request: Request, error: GatewayError) -> Response:
    kind = next((_BY_EXCEPTION[cls] for cls in type(error).__mro__ if cls in _BY_EXCEPTION), None)
    if kind is None:
        return await _bug(request, error)
    if kind is UNAVAILABLE:
        detail = f"{error}. Nothing is known to have changed; try again after Retry-After seconds."
        headers = {"Retry-After": str(RETRY_AFTER)}
        log.warning("request refused without redis", path=instance_of(request), error=str(error))
        return problem_response(kind, detail, instance_of(request), headers=headers)
    errors = error.problems if isinstance(error, CommandInvalid) else None
    return problem_response(kind, str(error) or kind.title, instance_of(request), errors=errors)


async def _bug(request: Request, error: Exception) -> Response:
    log.error("request failed", method=request.method, path=instance_of(request), exc_info=error)
    detail = "This is a bug in the gateway, not in your request; its log tells more."
    return problem_response(BUG, detail, instance_of(request))

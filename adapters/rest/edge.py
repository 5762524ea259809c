"""What stands between the HTTP server and the app, as plain ASGI: paths, sizes, origins, and a last catch."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.rest import problems
from gateway.core.identity import percent_decode

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
IMPORTS = frozenset({("POST", "/v1/tokens/import")})
"""Where a body is a CSV file; everywhere else it is JSON."""


class Edge:
    """Wraps the app: makes paths routable, bounds bodies, refuses other web sites, lets no exception out."""

    def __init__(self, app: ASGIApp, *, max_request_bytes: int, max_import_bytes: int) -> None:
        self._app = app
        self._max_request_bytes = max_request_bytes
        self._max_import_bytes = max_import_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        path = routable_path(raw_path)
        is_import = (scope["method"], path) in IMPORTS
        limit = self._max_import_bytes if is_import else self._max_request_bytes
        refusal = _refusal(scope["method"], headers, limit, is_import)
        if refusal is not None:
            response = problems.problem_response(*refusal, raw_path.decode("ascii", "replace"))
            await response(scope, receive, send)
            return
        scope = {**scope, "path": path}
        sending = _Sending(send)
        try:
            await self._app(scope, _bounded(receive, limit), sending)
        except Exception:
            # The app's handler has logged it and answered; Starlette raises it anew for the server to log once more.
            if not sending.started:
                raise


def _refusal(method: str, headers: Headers, limit: int, is_import: bool) -> tuple[problems.Kind, str] | None:
    if method in _SAFE_METHODS:
        return None
    if _is_cross_origin(headers):
        return problems.CROSS_ORIGIN, "Send this from a program, or from a page that this gateway serves."
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        option = "max_import_bytes" if is_import else "max_request_bytes"
        return problems.TOO_LARGE, f"At most {limit} bytes are read ({option})."
    if length == "0" and "transfer-encoding" not in headers:
        return None
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if is_import and media_type != "text/csv":
        return problems.NOT_CSV, "Send the file as it is, with 'Content-Type: text/csv'."
    if not is_import and not _is_json(media_type):
        return problems.NOT_JSON, "Send the body as JSON, with 'Content-Type: application/json'."
    return None


def routable_path(raw_path: bytes) -> str:
    """The path with each segment in one spelling, and an encoded slash still apart from one that divides segments.

    Decoded once by the server, `a%2Fb` would be two segments. Here every segment is decoded and then only `%` and `/`
    are encoded again, so `percent_decode` of a path parameter gives back exactly what the client meant. A segment
    that is not UTF-8 stays as it is.
    """
    return "/".join(_routable_segment(segment) for segment in raw_path.decode("utf-8", "replace").split("/"))


def _routable_segment(segment: str) -> str:
    if "%" not in segment:
        return segment
    try:
        return percent_decode(segment).replace("%", "%25").replace("/", "%2F")
    except ValueError:
        return segment


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def _is_cross_origin(headers: Headers) -> bool:
    """True where a browser says that a page of another site made this request (it may carry the user's Basic key)."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _bounded(receive: Receive, limit: int) -> Receive:
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413)
        return message

    return bounded


class _Sending:
    """Passes messages on and notes whether the answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        self.started = True
        await self._send(message)

"""JSON out: whatever is stored goes out, with nothing that it holds able to break an answer."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response


def encode(body: Any) -> bytes:
    """Compact JSON; integers beyond 64 bits and lone surrogates, which orjson refuses, are written as well."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body, separators=(",", ":"), default=str).encode()


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(encode(body), status, headers, "application/json")


def no_content() -> Response:
    """Done, and nothing to tell."""
    return Response(status_code=204)

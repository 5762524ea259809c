"""The types of events that a client asks for: with or without the leading `ocpp.`, and `*` at the end for anything."""

import difflib

from adapters.rest.problems import INVALID, HttpProblem
from gateway.core.event_types import EVENT_TYPES

_ALL = "ocpp."


def wanted_types(text: str | None) -> list[str]:
    """The types, or beginnings of types with a `*`, that a list of them names; none: all.

    Raises HttpProblem (422) for one that no event has.
    """
    return [_wanted(part.strip()) for part in (text or "").split(",") if part.strip()]


def _wanted(part: str) -> str:
    if part == "*":
        return part
    whole = part if part.startswith(_ALL) else _ALL + part
    if any(known == whole or (whole.endswith("*") and known.startswith(whole[:-1])) for known in EVENT_TYPES):
        return whole
    detail = f"types: no event has the type {part!r}; {_advice(whole)}."
    errors = [{"location": "query.types", "message": f"no event has the type {part!r}"}]
    raise HttpProblem(INVALID, detail, errors=errors)


def _advice(whole: str) -> str:
    """What is close to it, else what types begin with."""
    families = sorted({known.rpartition(".")[0] + ".*" for known in EVENT_TYPES})
    close = difflib.get_close_matches(whole, [*EVENT_TYPES, *families], n=4, cutoff=0.7)
    return f"close to it: {', '.join(close)}" if close else f"there are {', '.join(families)}"

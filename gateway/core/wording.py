"""What is wrong with a value, in words for whoever sent it: a validator's own are of its trade."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

URL_PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$"

_TIME = "must be an RFC 3339 time with a zone, such as 2026-11-21T08:00:00Z; in a URL + is written %2B"

_WORDS: Mapping[str, str] = {
    "missing": "is required",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_type": _TIME,
    "timezone_aware": _TIME,
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}

_BOUNDS: Mapping[str, tuple[str, str]] = {
    # type of error → words, and where its bound stands
    "greater_than": ("must be greater than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
    "string_too_long": ("must have at most {} character(s)", "max_length"),
    "string_too_short": ("must have at least {} character(s)", "min_length"),
    "too_long": ("must have at most {} item(s)", "max_length"),
    "too_short": ("must have at least {} item(s)", "min_length"),
    "literal_error": ("must be {}", "expected"),
}


def told(problem: ErrorDetails, model: Any = None, at: Sequence[int | str] | None = None) -> str:
    """One problem in plain words; `model` is what `at` (by default where the problem is) leads through.

    With it, what is unknown is told with what is known there.
    """
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known(model, problem["loc"][:-1] if at is None else at[:-1])
        return f"unknown; known are {', '.join(known)}" if known else "unknown; nothing is wanted here"
    if kind == "string_pattern_mismatch" and context.get("pattern") == URL_PATTERN:
        return "must be a URL such as https://files.example.com/a"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return words.format(context.get(bound))
    return _WORDS.get(kind) or problem["msg"].removeprefix("Value error, ")


def told_in_full(
    problems: Sequence[ErrorDetails], model: Any = None, *, whole: str = "arguments"
) -> tuple[str, list[dict[str, str]]]:
    """All problems in one line, and each with its `location` and `message`; `whole` names what has no name."""
    listed = [
        {"location": ".".join(str(part) for part in problem["loc"]), "message": told(problem, model)}
        for problem in problems
    ]
    return "; ".join(f"{problem['location'] or whole}: {problem['message']}" for problem in listed), listed


def _known(model: Any, path: Sequence[int | str]) -> list[str]:
    """The fields of the model, or models, that a path leads to."""
    here = list(_models(model))
    for part in path:
        fields = [found.model_fields[part] for found in here if part in found.model_fields]
        # Beside fields a path has places in lists, and names of choices.
        if fields:
            here = [inner for field in fields for inner in _models(field.annotation)]
    return list(dict.fromkeys(name for found in here for name in found.model_fields))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation holds, alone, in a list or as one of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)

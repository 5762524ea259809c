"""Says what is wrong with a configuration: where it stands, why, and what was probably meant."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.config_file import ConfigFile, KeyPath
from gateway.core.errors import ConfigurationError

_SECRET_WORDS = ("password", "token", "secret", "key", "url", "headers")


@dataclass
class Origins:
    """Where options were set: the file, and for others the variable (or `command line`) that set them."""

    file: ConfigFile | None = None
    variables: dict[KeyPath, str] = field(default_factory=dict)

    def of(self, key: KeyPath) -> tuple[str, int | None] | None:
        """Source and line of an option; None for a default."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.variables:
                return self.variables[key[:length]], None
        if self.file is not None and _has(self.file.values, key):
            return str(self.file.path), self.file.line(key)
        return None


def _has(values: Mapping[str, Any], key: KeyPath) -> bool:
    here: Any = values
    for name in key:
        if isinstance(here, list) and name.isdecimal() and int(name) < len(here):
            here = here[int(name)]
        elif isinstance(here, Mapping) and name in here:
            here = here[name]
        else:
            return False
    return True


def as_configuration_error(error: ValidationError, model: type[BaseModel], origins: Origins) -> ConfigurationError:
    """Every problem with its place, as one error; its source and line are the first problem's."""
    problems = [_problem(details, model, origins) for details in error.errors(include_url=False)]
    first = problems[0]
    if len(problems) == 1:
        return first
    combined = ConfigurationError("\n".join(str(problem) for problem in problems))
    combined.source, combined.line = first.source, first.line
    return combined


def unknown_variable(variable: str, prefix: str, model: type[BaseModel]) -> ConfigurationError:
    """An environment variable with our prefix that names no section."""
    section = variable[len(prefix) :].lower().partition("__")[0]
    return ConfigurationError(_unknown((section,), model), source=variable)


def _problem(details: ErrorDetails, model: type[BaseModel], origins: Origins) -> ConfigurationError:
    key = tuple(str(part) for part in details["loc"])
    source, line = _place(key, origins)
    if details["type"] == "extra_forbidden":
        return ConfigurationError(_unknown(key, model), source=source, line=line)
    message = details["msg"].removeprefix("Value error, ")
    return ConfigurationError(f"{'.'.join(key)}: {message}{_given(key, details)}", source=source, line=line)


def _place(key: KeyPath, origins: Origins) -> tuple[str | None, int | None]:
    """Where the option stands; for what is wrong with a whole section, where that begins."""
    for length in range(len(key), 0, -1):
        found = origins.of(key[:length])
        if found is not None:
            return found
    below = [(at, name) for at, name in origins.variables.items() if at[: len(key)] == key]
    return (below[0][1], None) if below else (None, None)


def _given(key: KeyPath, details: ErrorDetails) -> str:
    """The value that was given, unless it may be a secret or is a whole section."""
    value = details["input"]
    if not isinstance(value, str | int | float) or any(word in part for part in key for word in _SECRET_WORDS):
        return ""
    return f" (it is {value!r})"


def _unknown(key: KeyPath, model: type[BaseModel]) -> str:
    *above, name = key
    if not above:
        return f"unknown section [{name}]{_suggestion(name, [], model)}; there are {_listed(model.model_fields)}"
    section = _section(model, tuple(above))
    known = [] if section is None else list(section.model_fields)
    return f"unknown option {name!r} in [{'.'.join(above)}]{_suggestion(name, known, model)}"


def _section(model: type[BaseModel], key: KeyPath) -> type[BaseModel] | None:
    for name in key:
        if name.isdecimal():
            continue
        found = model.model_fields.get(name)
        inner = None if found is None else _model_in(found.annotation)
        if inner is None:
            return None
        model = inner
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an option holds, alone or in a list."""
    candidates = (annotation, *get_args(annotation)[:1])
    return next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _suggestion(name: str, known: list[str], model: type[BaseModel]) -> str:
    """What was probably meant: an option of this section, a section, or an option of another section."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    if not known:
        close = difflib.get_close_matches(name, list(model.model_fields), n=1)
        if close:
            return f"; did you mean [{close[0]}]?"
    elsewhere = [f"[{section}] {option}" for section, option in _options(model) if option == name]
    return f"; did you mean {' or '.join(elsewhere)}?" if elsewhere else ""


def _options(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for section in model.model_fields:
        found = _section(model, (section,))
        for option in found.model_fields if found is not None else ():
            yield section, option


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(f"[{name}]" for name in names)

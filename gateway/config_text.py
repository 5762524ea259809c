"""Settings as text: those in effect with the source of each, or all options as a commented TOML file."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, SecretStr

from gateway.config import DEFAULT_FILE, ENV_PREFIX, FILE_VARIABLE, SECRETS_VARIABLES, SHORT_VARIABLES, Loaded, Settings
from gateway.log import redact_url

_WIDTH = 100


def effective(loaded: Loaded, *, explain: bool = True) -> str:
    """The settings in effect as TOML, secrets hidden; behind each option where it was set."""
    file = loaded.origins.file
    lines = [f"# configuration file: {'none' if file is None else file.path}", ""]
    for section, model in _sections(loaded.settings):
        lines += _heading(section, model)
        for option, field in type(model).model_fields.items():
            if explain:
                lines += _comment(field.description or "")
            value = getattr(model, option)
            lines.append(f"#{option} =" if value is None else f"{option} = {_toml(value)}")
            lines[-1] += f"  # {_source(loaded.origins.of((section, option)), value)}"
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def template() -> str:
    """A configuration file that names and explains every option, each commented out and at its default."""
    short = ", ".join(f"{name} ({'.'.join(key)})" for name, key in SHORT_VARIABLES.items())
    lines = _comment(
        f"Every option of the gateway at its default. Save it as {DEFAULT_FILE}, or name the file with --config or "
        f"{FILE_VARIABLE}. Each option can also be set by a variable {ENV_PREFIX}SECTION__OPTION, which wins; {short} "
        f"are understood, too. Secrets can be files, named section.option, in the folder {SECRETS_VARIABLES[0]}."
    )
    lines.append("")
    for section, model in _sections(Settings()):
        lines += _heading(section, model)
        for option, field in type(model).model_fields.items():
            lines += _comment(field.description or "")
            value = getattr(model, option)
            lines.append(f"#{option} =  # not set" if value is None else f"#{option} = {_toml(value)}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _source(origin: tuple[str, int | None] | None, value: object) -> str:
    if origin is None:
        return "not set" if value is None else "default"
    source, line = origin
    return source if line is None else f"{source}, line {line}"


def _sections(settings: Settings) -> Iterator[tuple[str, BaseModel]]:
    for section in type(settings).model_fields:
        yield section, getattr(settings, section)


def _heading(section: str, model: BaseModel) -> list[str]:
    return [*_comment((type(model).__doc__ or "").strip().partition("\n\n")[0]), f"[{section}]"]


def _comment(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case SecretStr():
            return '"***"'
        case str() | Path():
            return json.dumps(redact_url(str(value)), ensure_ascii=False)
        case BaseModel():
            return _toml({name: getattr(value, name) for name in type(value).model_fields})
        case Mapping():
            pairs = (f"{json.dumps(name)} = {_toml(inner)}" for name, inner in value.items() if inner is not None)
            told = ", ".join(pairs)
            return f"{{ {told} }}" if told else "{}"
        case list() | tuple() | set() | frozenset():
            return "[" + ", ".join(_toml(inner) for inner in value) + "]"
        case _:
            return json.dumps(str(value))

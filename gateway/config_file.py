"""The configuration file: TOML, and on which line each of its keys stands."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigurationError

KeyPath = tuple[str, ...]
"""A key with the tables around it: `("mqtt", "url")`, `("profile", "0", "name")`."""


class ConfigFile:
    """A parsed TOML file. Raises ConfigurationError where it cannot be read or parsed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f"cannot be read: {reason}", source=str(path)) from error
        try:
            self.values: dict[str, Any] = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            # Python tells the end of the document as a place without a number.
            line = int(found[1]) if found else len(self._text.splitlines())
            raise ConfigurationError(f"not TOML: {error}", source=str(path), line=line) from error

    def line(self, key: KeyPath) -> int | None:
        """The line of a key, or of the innermost table around it that the file has."""
        lines = key_lines(self._text)
        while key:
            if key in lines:
                return lines[key]
            key = key[:-1]
        return None


def key_lines(text: str) -> dict[KeyPath, int]:
    """Every key of a TOML document and its line, counted from 1.

    The parser itself tells: the document is read again with each line more, and a key stands where the piece
    begins with which it first appeared.
    """
    lines = text.splitlines(keepends=True)
    found: dict[KeyPath, int] = {}
    begin = 0
    for end in range(1, len(lines) + 1):
        try:
            so_far = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for key in key_paths(so_far):
            found.setdefault(key, begin + 1)
        begin = end
    return found


def key_paths(values: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key of nested mappings, tables before what they hold; a list's tables are called `0`, `1` ..."""
    for name, value in values.items():
        yield (*above, name)
        if isinstance(value, Mapping):
            yield from key_paths(value, (*above, name))
        elif isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield (*above, name, str(place))
                    yield from key_paths(item, (*above, name, str(place)))

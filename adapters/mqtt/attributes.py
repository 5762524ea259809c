"""Every key of a state as a topic of its own, in plain text, for those who read no JSON: pure functions."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, get_args, get_type_hints

import orjson
from typing_extensions import is_typeddict

from adapters.mqtt.login import Message

_LEFT_OUT = frozenset(("availability",))
"""Keys of the charger's state that have a topic anyway."""


def attributes(branch: str, state: bytes, shape: type) -> Iterator[Message]:
    """The topics below a branch that a state (JSON) of this shape has; the payload is empty where a value is null."""
    try:
        found = orjson.loads(state)
    except ValueError:
        return
    known = paths(shape)
    for path in known:
        yield f"{branch}/{'/'.join(path)}", plain(_at(found, path))
    for name in found.keys() - {path[0] for path in known} - _LEFT_OUT:
        yield f"{branch}/{name}", plain(found[name])


def cleared(branch: str, shape: type) -> Iterator[Message]:
    """What clears them."""
    for path in paths(shape):
        yield f"{branch}/{'/'.join(path)}", b""


@lru_cache(maxsize=8)
def paths(shape: type) -> tuple[tuple[str, ...], ...]:
    """The keys of a state, those of the objects in it one by one."""
    found: list[tuple[str, ...]] = []
    for name, hint in get_type_hints(shape).items():
        inner = next((one for one in (hint, *get_args(hint)) if is_typeddict(one)), None)
        if name not in _LEFT_OUT:
            found += [(name,)] if inner is None else [(name, *path) for path in paths(inner)]
    return tuple(found)


def plain(value: Any) -> bytes:
    """A value as plain text: nothing for null, `true` and `false`, numbers as they are, JSON for lists and objects."""
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value

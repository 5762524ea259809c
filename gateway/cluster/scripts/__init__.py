"""The Lua scripts: what must happen in Redis as one step. Each tells its KEYS and ARGV in its first lines."""

import hashlib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    """A script's source and the digest by which Redis knows it once it has seen it."""

    name: str
    source: bytes = field(repr=False)
    sha: str


@cache
def script(name: str) -> Script:
    """The script in `<name>.lua`."""
    source = (files(__name__) / f"{name}.lua").read_bytes()
    return Script(name, source, hashlib.sha1(source, usedforsecurity=False).hexdigest())

"""How deep JSON nests: what comes from outside must exhaust neither our parsers nor those of who reads our events."""

from typing import Any

MAX_DEPTH = 64
"""How deep a payload may nest; no OCPP message comes near."""


def deeper_than(value: Any, limit: int) -> bool:
    """Whether lists and objects nest deeper than `limit`; level by level, so that no depth can exhaust the stack."""
    level = [value]
    for _ in range(limit + 1):
        level = [
            item
            for node in level
            if isinstance(node, dict | list)
            for item in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True

"""Long lists cut into calls that a charger can take."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

ITEMS_PER_CALL = 50
"""Variables, keys or monitors in one call.

A charger's own limit (ItemsPerMessage, GetConfigurationMaxKeys) may be lower; it then says so.
"""

Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int = ITEMS_PER_CALL) -> Iterator[Sequence[Item]]:
    """The items in their order, so many at a time."""
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]

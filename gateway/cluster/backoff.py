"""Growing waits between tries."""

import asyncio
import random

_FIRST, _MOST = 0.05, 1.0


class Backoff:
    """Growing waits with full jitter, so that many clients do not come back in step."""

    def __init__(self, first: float = _FIRST, most: float = _MOST) -> None:
        self._first, self._most = first, most
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def next(self) -> float:
        """Seconds to wait before the next try."""
        wait, self._next = self._next, min(self._next * 2, self._most)
        return wait * random.uniform(0.5, 1.0)

    async def wait(self) -> None:
        await asyncio.sleep(self.next())

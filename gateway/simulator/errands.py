"""The errands of one charger: each runs in a task of its own, as long as the charger lives."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.simulator.messages import ChangedStatuses, Errand, Message, Pause, Until

MAX_ERRANDS = 64


class Errands:
    """Runs errands; they outlive connections, and messages wait for the next one.

    `tell` sends a message and returns its answer, `tell_statuses` tells changed ones, `seconds_until` tells how long
    it is until a time of the charger's clock, and a pause is `speed` times as short.
    """

    def __init__(
        self,
        tell: Callable[[Message], Awaitable[dict[str, Any] | None]],
        tell_statuses: Callable[[], Awaitable[None]],
        seconds_until: Callable[[float], float],
        *,
        speed: float,
    ) -> None:
        self._tell = tell
        self._tell_statuses = tell_statuses
        self._seconds_until = seconds_until
        self._speed = speed
        self._waiting: asyncio.Queue[Errand] = asyncio.Queue()
        self._count = 0

    @property
    def full(self) -> bool:
        """Whether there is no room for another one."""
        return self._count >= MAX_ERRANDS

    def add(self, errand: Errand) -> None:
        """Begin an errand; those begun one after the other send their first messages in that order."""
        self._count += 1
        self._waiting.put_nowait(errand)

    async def run(self) -> None:
        """Run what is added; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                errand = await self._waiting.get()
                tasks.create_task(self._go(errand), name="errand")

    async def _go(self, errand: Errand) -> None:
        answer: dict[str, Any] | None = None
        try:
            while True:
                match errand.send(answer):
                    case Message() as message:
                        answer = await self._tell(message)
                    case Pause(seconds):
                        answer = None
                        await asyncio.sleep(seconds / self._speed)
                    case Until(moment):
                        answer = None
                        await asyncio.sleep(self._seconds_until(moment))
                    case ChangedStatuses():
                        answer = None
                        await self._tell_statuses()
        except StopIteration:
            return
        finally:
            self._count -= 1
            errand.close()

"""Limits that a charger may have lost, told to it again: so that it does what its state shows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from gateway.chargers.starting import CarryOut
from gateway.core.clock import Clock
from gateway.core.commands import USUAL_TIMEOUT, Command, Outcome, validated_arguments
from gateway.core.identity import ChargerId
from gateway.core.reports import Limit
from gateway.core.twin import Change, Twin

_log = structlog.get_logger(__name__)

AGAIN_AFTER = 30.0
"""Seconds after which a limit is told again that the charger did not answer to."""
_NO = frozenset((Outcome.REJECTED, Outcome.ERROR, Outcome.INVALID, Outcome.UNSUPPORTED))


class Limiting:
    """The limits of one charger. `change` has a change of the twin stored in its turn; `settled` waits until the latest
    one is, and says whether it was.

    Nothing is told again while a command sets limits, and no command sets one while something is told: what is told
    again is older than any command.
    """

    __slots__ = (
        "_at_work",
        "_carry_out",
        "_change",
        "_charger",
        "_clock",
        "_commands",
        "_idle",
        "_not_before",
        "_settled",
        "_telling",
        "_twin",
    )

    def __init__(
        self,
        charger: ChargerId,
        twin: Twin,
        clock: Clock,
        *,
        carry_out: CarryOut,
        change: Callable[[Callable[[], Change]], object],
        settled: Callable[[], Awaitable[bool]],
    ) -> None:
        self._charger, self._twin, self._clock = charger, twin, clock
        self._carry_out, self._change, self._settled = carry_out, change, settled
        self._not_before, self._at_work = 0.0, False
        self._commands, self._idle, self._telling = 0, asyncio.Event(), asyncio.Lock()

    @asynccontextmanager
    async def by_command(self, seconds: float) -> AsyncIterator[None]:
        """The turn of a command that sets limits. Raises TimeoutError where it has not come within `seconds`."""
        self._commands += 1
        self._idle.clear()
        try:
            # The lock lets those that wait through in the order in which they came.
            async with asyncio.timeout(seconds), self._telling:
                pass
            yield
        finally:
            self._commands -= 1
            if not self._commands:
                self._idle.set()

    def work(self) -> Coroutine[Any, Any, None] | None:
        """What is to be told to the charger again now, None where there is nothing."""
        now = self._clock.monotonic()
        if self._at_work or now < self._not_before or self._twin.boot_status != "accepted":
            return None
        owed = self._twin.owed_limits(self._clock.now())
        if not owed:
            return None
        self._not_before, self._at_work = now + AGAIN_AFTER, True
        return self._tell_again([*owed])

    async def _tell_again(self, evse_ids: list[int]) -> None:
        try:
            for evse_id in evse_ids:
                await self._tell_in_turn(evse_id)
            self._not_before = 0.0 if not self._twin.owed_limits(self._clock.now()) else self._not_before
        except TimeoutError:
            _log.info("commands set limits all the time: none is told again yet", charger=str(self._charger))
        except Exception:
            # Our own bug, on one charger: every other goes on.
            _log.exception("a limit was not told again", charger=str(self._charger))
        finally:
            self._at_work = False

    async def _tell_in_turn(self, evse_id: int) -> None:
        async with asyncio.timeout(AGAIN_AFTER):
            while self._commands:
                await self._idle.wait()
        async with self._telling:
            # What is not stored yet may have set another limit, or none.
            limit = self._twin.owed_limits(self._clock.now()).get(evse_id) if await self._settled() else None
            if limit is not None:
                await self._tell(evse_id, limit)
                await self._settled()

    async def _tell(self, evse_id: int, limit: Limit) -> None:
        now = self._clock.now
        asked = {"current_a": limit.current_a, "power_w": limit.power_w, "phases": limit.phases, "until": limit.until}
        name = "pause" if limit.paused else "set_charging_limit"
        arguments = validated_arguments(name, {"evse_id": evse_id} | ({} if limit.paused else asked))
        command_id = f"again-{evse_id}-{int(now() * 1000)}"
        command = Command(command_id, self._charger, name, arguments, now() + USUAL_TIMEOUT)
        result = await self._carry_out(command)
        told = {"charger": str(self._charger), "evse_id": evse_id, "outcome": result.outcome.value}
        _log.info("a limit was told to the charger again", reason=result.reason, **told)
        if result.outcome in _NO:
            # It does not hold it: the state must not say so.
            lifted = replace(limit, current_a=None, power_w=None, phases=None, until=None, paused=False)
            self._change(lambda: self._twin.limited(now(), evse_id, lifted))

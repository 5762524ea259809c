"""Limits that a charger may have lost, told to it again: so that it does what its state shows."""

from collections.abc import Callable, Coroutine
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
    """The limits of one charger. `change` has a change of the twin stored in its turn."""

    __slots__ = ("_carry_out", "_change", "_charger", "_clock", "_not_before", "_twin")

    def __init__(
        self,
        charger: ChargerId,
        twin: Twin,
        clock: Clock,
        *,
        carry_out: CarryOut,
        change: Callable[[Callable[[], Change]], object],
    ) -> None:
        self._charger, self._twin, self._clock = charger, twin, clock
        self._carry_out, self._change = carry_out, change
        self._not_before = 0.0

    def work(self) -> Coroutine[Any, Any, None] | None:
        """What is to be told to the charger again now, None where there is nothing."""
        now = self._clock.monotonic()
        if now < self._not_before or self._twin.boot_status != "accepted":
            return None
        owed = self._twin.owed_limits(self._clock.now())
        if not owed:
            return None
        self._not_before = now + AGAIN_AFTER
        return self._tell_again(owed)

    async def _tell_again(self, owed: dict[int, Limit]) -> None:
        try:
            for evse_id, limit in owed.items():
                await self._tell(evse_id, limit)
            self._not_before = 0.0 if not self._twin.owed_limits(self._clock.now()) else self._not_before
        except Exception:
            # Our own bug, on one charger: every other goes on.
            _log.exception("a limit was not told again", charger=str(self._charger))

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

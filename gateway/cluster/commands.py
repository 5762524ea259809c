"""Commands by their id: which run, how they ended, and which were asked for twice."""

import hashlib
import json
from typing import Any

import structlog

from gateway.cluster.backoff import Backoff
from gateway.cluster.keys import command_key
from gateway.cluster.lane import Lane
from gateway.cluster.scripts import script
from gateway.cluster.wire import Argument
from gateway.core.clock import Clock
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import CommandRunning, IdempotencyConflict, LogUnavailable
from gateway.core.identity import ChargerId

log = structlog.get_logger(__name__)

_LOST_AFTER = 60.0
"""Seconds after its deadline in which a command's result must be there: then the node that had it has died."""
_MARGIN = 10.0
"""Seconds before that in which no result is stored any more: clocks differ, and a call takes its time."""


class Commands:
    """The CommandStore."""

    def __init__(self, lane: Lane, *, clock: Clock, retention: float) -> None:
        self._lane, self._clock, self._retention = lane, clock, retention

    async def begin(self, command: Command) -> CommandResult | None:
        """Note that a command runs; see CommandStore."""
        fingerprint = _fingerprint(command)
        kept = int((self._retention + max(0.0, command.deadline - self._clock.now())) * 1000)
        arguments: list[Argument] = [fingerprint, command.charger.key, command.name, repr(command.deadline), kept]
        known = await self._lane.script(script("begin_command"), [command_key(command.id)], arguments)
        if not known:
            return None
        if known[0].decode() != fingerprint:
            raise IdempotencyConflict(f"command {command.id} was given before, with another body")
        result = self._result(command.id, known[1:])
        if result is None:
            raise CommandRunning(f"command {command.id} is still running")
        return result

    async def finish(self, result: CommandResult, *, deadline: float) -> CommandResult:
        """Store how a command ended; see CommandStore.

        A `timeout` is tried once: it is what everybody is told anyway.
        """
        key = command_key(result.id)
        calls = [
            ("HSET", key, "result", json.dumps(result.as_dict()), "charger", result.charger.key, "name", result.name),
            ("PEXPIRE", key, int(self._retention * 1000)),
        ]
        backoff, until = Backoff(), deadline + _LOST_AFTER - _MARGIN
        while True:
            try:
                await self._lane.calls(calls)
                return result
            except LogUnavailable as error:
                problem = str(error)
            if result.outcome is Outcome.TIMEOUT or self._clock.now() >= until:
                break
            await backoff.wait()
        told = {"command": result.id, "charger": str(result.charger), "outcome": result.outcome.value}
        log.warning("a command's result could not be stored", problem=problem, **told)
        reason = f"it ended as {result.outcome.value}, but Redis was away for too long to note that"
        return (
            result
            if result.outcome is Outcome.TIMEOUT
            else CommandResult(result.id, result.charger, result.name, Outcome.TIMEOUT, reason)
        )

    async def get(self, command_id: str) -> dict[str, Any] | None:
        """The public shape of a command, with `"outcome": null` while it runs. Raises LogUnavailable."""
        known = await self._lane.call("HMGET", command_key(command_id), "charger", "name", "deadline", "result")
        if known[0] is None:
            return None
        result = self._result(command_id, known)
        if result is not None:
            return result.as_dict()
        charger, name = ChargerId.from_key(known[0].decode()), known[1].decode()
        running = CommandResult(command_id, charger, name, Outcome.TIMEOUT)
        return {**running.as_dict(), "outcome": None}

    def _result(self, command_id: str, known: list[bytes | None]) -> CommandResult | None:
        """How a command ended, from its charger, name, deadline and result; None while it runs."""
        charger_key, name, deadline, stored = known
        charger = ChargerId.from_key((charger_key or b":").decode())
        if stored is not None:
            return CommandResult.from_dict(json.loads(stored), charger)
        if self._clock.now() < float(deadline or 0) + _LOST_AFTER:
            return None
        reason = "the node that carried it out ended before the answer came"
        return CommandResult(command_id, charger, (name or b"").decode(), Outcome.TIMEOUT, reason)


def _fingerprint(command: Command) -> str:
    body = json.dumps([command.charger.key, command.name, command.arguments], sort_keys=True, default=str)
    return hashlib.sha256(body.encode()).hexdigest()

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
from gateway.core.commands import Command, CommandResult, Outcome, Stage
from gateway.core.errors import CommandRunning, IdempotencyConflict, LogUnavailable
from gateway.core.following import UNKNOWN, with_transaction
from gateway.core.identity import ChargerId

log = structlog.get_logger(__name__)

LOST_AFTER = 60.0
"""Seconds after its deadline in which a command's result must be there: then the node that had it has died."""
_MARGIN = 10.0
"""Seconds before that in which no result is stored any more: clocks differ, and a call takes its time."""
_TRIED_ON = 5.0
"""Seconds in which it is found out, when it is too late, whether the result was stored after all."""


class Commands:
    """The CommandStore."""

    def __init__(self, lane: Lane, *, clock: Clock, retention: float) -> None:
        self._lane, self._clock, self._retention = lane, clock, retention

    async def begin(self, command: Command) -> CommandResult | None:
        """Note that a command runs; see CommandStore."""
        fingerprint = _fingerprint(command)
        arguments: list[Argument] = [
            fingerprint,
            command.charger.key,
            command.name,
            repr(command.deadline),
            self._kept(command),
        ]
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
        """Store how a command ended; see CommandStore. The first result that is stored counts.

        A `timeout` is tried once: it is what everybody is told anyway.
        """
        backoff, until, give_up = Backoff(), deadline + LOST_AFTER - _MARGIN, 0.0
        while True:
            if result.outcome is not Outcome.TIMEOUT and self._clock.now() >= until:
                # A node that slept may be told of its own success by the next try.
                result, give_up = self._too_late(result), self._clock.now() + _TRIED_ON
            try:
                return await self._stored(result)
            except LogUnavailable as error:
                problem = str(error)
            if result.outcome is Outcome.TIMEOUT and self._clock.now() >= give_up:
                break
            await backoff.wait()
        log.warning("a command's result could not be stored", problem=problem, command=result.id,
                    charger=str(result.charger))  # fmt: skip
        return result

    async def _stored(self, result: CommandResult) -> CommandResult:
        """What counts: the result, or one that was stored before."""
        key = command_key(result.id)
        is_first, stored, *_ = await self._lane.calls(
            [
                ("HSETNX", key, "result", json.dumps(result.as_dict())),
                ("HGET", key, "result"),
                ("HSET", key, "charger", result.charger.key, "name", result.name),
                ("PEXPIRE", key, int(self._retention * 1000)),
            ]
        )
        return result if is_first else CommandResult.from_dict(json.loads(stored), result.charger)

    @staticmethod
    def _too_late(result: CommandResult) -> CommandResult:
        """By now everybody is told that it is lost; should the result have been stored all the same, that counts."""
        reason = f"it ended as {result.outcome.value}, but Redis was away for too long to note that"
        return CommandResult(result.id, result.charger, result.name, Outcome.TIMEOUT, reason)

    async def note_waiting(self, command: Command) -> None:
        await self._note(command, "queued", command.latest)

    async def note_running(self, command: Command) -> bool:
        return not await self._note(command, "running", command.deadline)

    async def note_answer(self, result: CommandResult) -> None:
        await self._lane.call("HSET", command_key(result.id), "answered", json.dumps(result.as_dict()))

    async def hear(self, command_id: str, node: str, *, kept_seconds: float, instead_of: str | None = None) -> str:
        arguments: list[Argument] = [node, int(kept_seconds * 1000), instead_of or ""]
        holder: bytes = await self._lane.script(script("hear_command"), [command_key(command_id)], arguments)
        return holder.decode()

    async def stage(self, command_id: str) -> tuple[Stage, str | None]:
        heard, begun, state, result = await self._lane.call(
            "HMGET", command_key(command_id), "heard", "fingerprint", "state", "result"
        )
        holder = None if heard is None else heard.decode()
        if result is not None:
            return Stage.ENDED, holder
        if begun is None:
            return (Stage.UNHEARD if heard is None else Stage.HEARD), holder
        return (Stage.WAITING if state == b"queued" else Stage.BEGUN), holder

    async def _note(self, command: Command, state: str, deadline: float) -> bool:
        """Returns whether it has ended."""
        key = command_key(command.id)
        _, _, ended = await self._lane.calls(
            [
                ("HSET", key, "state", state, "deadline", repr(deadline)),
                ("PEXPIRE", key, self._kept(command)),
                ("HEXISTS", key, "result"),
            ]
        )
        return bool(ended)

    def _kept(self, command: Command) -> int:
        return int((self._retention + max(0.0, command.latest - self._clock.now())) * 1000)

    async def get(self, command_id: str) -> dict[str, Any] | None:
        """The public shape of a command; see CommandStore. Raises LogUnavailable."""
        *known, state = await self._lane.call(
            "HMGET", command_key(command_id), "charger", "name", "deadline", "result", "answered", "state"
        )
        if known[0] is None:
            return None
        result = self._result(command_id, known)
        if result is not None:
            return result.as_dict()
        charger, name = ChargerId.from_key(known[0].decode()), known[1].decode()
        running = CommandResult(command_id, charger, name, Outcome.TIMEOUT)
        unknown = {"outcome": None, "safe_to_retry": None}
        return {**running.as_dict(), **unknown, "state": (state or b"running").decode()}

    def _result(self, command_id: str, known: list[bytes | None]) -> CommandResult | None:
        """How a command ended, from its charger, name, deadline, result and first answer; None while it runs."""
        charger_key, name, deadline, stored, answered = known
        charger = ChargerId.from_key((charger_key or b":").decode())
        if stored is not None:
            return CommandResult.from_dict(json.loads(stored), charger)
        if self._clock.now() < float(deadline or 0) + LOST_AFTER:
            return None
        if answered is not None:
            return with_transaction(CommandResult.from_dict(json.loads(answered), charger), None, UNKNOWN)
        reason = "the node that carried it out ended before the answer came"
        return CommandResult(command_id, charger, (name or b"").decode(), Outcome.TIMEOUT, reason)


def _fingerprint(command: Command) -> str:
    body = json.dumps([command.charger.key, command.name, command.arguments], sort_keys=True, default=str)
    return hashlib.sha256(body.encode()).hexdigest()

"""From a start that was accepted to the transaction that it caused, wherever the charger is by then."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from gateway.core.clock import Clock
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import LogUnavailable
from gateway.core.ports.stores import CommandStore, StateStore

STARTED, NEVER_STARTED, UNKNOWN = "started", "never_started", "unknown"

_LOOK_FIRST, _LOOK_AT_LAST = 0.1, 1.0


async def follow(
    command: Command, result: CommandResult, *, state: StateStore, commands: CommandStore, clock: Clock
) -> CommandResult:
    """The result with the transaction that the command caused, once that has begun, at its deadline at the latest.

    `transaction` is `{"id", "status"}`: `started`, `never_started`, or `unknown` where Redis was away at the deadline.
    """
    if not command.followed or result.outcome is not Outcome.ACCEPTED:
        return result
    if command.answered is not None:
        command.answered()
    with suppress(LogUnavailable):
        await commands.note_answer(result)
    pause = _LOOK_FIRST
    while True:
        try:
            found, status = await state.caused(command.charger, command.id), NEVER_STARTED
        except LogUnavailable:
            found, status = None, UNKNOWN
        if found is not None:
            return with_transaction(result, found, STARTED)
        left = command.deadline - clock.now()
        if left <= 0:
            return with_transaction(result, None, status)
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, _LOOK_AT_LAST)


def with_transaction(result: CommandResult, transaction_id: str | None, status: str) -> CommandResult:
    return replace(result, transaction={"id": transaction_id, "status": status})

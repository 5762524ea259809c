"""Starts and stops that see to it that an EVSE charges, or does not: what of it is needed is known only here, where the
charger is, and once what came before has been done."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from gateway.core.commands import Command, CommandResult, Outcome, validated_arguments
from gateway.core.limits import NO_LIMIT
from gateway.core.reports import ActiveTransaction
from gateway.core.twin import Twin

CarryOut = Callable[[Command], Awaitable[CommandResult]]
"""Calls the charger with a command and notes what follows from its answer."""


async def start(command: Command, twin: Twin, now: float, carry_out: CarryOut) -> CommandResult:
    """Carry out a start: with `if_needed` only as much of it as there is to do."""
    if not command.arguments.get("if_needed"):
        return await carry_out(command)
    evse_id = the_evse(command, twin)
    if evse_id is None:
        return _ended(command, Outcome.INVALID, f"start: name the evse_id; EVSEs: {_told(twin)}")
    resumed = None
    if twin.limits(now).get(evse_id, NO_LIMIT).paused:
        arguments = validated_arguments("resume", {"evse_id": evse_id})
        resumed = await carry_out(replace(command, name="resume", arguments=arguments))
        if resumed.outcome is not Outcome.ACCEPTED:
            return replace(resumed, name=command.name)
    running = twin.charges(evse_id)
    if running is None:
        return await carry_out(replace(command, arguments={**command.arguments, "evse_id": evse_id}))
    done = "a transaction runs there already" if resumed is None else "the transaction there was resumed"
    return _ended(command, Outcome.ACCEPTED, done, _no_start(running))


async def stop(command: Command, twin: Twin, carry_out: CarryOut) -> CommandResult:
    """Carry out a stop: with `if_needed` it will do where nothing runs."""
    wanted, evse_id = command.arguments["transaction_id"], command.arguments["evse_id"]
    runs = any(
        (wanted is None or wanted in (one.id, one.ocpp_transaction_id)) and evse_id in (None, one.evse_id)
        for one in twin.active_transactions()
    )
    if command.arguments.get("if_needed") and not runs:
        return _ended(command, Outcome.ACCEPTED, "nothing runs there that could be stopped", {"status": None})
    return await carry_out(command)


def the_evse(command: Command, twin: Twin) -> int | None:
    """The EVSE that a command means: the one it names, or the only one there is."""
    named: int | None = command.arguments["evse_id"]
    known = twin.evse_ids()
    return named or (known[0] if len(known) == 1 else None)


def _told(twin: Twin) -> str:
    return ", ".join(str(evse_id) for evse_id in twin.evse_ids()) or "none has reported yet"


def _no_start(running: ActiveTransaction) -> dict[str, Any]:
    return {"status": None, "remote_start_id": None, "ocpp_transaction_id": running.ocpp_transaction_id}


def _ended(command: Command, outcome: Outcome, reason: str, result: dict[str, Any] | None = None) -> CommandResult:
    return CommandResult(command.id, command.charger, command.name, outcome, reason, result)

"""What an accepted command changes in the picture of a charger, which the charger does not report by itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.limits import NO_LIMIT
from gateway.core.reports import Carrier, Limit
from gateway.core.twin import Change, Twin

LIMITING = frozenset({"set_charging_limit", "clear_charging_limit", "pause", "resume"})


def effect_of(
    command: Command, result: CommandResult, twin: Twin, now: Callable[[], float]
) -> Callable[[], Change] | None:
    """The change to store once its turn has come; None where there is none."""
    if result.outcome is not Outcome.ACCEPTED:
        refused = command.name == "start" and result.outcome is not Outcome.TIMEOUT
        return (lambda: twin.start_unexpected(now(), command.id)) if refused else None
    arguments, told = command.arguments, result.result or {}
    if command.name == "set_availability":
        return lambda: twin.availability_set(
            now(), arguments["evse_id"], arguments["available"], connector_id=arguments["connector_id"]
        )
    if command.name in LIMITING:
        evse_id = told["evse_id"]
        # What is set or lifted while charging is paused is noted, and not sent.
        is_told = command.name in ("pause", "resume") or not told["paused"]
        return lambda: twin.limited(
            now(),
            evse_id,
            _limit(command.name, arguments, told, twin.limits(now()).get(evse_id, NO_LIMIT)),
            is_told=is_told,
        )
    return None


def expectation_of(command: Command, twin: Twin, now: Callable[[], float]) -> Callable[[], Change] | None:
    """The change to store before a command is sent: the transaction that a remote start causes will bear its id.

    Before, as the charger may begin it in the same breath in which it says yes.
    """
    if command.name != "start":
        return None
    arguments = command.arguments
    return lambda: twin.start_expected(
        now(),
        command.id,
        token=arguments["token"],
        evse_id=arguments["evse_id"],
        remote_start_id=arguments["remote_start_id"],
    )


def _limit(name: str, arguments: dict[str, Any], told: dict[str, Any], known: Limit) -> Limit:
    """What is known of the EVSE's limit after a command. `paused` is as the charger accepted it."""
    known = replace(known, paused=told["paused"])
    if told.get("unit") is not None:
        before = None if known.carrier is None else known.carrier.unit
        # A unit that was asked for says nothing of the other, unless that is known to be refused.
        unit = told["unit"] if told["converted"] or told["unit"] == before else None
        known = replace(known, carrier=Carrier(unit, told["stack_level"], told["purpose"]))
    match name:
        case "set_charging_limit":
            return replace(
                known,
                current_a=arguments["current_a"],
                power_w=arguments["power_w"],
                phases=arguments["phases"],
                until=told["until"],
            )
        case "clear_charging_limit":
            return replace(known, current_a=None, power_w=None, phases=None, until=None)
        case _:
            return known

"""A command carried out on one connection: turned into calls, sent in turn, and its answers read."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.ocpp.profile import Answered, Call, Ending, Profile, Station
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.schemas import SchemaSet
from gateway.ocpp.session_events import UNREADABLE_ANSWER, CallAnswered, CallExpired, CallFailed, CallLost, CallTimedOut

CallEnd = CallAnswered | CallFailed | CallTimedOut | CallExpired | CallLost
"""How one CALL ended."""

Caller = Callable[[Call], Awaitable[CallEnd]]
"""Sends a CALL and waits for its end."""


async def carry_out(
    command: Command, *, profile: Profile, schemas: SchemaSet, station: Callable[[], Station], caller: Caller
) -> CommandResult:
    """The one result of a command; never raises for anything that the charger or the arguments do."""
    try:
        if command.action is not None:
            ending = await _raw_call(command, command.action, schemas, caller)
        else:
            ending = await _neutral(command, profile, station, caller)
    except CommandInvalid as error:
        ending = Ending(Outcome.INVALID, str(error))
    except CommandUnsupported as error:
        ending = Ending(Outcome.UNSUPPORTED, str(error))
    return CommandResult(
        command.id,
        command.charger,
        command.name,
        ending.outcome,
        ending.reason,
        ending.result,
        acted=ending.acted,
    )


async def _neutral(command: Command, profile: Profile, station: Callable[[], Station], caller: Caller) -> Ending:
    row = profile.outbound.get(command.name)
    if row is None:
        able = [other.version for other in PROFILES.values() if command.name in other.outbound]
        raise CommandUnsupported(
            f"OCPP {profile.version} cannot {command.name}"
            + (f"; versions that can: {', '.join(able)}" if able else "; no version that this gateway speaks can")
        )
    calls = row.calls(command.arguments, station())
    answers: list[Answered] = []
    for call in calls:
        end = await caller(call)
        if not isinstance(end, CallAnswered):
            return _unanswered(end, after=len(answers))
        answers.append(Answered(end.payload))
    return row.ending(calls, answers)


async def _raw_call(command: Command, action: str, schemas: SchemaSet, caller: Caller) -> Ending:
    violations = schemas.check_call(action, command.arguments) if schemas.knows(action) else []
    if violations:
        told = "; ".join(f"{violation['path'] or '/'}: {violation['message']}" for violation in violations[:5])
        raise CommandInvalid(f"the payload is no valid {action}: {told}")
    end = await caller(Call(action, command.arguments))
    if isinstance(end, CallAnswered):
        status = end.payload.get("status")
        refused = status in ("Rejected", "NotSupported", "NotImplemented", "UnknownMessageId", "UnknownVendorId")
        return Ending(Outcome.REJECTED if refused else Outcome.ACCEPTED, status if refused else None, end.payload)
    return _unanswered(end, after=0)


def _unanswered(end: CallEnd, *, after: int) -> Ending:
    """The ending where a CALL got no CALLRESULT; `after` calls of the same command were answered before it."""
    sent_before = f" ({after} call(s) of it were answered)" if after else ""
    match end:
        case CallFailed():
            told = f"{end.code}: {end.description}" if end.description else end.code
            # An answer that cannot be read may have been a yes.
            acted = bool(after) or end.description == UNREADABLE_ANSWER
            return Ending(Outcome.ERROR, told + sent_before, {"code": end.code, "details": end.details}, acted=acted)
        case CallTimedOut():
            return Ending(Outcome.TIMEOUT, "the charger did not answer in time" + sent_before)
        case CallExpired():
            outcome = Outcome.TIMEOUT if after else Outcome.EXPIRED
            return Ending(outcome, "its time was up before it could be sent" + sent_before)
        case CallLost(sent=True):
            return Ending(Outcome.TIMEOUT, "the connection was lost before the charger answered")
        case CallLost():
            outcome = Outcome.TIMEOUT if after else Outcome.OFFLINE
            return Ending(outcome, "the connection was lost before it was sent" + sent_before)
        case CallAnswered():
            raise TypeError("an answered call has its own ending")


def resolve(waiting: "asyncio.Future[CallEnd]", end: CallEnd) -> None:
    """Hand a call's end to whoever waits for it, unless nobody does any more."""
    if not waiting.done():
        waiting.set_result(end)

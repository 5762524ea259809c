"""A command carried out on one connection: turned into calls, sent in turn, and its answers read."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from gateway.chargers.watching import Watch, Watches
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.errors import CommandInvalid, CommandUnsupported
from gateway.core.superseding import REASON
from gateway.ocpp.endings import refused
from gateway.ocpp.profile import Answered, Call, Dialogue, Ending, Follow, Outbound, Profile, Refused, Station
from gateway.ocpp.profiles import PROFILES
from gateway.ocpp.schemas import SchemaSet
from gateway.ocpp.session_events import (
    UNREADABLE_ANSWER,
    CallAnswered,
    CallExpired,
    CallFailed,
    CallLost,
    CallSuperseded,
    CallTimedOut,
)

CallEnd = CallAnswered | CallFailed | CallTimedOut | CallExpired | CallLost | CallSuperseded
"""How one CALL ended."""

Caller = Callable[[Call], Awaitable[CallEnd]]
"""Sends a CALL and waits for its end."""


async def carry_out(
    command: Command,
    *,
    profile: Profile,
    schemas: SchemaSet,
    station: Callable[[], Station],
    caller: Caller,
    watches: Watches,
    seconds_left: Callable[[], float],
) -> CommandResult:
    """The one result of a command; never raises for anything that the charger or the arguments do.

    `seconds_left` tells how long it may still take.
    """
    try:
        if command.action is not None:
            ending = await _raw_call(command, command.action, schemas, caller)
        else:
            ending = await _neutral(command, profile, station(), caller, watches, seconds_left)
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


async def _neutral(
    command: Command,
    profile: Profile,
    station: Station,
    caller: Caller,
    watches: Watches,
    seconds_left: Callable[[], float],
) -> Ending:
    row = profile.outbound.get(command.name)
    if row is None:
        able = [other.version for other in PROFILES.values() if command.name in other.outbound]
        raise CommandUnsupported(
            f"OCPP {profile.version} cannot {command.name}"
            + (f"; versions that can: {', '.join(able)}" if able else "; no version that this gateway speaks can")
        )
    if isinstance(row, Outbound):
        talk = _in_turn(row, command.arguments, station)
    else:
        talk = row.talk(command.arguments, station)
    if row.follow is None:
        ending, _ = await _converse(talk, caller)
        return ending
    with watches.watch(row.follow.event) as watch:
        ending, calls = await _converse(talk, caller)
        if ending.outcome is not Outcome.ACCEPTED or ending.final:
            return ending
        if command.answered is not None:
            command.answered()
        return await _followed(ending, calls, row.follow, watch, seconds_left())


def _in_turn(row: Outbound, arguments: dict[str, Any], station: Station) -> Dialogue:
    """A plain row as a dialogue: the calls one after the other; the first CALLERROR ends it."""
    calls = row.calls(arguments, station)
    answers: list[Answered] = []
    for call in calls:
        answer = yield call
        if isinstance(answer, Refused):
            return refused(answer, after=len(answers))
        answers.append(answer)
    return row.ending(calls, answers)


async def _converse(talk: Dialogue, caller: Caller) -> tuple[Ending, list[Call]]:
    """Carry on a dialogue to its end; what gets no answer at all ends it."""
    calls: list[Call] = []
    try:
        call = next(talk)
        while True:
            end = await caller(call)
            if isinstance(end, CallAnswered):
                answer: Answered | Refused = Answered(end.payload)
            elif isinstance(end, CallFailed) and end.description != UNREADABLE_ANSWER:
                answer = Refused(end.code, end.canonical, end.description, end.details)
            else:
                return _unanswered(end, after=len(calls)), calls
            calls.append(call)
            call = talk.send(answer)
    except StopIteration as stop:
        ending: Ending = stop.value
        return ending, calls
    finally:
        talk.close()


async def _followed(yes: Ending, calls: Sequence[Call], follow: Follow, watch: Watch, seconds: float) -> Ending:
    """Wait for what the charger sends after its yes, to its end."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            while True:
                ending = follow.ending(yes, calls, await watch.next())
                if ending is not None and not ending.awaiting:
                    return ending
                yes = ending or yes
    except TimeoutError:
        told = "the charger said yes, but what it was asked for was not there in time; what still comes is an event"
        return Ending(Outcome.TIMEOUT, told, yes.result)
    except ConnectionError:
        told = "the charger said yes, then the connection was lost before what it was asked for was there"
        return Ending(Outcome.TIMEOUT, told, yes.result)


async def _raw_call(command: Command, action: str, schemas: SchemaSet, caller: Caller) -> Ending:
    violations = schemas.check_call(action, command.arguments) if schemas.knows(action) else []
    if violations:
        told = "; ".join(f"{violation['path'] or '/'}: {violation['message']}" for violation in violations[:5])
        raise CommandInvalid(f"the payload is no valid {action}: {told}")
    end = await caller(Call(action, command.arguments))
    if isinstance(end, CallAnswered):
        status = end.payload.get("status")
        no = status in ("Rejected", "NotSupported", "NotImplemented", "UnknownMessageId", "UnknownVendorId")
        return Ending(Outcome.REJECTED if no else Outcome.ACCEPTED, status if no else None, end.payload)
    return _unanswered(end, after=0)


def _unanswered(end: CallEnd, *, after: int) -> Ending:
    """The ending where a CALL got no CALLRESULT; `after` calls of the same command were answered before it."""
    sent_before = f" ({after} call(s) of it were answered)" if after else ""
    match end:
        case CallFailed():
            error = Refused(end.code, end.canonical, end.description, end.details)
            # An answer that cannot be read may have been a yes.
            return refused(error, after=after, acted=end.description == UNREADABLE_ANSWER)
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
        case CallSuperseded():
            return Ending(Outcome.SUPERSEDED, REASON)
        case CallAnswered():
            raise TypeError("an answered call has its own ending")


def resolve(waiting: "asyncio.Future[CallEnd]", end: CallEnd) -> None:
    """Hand a call's end to whoever waits for it, unless nobody does any more."""
    if not waiting.done():
        waiting.set_result(end)

"""The walk of a command on one connection: what the charger is called with, and what follows from its yes."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from secrets import randbelow

import structlog

from gateway.chargers.admission import Admission
from gateway.chargers.commands import CallEnd, Caller, carry_out
from gateway.chargers.effects import LIMITING, effect_of, expectation_of
from gateway.chargers.limiting import Limiting
from gateway.chargers.make import KnownMake
from gateway.chargers.passwords import change_password
from gateway.chargers.recorder import Recorder
from gateway.chargers.starting import Starting
from gateway.chargers.surroundings import Surroundings
from gateway.chargers.watching import Watches
from gateway.chargers.websocket import WebSocket
from gateway.core.clock import rfc3339
from gateway.core.commands import Command, CommandResult, Outcome
from gateway.core.superseding import kind_of
from gateway.core.twin import Change
from gateway.ocpp.passwords import password_taken
from gateway.ocpp.profile import Call, Profile, Station
from gateway.ocpp.session import CallAnswered, CallLost, Session, SessionEvent

_log = structlog.get_logger(__name__)

SETTLES_WITHIN = 5.0
"""Seconds that a command waits, at most, until what the one before has changed is stored and seen."""


class Calling:
    """Carries out commands over a session.

    `apply` takes what the session says; `enqueue` a change of the twin that is to be stored in its turn, and the future
    to resolve once it is.
    """

    __slots__ = (
        "_apply",
        "_around",
        "_enqueue",
        "_make",
        "_next_id",
        "_profile",
        "_recorder",
        "_session",
        "_settled",
        "_socket",
        "_unsent",
        "admission",
        "limiting",
        "starting",
        "wanted_elsewhere",
        "watches",
    )

    def __init__(
        self,
        profile: Profile,
        session: Session,
        socket: WebSocket,
        recorder: Recorder,
        around: Surroundings,
        *,
        make: KnownMake,
        apply: Callable[[list[SessionEvent]], None],
        enqueue: Callable[[Callable[[], Change], "asyncio.Future[None]"], None],
    ) -> None:
        self._profile, self._session, self._socket = profile, session, socket
        self._recorder, self._around = recorder, around
        self._make, self._apply, self._enqueue = make, apply, enqueue
        self._next_id = count(randbelow(1 << 30) + 1)
        self.watches = Watches()
        self.admission = Admission()
        self.wanted_elsewhere = False
        """The connection closes, and the charger has another one, or will have: what was not sent goes there."""
        self._unsent: dict[str, asyncio.Future[CallEnd]] = {}
        self._settled: asyncio.Future[None] | None = None
        self.starting = Starting(
            recorder.charger, recorder.twin, around.clock, carry_out=self._carry_out, change=self._change
        )
        self.limiting = Limiting(
            recorder.charger,
            recorder.twin,
            around.clock,
            carry_out=self._call_charger,
            change=self._change,
            settled=self._settle,
        )

    async def execute(self, command: Command) -> CommandResult:
        """Carry a command out; always ends in a result."""
        charger = command.charger
        if not self._socket.is_open:
            told = "the charger is not connected"
            return CommandResult(
                command.id, charger, command.name, Outcome.OFFLINE, told, strayed=self.wanted_elsewhere
            )
        await self._settle(command.deadline - self._around.clock.now())
        if command.name == "start":
            result = await self.starting.start(command)
        elif command.name == "stop":
            result = await self.starting.stop(command)
        else:
            result = await self._carry_out(command)
        _log.info("command", charger=str(charger), command=command.name, id=command.id,
                  outcome=result.outcome.value, reason=result.reason)  # fmt: skip
        return result

    async def _settle(self, seconds: float = SETTLES_WITHIN) -> bool:
        """What a command asks for may hang on what the one before has changed: wait until that is seen, not long."""
        if self._settled is None or self._settled.done():
            return True
        done, _ = await asyncio.wait((self._settled,), timeout=max(0.0, min(SETTLES_WITHIN, seconds)))
        return bool(done)

    def _change(self, make: Callable[[], Change]) -> "asyncio.Future[None]":
        """Have a change stored in its turn; resolved once it is."""
        self._settled = settled = asyncio.get_running_loop().create_future()
        settled.add_done_callback(asyncio.Future.exception)
        self._enqueue(make, settled)
        return settled

    async def _carry_out(self, command: Command) -> CommandResult:
        """Call the charger in the command's turn."""
        if command.name not in LIMITING:
            return await self._call_charger(command)
        try:
            async with self.limiting.by_command(max(0.0, command.deadline - self._around.clock.now())):
                return await self._call_charger(command)
        except TimeoutError:
            told = "its time was up before it could be sent"
            return CommandResult(command.id, command.charger, command.name, Outcome.EXPIRED, told)

    async def _call_charger(self, command: Command) -> CommandResult:
        """Call the charger with a command, and note what follows from its answer."""
        command = self._with_remote_start_id(command)
        expectation = expectation_of(command, self._recorder.twin, self._around.clock.now)
        if expectation is not None:
            self._change(expectation)
        result = await carry_out(
            command,
            profile=self._profile,
            schemas=self._around.schemas[self._profile.subprotocol],
            station=self._station,
            caller=self._caller(command),
            watches=self.watches,
            seconds_left=lambda: command.deadline - self._around.clock.now(),
        )
        result.strayed = self.wanted_elsewhere and result.outcome is Outcome.OFFLINE
        effect = effect_of(command, result, self._recorder.twin, self._around.clock.now)
        if effect is not None:
            self._change(effect)
        return result

    def _with_remote_start_id(self, command: Command) -> Command:
        """A start with the number that OCPP 2.x will know it by, so that its transaction can be told."""
        if (
            command.name != "start"
            or self._profile.version == "1.6"
            or command.arguments["remote_start_id"] is not None
        ):
            return command
        return replace(command, arguments={**command.arguments, "remote_start_id": next(self._next_id)})

    def _station(self) -> Station:
        twin = self._recorder.twin
        return Station(
            twin.active_transactions(),
            lambda: next(self._next_id),
            twin.limits(self._around.clock.now()),
            twin.evse_ids(),
            self._make.quirks,
            now=rfc3339(self._around.clock.now()),
            places=twin.places(),
        )

    def _caller(self, command: Command) -> Caller:
        """Sends the calls of a command; its first one takes the place of an older command's that still waits."""
        kind = kind_of(command.name, command.arguments)

        async def first_or_later(call: Call) -> CallEnd:
            nonlocal kind
            this, kind = kind, None
            return await self._call(call, command.deadline, this)

        return first_or_later

    async def _call(self, call: Call, deadline: float, kind: str | None) -> CallEnd:
        self.admission.check_call(call, self._recorder.twin.boot_status)
        clock = self._around.clock
        now = clock.monotonic()
        waiting: asyncio.Future[CallEnd] = asyncio.get_running_loop().create_future()
        if not self._socket.is_open:
            return CallLost(waiting, sent=False)
        older = None if kind is None else self._unsent.get(kind)
        self._apply(
            self._session.call(
                call.action,
                call.payload,
                handle=waiting,
                deadline=now + max(0.0, deadline - clock.now()),
                answer_within=self._around.config.command_timeout,
                now=now,
                instead_of=older,
            )
        )
        try:
            if kind is not None:
                self._unsent[kind] = waiting
            end = await waiting
        except asyncio.CancelledError:
            self._session.cancel(waiting)
            raise
        finally:
            if kind is not None and self._unsent.get(kind) is waiting:
                del self._unsent[kind]
        if isinstance(end, CallAnswered):
            password = password_taken(call, end.payload)
            if password is not None:
                await change_password(self._recorder.charger, password, self._around.ownership)
        outcome = type(end).__name__.removeprefix("Call").lower()
        self._around.observer.message(self._profile.version, "out", call.action, outcome)
        return end

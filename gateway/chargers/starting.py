"""Starts and stops as far as they are needed, and starts that wait for their EV: what is to be done is known only here,
where the charger is, and once what came before has been done."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

import structlog

from gateway.core.awaiting import (
    ask,
    forget,
    given,
    is_stale,
    let_go,
    put,
    refused,
    replaced,
    spare,
    tried,
    unwanted,
    waiting,
    withdraw,
    withdrawable,
)
from gateway.core.charger_state import AwaitedStart
from gateway.core.clock import Clock
from gateway.core.commands import USUAL_TIMEOUT, Command, CommandResult, Outcome, validated_arguments
from gateway.core.draft import Draft
from gateway.core.identity import ChargerId
from gateway.core.limits import NO_LIMIT
from gateway.core.twin import Change, Twin

_log = structlog.get_logger(__name__)

CarryOut = Callable[[Command], Awaitable[CommandResult]]
"""Calls the charger with a command and notes what follows from its answer."""

STORED_WITHIN = 60.0
"""Seconds after which what could not be stored is looked at anew."""

_NO = frozenset((Outcome.REJECTED, Outcome.ERROR, Outcome.OFFLINE, Outcome.INVALID, Outcome.UNSUPPORTED))


class Starting:
    """The starts and stops of one charger. `change` has a change of the twin stored in its turn, and returns when."""

    __slots__ = ("_at_work", "_carry_out", "_change", "_charger", "_clock", "_twin")

    def __init__(
        self,
        charger: ChargerId,
        twin: Twin,
        clock: Clock,
        *,
        carry_out: CarryOut,
        change: Callable[[Callable[[], Change]], "asyncio.Future[None]"],
    ) -> None:
        self._charger, self._twin, self._clock = charger, twin, clock
        self._carry_out, self._change = carry_out, change
        self._at_work: set[int] = set()

    # ------------------------------------------------------------ start

    async def start(self, command: Command) -> CommandResult:
        """Carry out a start: with `if_needed` as much of it as there is to do, with `when_plugged` again and again."""
        arguments, twin = command.arguments, self._twin
        if_needed, when_plugged = arguments.get("if_needed", False), arguments.get("when_plugged", False)
        evse_id = self._the_evse(command)
        if evse_id is None and (if_needed or when_plugged):
            told = ", ".join(str(known) for known in twin.evse_ids()) or "none has reported yet"
            return _ended(command, Outcome.INVALID, f"start: name the evse_id; EVSEs: {told}")
        if evse_id is not None and if_needed:
            ended = await self._resumed_or_running(command, evse_id)
            if ended is not None:
                return ended
        if evse_id is None or not when_plugged:
            return await self._at_once(command, evse_id)
        command = replace(command, arguments={**arguments, "evse_id": evse_id})
        self._write(lambda draft: ask(draft, command.id, evse_id, command.arguments))
        return self._awaited(command, evse_id, await self._carry_out(command))

    async def _at_once(self, command: Command, evse_id: int | None) -> CommandResult:
        """A start that does not wait, in the place of those that do, or were withdrawn."""
        awaited = self._twin.awaited
        here = [one["evse_id"] for one in awaited.values() if evse_id in (None, one["evse_id"])]
        spared = [one for one in here if awaited[str(one)]["withdrawn"]]
        if spared:
            self._write(lambda draft: spare(draft, spared))
        result = await self._carry_out(command)
        taken = result.outcome not in _NO
        ended = spared if evse_id is None or not taken else here
        if ended:
            self._write(lambda draft: (replaced if taken else withdraw)(draft, ended))
        return result

    async def _resumed_or_running(self, command: Command, evse_id: int) -> CommandResult | None:
        """The end of a start where nothing is to be started, or where what is in its way stays there."""
        twin, resumed = self._twin, None
        if twin.limits(self._clock.now()).get(evse_id, NO_LIMIT).paused:
            arguments = validated_arguments("resume", {"evse_id": evse_id})
            resumed = await self._carry_out(replace(command, name="resume", arguments=arguments))
            if resumed.outcome is not Outcome.ACCEPTED:
                return replace(resumed, name=command.name)
        running = twin.charges(evse_id)
        if running is not None:
            done = "a transaction runs there already" if resumed is None else "the transaction there was resumed"
            return _ended(command, Outcome.ACCEPTED, done, _no_start(running.ocpp_transaction_id))
        if evse_id in waiting(twin.awaited):
            return _ended(command, Outcome.ACCEPTED, "a start waits for its EV there already", _no_start(None))
        return None

    def _awaited(self, command: Command, evse_id: int, result: CommandResult) -> CommandResult:
        """Have a start wait for its EV, where the charger took it or refused it for want of one."""
        if result.outcome is Outcome.TIMEOUT or (result.acted and result.outcome is not Outcome.ACCEPTED):
            # It may have taken it: a stop withdraws that.
            return result
        held = result.outcome is Outcome.ACCEPTED
        known = self._twin.awaited.get(str(evse_id))
        withdrawn = known is not None and known["withdrawn"]
        wants_ev = result.outcome is Outcome.REJECTED and self._twin.is_plugged(evse_id) is False
        if not held and (withdrawn or not wants_ev):
            self._write(lambda draft: refused(draft, command.id, evse_id))
            return result
        self._write(lambda draft: put(draft, command.id, evse_id, command.arguments, held=held))
        if held:
            return result
        reason = f"no EV is plugged in, so the charger refused it ({result.reason}): it is given again once one is"
        return replace(result, outcome=Outcome.ACCEPTED, reason=reason)

    # ------------------------------------------------------------ later

    def work(self) -> Coroutine[Any, Any, None] | None:
        """What is to be done now of what was asked for earlier, None where there is nothing."""
        start, ending = self._twin.due_start(self._clock.now()), unwanted(self._twin.awaited)
        if ending is not None and ending[0] not in self._at_work:
            return self._working(ending[0], self._end_unwanted(*ending))
        if start is not None and start["evse_id"] not in self._at_work:
            return self._working(start["evse_id"], self._give_again(start))
        now = self._clock.now()
        stale = next((one["evse_id"] for one in self._twin.awaited.values() if is_stale(one, now)), None)
        if stale is not None and stale not in self._at_work:
            return self._working(stale, self._stored(self._write(let_go)))
        return None

    async def _working(self, evse_id: int, work: Coroutine[Any, Any, object]) -> None:
        self._at_work.add(evse_id)
        try:
            await work
        except Exception:
            # Our own bug, on one charger: every other goes on.
            _log.exception("a start that waited was not looked after", charger=str(self._charger))
        finally:
            self._at_work.discard(evse_id)

    async def _give_again(self, start: AwaitedStart) -> None:
        """Give a start to the charger again, now that its EV is there."""
        command_id, evse_id = start["command_id"], start["evse_id"]
        noted = await self._stored(self._write(lambda draft: given(draft, command_id, evse_id)))
        known = self._twin.awaited.get(str(evse_id))
        if not noted or known is None or known["command_id"] != command_id or known["withdrawn"]:
            return
        arguments = {**start["arguments"], "when_plugged": False, "if_needed": False}
        result = await self._call("start", command_id, arguments)
        held = result.outcome not in _NO
        await self._stored(self._write(lambda draft: tried(draft, command_id, evse_id, held=held)))

    async def _end_unwanted(self, evse_id: int, transaction_id: str) -> None:
        """Stop the transaction of a start that the charger held when it was withdrawn."""
        arguments = validated_arguments("stop", {"transaction_id": transaction_id})
        await self._call("stop", f"withdrawn-{transaction_id}", arguments)
        await self._stored(self._write(lambda draft: forget(draft, [evse_id])))

    async def _call(self, name: str, command_id: str, arguments: dict[str, Any]) -> CommandResult:
        deadline = self._clock.now() + USUAL_TIMEOUT
        result = await self._carry_out(Command(command_id, self._charger, name, arguments, deadline))
        _log.info(f"{name} of a start that waited for its EV", charger=str(self._charger), id=command_id,
                  outcome=result.outcome.value, reason=result.reason)  # fmt: skip
        return result

    # ------------------------------------------------------------ stop

    async def stop(self, command: Command) -> CommandResult:
        """Carry out a stop, which withdraws starts that wait, too; with `if_needed` it will do where nothing runs."""
        twin = self._twin
        wanted, evse_id = command.arguments["transaction_id"], command.arguments["evse_id"]
        waited = [one for one in withdrawable(twin.awaited) if wanted is None and evse_id in (None, one)]
        if waited:
            self._write(lambda draft: withdraw(draft, waited))
        runs = any(
            (wanted is None or wanted in (one.id, one.ocpp_transaction_id)) and evse_id in (None, one.evse_id)
            for one in twin.active_transactions()
        )
        if runs or not (waited or command.arguments.get("if_needed", False)):
            return await self._carry_out(command)
        done = "the start that waited there for an EV was withdrawn" if waited else "nothing runs there"
        return _ended(command, Outcome.ACCEPTED, done, {"status": None})

    def _write(self, write: Callable[[Draft], None]) -> "asyncio.Future[None]":
        return self._change(lambda: self._twin.written(self._clock.now(), write))

    async def _stored(self, change: "asyncio.Future[None]") -> bool:
        """Whether it was stored: until then what was done is to be done still, as far as anybody can see."""
        await asyncio.wait((change,), timeout=STORED_WITHIN)
        return change.done() and not change.cancelled() and change.exception() is None

    def _the_evse(self, command: Command) -> int | None:
        """The EVSE that a command means: the one it names, or the only one there is."""
        named: int | None = command.arguments["evse_id"]
        known = self._twin.evse_ids()
        return named or (known[0] if len(known) == 1 else None)


def _no_start(running: str | None) -> dict[str, Any]:
    return {"status": None, "remote_start_id": None, "ocpp_transaction_id": running}


def _ended(command: Command, outcome: Outcome, reason: str, result: dict[str, Any] | None = None) -> CommandResult:
    return CommandResult(command.id, command.charger, command.name, outcome, reason, result)

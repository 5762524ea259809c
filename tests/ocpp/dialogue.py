"""Commands played through a version's outbound table: what is called, how the answers end it, and what follows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.commands import validated_arguments
from gateway.ocpp.profile import Answered, Call, Dialogue, Ending, Outbound, Profile, Refused, Station

Answer = Answered | Refused


@dataclass(frozen=True)
class Desk:
    """Gives commands to one charger of a version; answers are payloads of CALLRESULTs, or refusals."""

    profile: Profile
    station: Station

    def calls(self, command: str, **arguments: Any) -> list[Call]:
        """What a charger is called that says yes to everything."""
        return self.talk(command, arguments, lambda call: Answered({"status": "Accepted"}))[0]

    def ended(self, command: str, arguments: dict[str, Any], *answers: dict[str, Any] | Refused) -> Ending:
        """How the command ends where the charger answers so, call by call."""
        return self._told(command, arguments, answers)[1]

    def followed(
        self, command: str, arguments: dict[str, Any], answers: list[dict[str, Any]], *events: Mapping[str, Any]
    ) -> Ending | None:
        """How the command ends by the events that come after these answers; None where it does not yet."""
        calls, yes = self._told(command, arguments, answers)
        follow = self.profile.outbound[command].follow
        assert follow is not None
        assert not yes.final
        for event in events:
            end = follow.ending(yes, calls, event)
            if end is not None and not end.awaiting:
                return end
            yes = end or yes
        return None

    def talk(
        self, command: str, arguments: dict[str, Any], answer: Callable[[Call], Answer]
    ) -> tuple[list[Call], Ending]:
        """All calls of a command, and its ending."""
        row = self.profile.outbound[command]
        given = validated_arguments(command, arguments)
        if isinstance(row, Outbound):
            calls = row.calls(given, self.station)
            answers = [answer(call) for call in calls]
            return calls, row.ending(calls, [found for found in answers if isinstance(found, Answered)])
        return _spoken(row.talk(given, self.station), answer)

    def _told(self, command: str, arguments: dict[str, Any], answers: Any) -> tuple[list[Call], Ending]:
        waiting: Iterator[Any] = iter(answers)

        def answer(call: Call) -> Answer:
            found = next(waiting)
            return found if isinstance(found, Refused) else Answered(found)

        return self.talk(command, arguments, answer)


def _spoken(dialogue: Dialogue, answer: Callable[[Call], Answer]) -> tuple[list[Call], Ending]:
    calls: list[Call] = []
    try:
        call = next(dialogue)
        while True:
            calls.append(call)
            call = dialogue.send(answer(call))
    except StopIteration as stop:
        return calls, stop.value

"""How a virtual charger takes the CSMS's calls: which it obeys, what it answers, and what follows."""

from collections.abc import Callable

from gateway.simulator.dialect import Dialect
from gateway.simulator.errands import Errands
from gateway.simulator.link import Link
from gateway.simulator.report import Recorder
from gateway.simulator.station import Station


class Obedience:
    """Obeys by the dialect's table; `is_rejected` tells whether the CSMS has rejected the charger's boot."""

    def __init__(
        self,
        station: Station,
        dialect: Dialect,
        errands: Errands,
        recorder: Recorder,
        *,
        is_rejected: Callable[[], bool],
    ) -> None:
        self._station = station
        self._dialect = dialect
        self._errands = errands
        self._recorder = recorder
        self._is_rejected = is_rejected

    async def obey(self, link: Link) -> None:
        """Take the calls of this connection one by one. Raises LinkLost at its end."""
        while True:
            message_id, action, payload = await link.next_call()
            self._recorder.command(self._station.identity, action, message_id, payload)
            error = self._reason_against(action)
            if error == "":
                continue
            if error is not None:
                await self._refuse(link, message_id, action, error)
                continue
            try:
                answer = self._dialect.obeys[action](self._station, payload)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as problem:
                await self._refuse(link, message_id, action, self._dialect.malformed_code, str(problem))
                continue
            await link.answer(message_id, answer.payload)
            self._recorder.answered(self._station.identity, action, message_id, answer.payload)
            if answer.after is not None:
                answer.after()
            if answer.then is not None:
                self._errands.add(answer.then)

    def _reason_against(self, action: str) -> str | None:
        """The error code that a call is refused with, "" where it gets no answer at all, None where it is obeyed."""
        if self._is_rejected():
            return self._dialect.rejected_code or ""
        if action not in self._dialect.obeys:
            return "NotImplemented"
        return "InternalError" if self._errands.full else None

    async def _refuse(self, link: Link, message_id: str, action: str, code: str, description: str = "") -> None:
        await link.refuse(message_id, code, description)
        self._recorder.answered(self._station.identity, action, message_id, {}, code)

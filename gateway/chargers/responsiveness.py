"""Notices a charger that speaks, but does not answer (mobilityhouse/ocpp#338: until it reconnects)."""

import structlog

from gateway.chargers.commands import CallEnd
from gateway.core.identity import ChargerId
from gateway.ocpp.session_events import CallAnswered, CallFailed, CallTimedOut

_log = structlog.get_logger(__name__)

UNANSWERED = 3
"""CALLs in a row without an answer, after which a charger that sends messages all the same counts as unresponsive."""


class Responsiveness:
    """Counts the CALLs of one connection that were not answered in time, in a row."""

    __slots__ = ("_charger", "_heard", "unanswered", "unresponsive")

    def __init__(self, charger: ChargerId) -> None:
        self.unanswered = 0
        self.unresponsive = False
        self._charger = charger
        self._heard = False

    def heard(self) -> None:
        """The charger sent a message of its own."""
        self._heard = True

    def ended(self, end: CallEnd) -> bool:
        """A CALL ended; True where that makes the charger unresponsive, or ends that."""
        if isinstance(end, CallTimedOut):
            self.unanswered += 1
            if self.unresponsive or self.unanswered < UNANSWERED or not self._heard:
                return False
            self.unresponsive = True
            _log.warning("charger does not answer calls", charger=str(self._charger), unanswered=self.unanswered)
            return True
        if isinstance(end, CallAnswered | CallFailed):
            was, self.unresponsive = self.unresponsive, False
            self.unanswered, self._heard = 0, False
            if was:
                _log.info("charger answers calls again", charger=str(self._charger))
            return was
        return False

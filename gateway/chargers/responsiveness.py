"""Notices a charger that speaks, but does not answer (mobilityhouse/ocpp#338: until it reconnects)."""

UNANSWERED = 3
"""CALLs in a row without an answer, after which a charger that sends messages all the same counts as unresponsive."""


class Responsiveness:
    """Counts the CALLs of one connection that were not answered in time."""

    __slots__ = ("_heard", "unanswered", "unresponsive")

    def __init__(self) -> None:
        self.unanswered = 0
        self.unresponsive = False
        self._heard = False

    def heard(self) -> None:
        """The charger sent a message of its own."""
        self._heard = True

    def timed_out(self) -> bool:
        """A CALL was not answered in time; True where that makes the charger unresponsive now."""
        self.unanswered += 1
        if self.unresponsive or self.unanswered < UNANSWERED or not self._heard:
            return False
        self.unresponsive = True
        return True

    def answered(self) -> bool:
        """A CALL was answered, were it by an error; True where the charger was unresponsive until now."""
        was, self.unresponsive = self.unresponsive, False
        self.unanswered, self._heard = 0, False
        return was

"""How long a transaction's message has waited for its answer, but for what a decision before it took."""

from collections.abc import Iterable

from gateway.chargers.interpretation import Received


class Patience:
    """One connection's. Times are monotonic seconds; a decision under way is bounded by its chain's deadline."""

    __slots__ = ("_decision", "_excused_until", "is_deciding")

    def __init__(self) -> None:
        self._excused_until = float("-inf")
        self._decision: float | None = None
        self.is_deciding = False

    def decision_begins(self, now: float) -> None:
        self._decision, self.is_deciding = now, True

    def decision_ends(self, now: float) -> None:
        self._decision, self.is_deciding = now, False

    def answered(self) -> None:
        """What was decided is answered: what comes next has not waited until the decision's end."""
        if self._decision is not None:
            self._excused_until, self._decision, self.is_deciding = self._decision, None, False

    def waiting_since(self, in_hand: object, behind: Iterable[object]) -> float | None:
        """Since when the oldest of a transaction's messages has waited that is not answered; None for none."""
        if isinstance(in_hand, Received) and in_hand.is_money:
            return max(in_hand.arrived, self._excused_until)
        arrived = next((item.arrived for item in behind if isinstance(item, Received) and item.is_money), None)
        if arrived is None:
            return None
        excused = self._excused_until if self._decision is None else max(self._excused_until, self._decision)
        return max(arrived, excused)

"""Which chargers are announced where there are more of them than may be: the same on every node, after any restart."""

from bisect import bisect_left, insort

from adapters.homeassistant.config import HomeAssistantConfig
from gateway.core.identity import ChargerId


class Chosen:
    """The first `max_chargers` of those that were shown: chargers with a table of their own first, then by name."""

    def __init__(self, config: HomeAssistantConfig) -> None:
        self._most, self._named = config.max_chargers, config.chargers.keys()
        self._ranked: list[ChargerId] = []
        self._are_all = True

    def __contains__(self, charger: ChargerId) -> bool:
        at = bisect_left(self._ranked, self._rank(charger), key=self._rank)
        return at < len(self._ranked) and self._ranked[at] == charger

    def admit(self, charger: ChargerId) -> bool:
        """Show one; returns whether it is among the chosen, from where it may drive another out."""
        if charger in self:
            return True
        if not self._are_all or len(self._ranked) >= self._most:
            # Room that a removed one left is nobody's before all are counted anew: the next in line may be elsewhere.
            self._are_all = False
            if not self._ranked or self._rank(charger) > self._rank(self._ranked[-1]):
                return False
        insort(self._ranked, charger, key=self._rank)
        del self._ranked[self._most :]
        return True

    def remove(self, charger: ChargerId) -> None:
        if charger in self:
            self._ranked.remove(charger)

    def _rank(self, charger: ChargerId) -> tuple[bool, str, str]:
        return charger.identity not in self._named, charger.tenant, charger.identity

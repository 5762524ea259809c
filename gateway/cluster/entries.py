"""Log entries as Redis sends them."""

from typing import Any

from gateway.core.identity import ChargerId
from gateway.core.ports import LogEntry

_REMEMBERED = 200_000
_ENTRY_OVERHEAD = 64
"""As commit.lua counts it."""


class EntryReader:
    """Turns stream entries into LogEntry; remembers the chargers it has met, for parsing an id costs more."""

    def __init__(self) -> None:
        self._chargers: dict[bytes, ChargerId] = {}

    def entries(self, raw: list[Any]) -> list[LogEntry]:
        """Entries of XRANGE or of one stream of XREAD."""
        return [self.entry(position.decode(), fields) for position, fields in raw if fields]

    def entry(self, position: str, fields: list[bytes]) -> LogEntry:
        """One entry from its flat fields: c, i, t and b come first, in this order (commit.lua writes them)."""
        return LogEntry(
            position, self.charger(fields[1]), fields[3].decode(errors="replace"), fields[5].decode(), fields[7]
        )

    def charger(self, name: bytes) -> ChargerId:
        found = self._chargers.get(name)
        if found is None:
            if len(self._chargers) >= _REMEMBERED:
                self._chargers.clear()
            found = self._chargers[name] = ChargerId.from_key(name.decode())
        return found


def bytes_before(flat: list[bytes]) -> int:
    """Bytes of the log before this entry: its running total less its own size."""
    fields = {flat[at]: flat[at + 1] for at in range(0, len(flat), 2)}
    own = sum(len(value) for name, value in fields.items() if name != b"n") + _ENTRY_OVERHEAD
    return int(fields[b"n"]) - own

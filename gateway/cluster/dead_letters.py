"""Events that could never be delivered, parked shard by shard."""

import re

from gateway.cluster.cursors import is_position, seal, unseal
from gateway.cluster.keys import Keys
from gateway.cluster.lane import Lane
from gateway.core.errors import NotFound
from gateway.core.identity import ChargerId
from gateway.core.ports import DeadLetter, LogEntry, Page

_LETTER_ID = re.compile(r"(\d{1,4})\.(\d{1,20}-\d{1,20})")


class DeadLetters:
    """Lists and removes what park.lua stored. Every method raises LogUnavailable."""

    def __init__(self, lane: Lane, keys: Keys) -> None:
        self._lane, self._keys = lane, keys

    async def list(self, *, after: str | None = None, limit: int = 100) -> Page:
        """Parked entries, oldest first within a shard. Raises NotFound for a cursor that is none of ours."""
        shard, position = (0, "") if after is None else unseal(after, int, str)
        if position and not is_position(position):
            raise NotFound(f"no such cursor: {after}")
        items: list[DeadLetter] = []
        while shard < self._keys.shards:
            begin = f"({position}" if position else "-"
            key = self._keys.shard(shard).dead
            found = await self._lane.call("XRANGE", key, begin, "+", "COUNT", limit - len(items))
            items += [_letter(shard, entry_id.decode(), fields) for entry_id, fields in found]
            if len(items) >= limit:
                return Page(items, seal(shard, found[-1][0].decode()))
            shard, position = shard + 1, ""
        return Page(items)

    async def remove(self, letter_id: str) -> None:
        """Raises NotFound."""
        match = _LETTER_ID.fullmatch(letter_id)
        if match is None or int(match[1]) >= self._keys.shards:
            raise NotFound(f"no dead letter {letter_id}")
        if not await self._lane.call("XDEL", self._keys.shard(int(match[1])).dead, match[2]):
            raise NotFound(f"no dead letter {letter_id}")


def _letter(shard: int, entry_id: str, flat: list[bytes]) -> DeadLetter:
    fields = {flat[at]: flat[at + 1] for at in range(0, len(flat), 2)}
    entry = LogEntry(
        fields[b"p"].decode(),
        ChargerId.from_key(fields[b"c"].decode()),
        fields[b"i"].decode(errors="replace"),
        fields[b"t"].decode(),
        fields[b"b"],
    )
    reader, reason = fields[b"reader"].decode(), fields[b"reason"].decode(errors="replace")
    return DeadLetter(f"{shard}.{entry_id}", reader, reason, float(fields[b"at"]), entry)
